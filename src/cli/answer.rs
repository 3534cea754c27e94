//! What the commands that ask registries print alike: credentials, failures, and the remedies for them.

use serde::Serialize;
use smol_str::SmolStr;

use super::{
    asking::Unanswered,
    credentials::{Origin, Way},
    output::printable,
};
use crate::{domain::question::Failure, registry::remedy};

/// A credential, without its password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct CredentialReport {
    /// `pullSecret`, `registry`, `dockerConfig`, `helper` or `anonymous`.
    pub kind: &'static str,
    /// The pull secret's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<SmolStr>,
    /// The name of the `Registry`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry: Option<SmolStr>,
    /// The key of the entry, as it is spelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<SmolStr>,
    /// The credential helper's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// The user's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// All of that for people.
    #[serde(skip)]
    pub shown: String,
}

/// A failure, and what to do about it.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Trouble {
    /// `invalid`, `notFound`, `unauthorized`, `unavailable`, `refused` or `noCredential`.
    pub cause: &'static str,
    /// What happened.
    pub message: String,
    /// What to do; several things are parted by `; `.
    pub remedy: String,
}

// === impl CredentialReport ===

impl CredentialReport {
    /// The credential of a way to ask.
    #[must_use]
    pub fn of(way: &Way) -> Self {
        let kind = match &way.origin {
            Origin::PullSecret { .. } => "pullSecret",
            Origin::Registry { .. } => "registry",
            Origin::DockerConfig { .. } => "dockerConfig",
            Origin::Helper { .. } => "helper",
            Origin::Anonymous => "anonymous",
        };
        let (secret, program) = match &way.origin {
            Origin::PullSecret { secret, .. } => (Some(secret.clone()), None),
            Origin::Helper { program } => (None, Some(program.clone())),
            _ => (None, None),
        };
        let registry = match &way.origin {
            Origin::Registry { name, .. } => Some(name.clone()),
            _ => None,
        };
        Self {
            kind,
            secret,
            registry,
            key: way.origin.key(),
            program,
            user: way.user(),
            shown: shown(way),
        }
    }
}

/// A way to ask, for people: where its credential comes from, and its user.
fn shown(way: &Way) -> String {
    let user = way.user().map(|user| format!(", user {user}"));
    printable(&format!("{}{}", way.origin, user.unwrap_or_default()))
}

// === impl Trouble ===

impl Trouble {
    /// A look-up at `host` that failed; `named`: user and password were sent.
    #[must_use]
    pub fn of(host: &str, failure: &Failure, named: bool) -> Self {
        Self {
            cause: failure.cause.as_str(),
            message: printable(&failure.detail),
            remedy: remedy::of(host, failure.cause, named).into_owned(),
        }
    }

    /// An image of `host` that could not be asked for; `named`: user and password were sent.
    #[must_use]
    pub fn unanswered(host: &str, why: &Unanswered, named: bool) -> Self {
        match why {
            Unanswered::Failed(failure) => Self::of(host, failure, named),
            Unanswered::NoCredential(reason) => Self {
                cause: "noCredential",
                message: printable(reason),
                remedy:
                    "mend that, or name other credentials with --docker-config or --pull-secrets"
                        .to_owned(),
            },
        }
    }
}
