//! What a platform team decides: how to pin, what to canonicalise, whether to inject, and what a failure means.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize, Serializer};
use smol_str::SmolStr;

use super::{git_sha, glob::Glob};

/// One named policy of `cotter.yaml`. A member that is left out has the value of [`Policy::default`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Policy {
    /// How mutable tags become digests.
    pub pin: Pin,
    /// How references are spelled.
    pub canonicalise: Canonicalise,
    /// Whether pull secrets are injected.
    pub inject: Inject,
    /// What each cause of a failure means for the Pod.
    pub on_failure: OnFailure,
    /// Whether a Pod may ask to be left alone with `cotter.dev/skip: "true"`.
    pub allow_skip: Allow,
    /// Whether objects with Pod templates are analysed.
    pub workloads: Workloads,
}

/// `pin:` of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Pin {
    /// What is written in place of a mutable tag.
    pub style: PinStyle,
    /// Whether the tag stays in front of the digest.
    pub keep_tag: bool,
    /// Whether tags that look like a git SHA are pinned too.
    pub pin_immutable: bool,
    /// Tags that this team never moves, as globs.
    pub immutable_tags: Vec<Glob>,
    /// Images that are never pinned, as globs over `host/repository`.
    pub skip: Vec<Glob>,
    /// Whether the Pods of one revision share one digest.
    pub stickiness: Stickiness,
}

/// What is written in place of a mutable tag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PinStyle {
    /// `repo:tag@sha256:…`.
    #[default]
    Digest,
    /// `repo:<git-sha tag>@sha256:…` where the registry has such a tag of the same digest.
    GitSha,
}

/// Whether Pods of one owner revision get the digest that their siblings run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stickiness {
    /// One revision, one digest.
    #[default]
    Revision,
    /// Each Pod is resolved for itself.
    None,
}

/// `canonicalise:` of a policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Canonicalise {
    /// Whether the full form is written (`docker.io/library/nginx`).
    pub qualify: bool,
    /// What a reference without a host means.
    pub short_names: ShortNames,
}

/// What a reference without a host means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShortNames {
    /// Docker Hub's, as containerd takes it.
    #[default]
    Hub,
    /// Neither pinned nor changed; a warning says so.
    Leave,
    /// Denied.
    Deny,
}

/// `inject:` of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Inject {
    /// Whether matching pull secrets are added to Pods.
    pub enabled: bool,
}

/// `onFailure:` of a policy, a verdict per cause.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct OnFailure {
    /// The reference cannot be parsed.
    pub invalid: Verdict,
    /// The registry knows no such tag.
    pub not_found: Verdict,
    /// The registry wants other credentials.
    pub unauthorized: Verdict,
    /// The registry cannot be asked.
    pub unavailable: Verdict,
    /// The address guard or the configuration said no.
    pub refused: Verdict,
}

/// What a failure means for the Pod.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The Pod is admitted with a warning.
    #[default]
    Warn,
    /// The Pod is refused.
    Deny,
}

/// A switch that is on unless a policy turns it off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Allow(pub bool);

/// Whether objects with Pod templates are analysed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Workloads {
    /// Warnings say what their Pods would become.
    #[default]
    Warn,
    /// They pass unread.
    Off,
}

/// Why a slot could not be pinned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cause {
    /// The reference cannot be parsed.
    Invalid,
    /// The registry knows no such tag.
    NotFound,
    /// The registry wants other credentials.
    Unauthorized,
    /// Unreachable, timeout, 5xx, rate-limited.
    Unavailable,
    /// The address guard or the configuration said no.
    Refused,
}

/// What `cotter.dev/mode` of a namespace says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mode {
    /// Pods are changed.
    Enforce,
    /// Nothing is changed; warnings say what would be.
    Audit,
}

/// All policies by name, one of them the default.
#[derive(Clone, Debug)]
pub struct PolicySet {
    default: Arc<Policy>,
    named: BTreeMap<SmolStr, Arc<Policy>>,
}

/// The default policy's name does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("defaultPolicy names {0:?}, which is not among the policies")]
pub struct NoSuchPolicy(pub SmolStr);

// === impl Policy ===

impl Policy {
    /// The built-in `strict`: git-SHA style, every failure denies, no skipping.
    #[must_use]
    pub fn strict() -> Self {
        Self {
            pin: Pin {
                style: PinStyle::GitSha,
                pin_immutable: true,
                ..Pin::default()
            },
            on_failure: OnFailure {
                invalid: Verdict::Deny,
                not_found: Verdict::Deny,
                unauthorized: Verdict::Deny,
                unavailable: Verdict::Deny,
                refused: Verdict::Deny,
            },
            allow_skip: Allow(false),
            ..Self::default()
        }
    }
}

impl Default for Pin {
    fn default() -> Self {
        Self {
            style: PinStyle::default(),
            keep_tag: true,
            pin_immutable: false,
            immutable_tags: Vec::new(),
            skip: vec![Glob::new("registry.k8s.io/**")],
            stickiness: Stickiness::default(),
        }
    }
}

impl Pin {
    /// Whether `tag` means the same image for ever: a git SHA, or declared so.
    #[must_use]
    pub fn is_immutable(&self, tag: &str) -> bool {
        git_sha::is_git_sha(tag) || self.immutable_tags.iter().any(|glob| glob.matches(tag))
    }

    /// Whether the policy leaves this repository (`host/path`) unpinned.
    #[must_use]
    pub fn skips(&self, repository: &str) -> bool {
        self.skip.iter().any(|glob| glob.matches(repository))
    }
}

impl Default for Inject {
    fn default() -> Self {
        Self { enabled: true }
    }
}

impl Default for Allow {
    fn default() -> Self {
        Self(true)
    }
}

impl OnFailure {
    /// The verdict on `cause`.
    #[must_use]
    pub fn verdict(&self, cause: Cause) -> Verdict {
        match cause {
            Cause::Invalid => self.invalid,
            Cause::NotFound => self.not_found,
            Cause::Unauthorized => self.unauthorized,
            Cause::Unavailable => self.unavailable,
            Cause::Refused => self.refused,
        }
    }
}

// === impl Cause ===

impl Serialize for Cause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Cause {
    /// All causes, in the order of the design's table.
    pub const ALL: [Self; 5] = [
        Self::Invalid,
        Self::NotFound,
        Self::Unauthorized,
        Self::Unavailable,
        Self::Refused,
    ];

    /// The name in `cotter.yaml`, metrics and `cotter.dev/unpinned`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::NotFound => "notFound",
            Self::Unauthorized => "unauthorized",
            Self::Unavailable => "unavailable",
            Self::Refused => "refused",
        }
    }
}

// === impl Mode ===

impl Mode {
    /// Reads the value of the label `cotter.dev/mode`; anything else is not opted in.
    #[must_use]
    pub fn from_label(value: &str) -> Option<Self> {
        match value {
            "enforce" => Some(Self::Enforce),
            "audit" => Some(Self::Audit),
            _ => None,
        }
    }

    /// The label's value.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Audit => "audit",
        }
    }
}

// === impl PolicySet ===

impl PolicySet {
    /// The policies of a file.
    ///
    /// # Errors
    /// [`NoSuchPolicy`] where `default` is not among them.
    pub fn new(
        default: &str,
        policies: impl IntoIterator<Item = (SmolStr, Policy)>,
    ) -> Result<Self, NoSuchPolicy> {
        let wrap = |(name, policy)| (name, Arc::new(policy));
        let named: BTreeMap<SmolStr, Arc<Policy>> = policies.into_iter().map(wrap).collect();
        let default = named
            .get(default)
            .cloned()
            .ok_or_else(|| NoSuchPolicy(default.into()))?;
        Ok(Self { default, named })
    }

    /// The policy that a namespace names, or the default; `Err` holds the default for a name that does not exist.
    ///
    /// # Errors
    /// The default policy, where `name` is unknown.
    pub fn choose(&self, name: Option<&str>) -> Result<&Arc<Policy>, &Arc<Policy>> {
        match name {
            None => Ok(&self.default),
            Some(name) => self.named.get(name).ok_or(&self.default),
        }
    }
}

impl Default for PolicySet {
    fn default() -> Self {
        let default = Arc::new(Policy::default());
        let strict = Arc::new(Policy::strict());
        let named = [
            ("standard".into(), default.clone()),
            ("strict".into(), strict),
        ];
        Self {
            default,
            named: named.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_gives_the_default_as_an_error() {
        let set = PolicySet::default();
        assert!(set.choose(Some("strict")).is_ok_and(|p| !p.allow_skip.0));
        assert!(set.choose(Some("nope")).is_err_and(|p| p.allow_skip.0));
    }

    #[test]
    fn the_default_must_exist() {
        let error = PolicySet::new("a", [("b".into(), Policy::default())]);
        assert_eq!(error.err(), Some(NoSuchPolicy("a".into())));
    }
}
