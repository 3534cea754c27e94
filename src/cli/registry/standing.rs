//! How a `Registry` stands, by its status.

use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    api::registry::{Condition, Registry},
    cli::output::{BAD, FAINT, GOOD, printable},
};

/// How a `Registry` stands. These names are a promise to programs.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct Standing {
    /// The name of the `Registry`.
    pub(super) name: String,
    /// `GHCR`, `DockerHub`, `ECR`, `ACR`, `GCR`, `GAR`, `Quay`, `Custom` or `Public`.
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// The host, as far as cotter knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) host: Option<String>,
    /// `True`, `False` or `Unknown`: whether the pull secrets are in place and work.
    pub(super) ready: String,
    /// `True`, `False` or `Unknown`: whether the registry takes the credential.
    pub(super) authenticated: String,
    /// When the credential ends, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expires_at: Option<Timestamp>,
    /// When the registry was asked last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_tested_at: Option<Timestamp>,
    /// The name of its pull secrets.
    pub(super) pull_secret: String,
    /// The namespaces that are to have a pull secret, and those that have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) namespaces: Option<Namespaces>,
    /// The Pods that name one of the pull secrets, counted every ten minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pods: Option<u32>,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) created_at: Option<Timestamp>,
    /// What cotter found, one side after another.
    pub(super) conditions: Vec<Side>,
}

/// How far the pull secrets are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct Namespaces {
    /// Namespaces that are to have a pull secret.
    pub(super) desired: u32,
    /// Namespaces whose pull secret is as it should be.
    pub(super) synced: u32,
}

/// One side of how it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct Side {
    /// `Valid`, `Authenticated`, `Synced` or `Ready`.
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// `True`, `False` or `Unknown`.
    pub(super) status: String,
    /// One word.
    pub(super) reason: String,
    /// What it is and what to do.
    pub(super) message: String,
    /// Since when.
    pub(super) since: Timestamp,
}

// === impl Standing ===

impl Standing {
    pub(super) fn of(registry: &Registry) -> Self {
        let status = registry.status.clone().unwrap_or_default();
        let sides: Vec<_> = status.conditions.iter().map(Side::of).collect();
        let is = |kind: &str| {
            let side = sides.iter().find(|side| side.kind == kind);
            side.map_or_else(|| "Unknown".to_owned(), |side| side.status.clone())
        };
        let created = registry.metadata.creation_timestamp.as_ref();
        Self {
            name: registry.metadata.name.clone().unwrap_or_default(),
            kind: registry.spec.kind.meant().to_string(),
            ready: is("Ready"),
            authenticated: is("Authenticated"),
            host: status.host,
            expires_at: status.expires_at,
            last_tested_at: status.last_tested_at,
            pull_secret: registry.pull_secret_name().to_owned(),
            namespaces: status.namespaces.map(|count| Namespaces {
                desired: count.desired,
                synced: count.synced,
            }),
            pods: status.pods,
            created_at: created.map(|created| created.0),
            conditions: sides,
        }
    }

    pub(super) fn is_ready(&self) -> bool {
        self.ready == "True"
    }

    /// The side that is not as it should be: the first that is `False`, or else is not known yet.
    pub(super) fn trouble(&self) -> Option<&Side> {
        let with = |status: &str| {
            let mut sides = self.conditions.iter();
            sides.find(|side| side.kind != "Ready" && side.status == status)
        };
        with("False").or_else(|| with("Unknown"))
    }

    /// That it is ready; or what is wrong with it and what to do, one thing on a line.
    pub(super) fn tell(&self, out: &mut impl Write) -> io::Result<()> {
        let name = &self.name;
        if self.is_ready() {
            let synced = self.side("Synced").map(|side| side.message.as_str());
            let said = synced.unwrap_or_default();
            return writeln!(out, "{GOOD}{name} is ready{GOOD:#}: {said}");
        }
        let Some(side) = self.trouble() else {
            return writeln!(
                out,
                "{name}: cotter has not looked at it yet; see that it runs, with registries.enabled"
            );
        };
        let style = if side.status == "False" { BAD } else { FAINT };
        writeln!(out, "{style}{name}{style:#}: {} {}", side.kind, side.reason)?;
        let lines = side.message.split("; ").flat_map(|part| part.split(". "));
        for line in lines.filter(|line| !line.is_empty()) {
            writeln!(out, "  {line}")?;
        }
        Ok(())
    }

    fn side(&self, kind: &str) -> Option<&Side> {
        self.conditions.iter().find(|side| side.kind == kind)
    }
}

impl Side {
    fn of(condition: &Condition) -> Self {
        Self {
            kind: condition.kind.clone(),
            status: condition.status.clone(),
            reason: condition.reason.clone(),
            message: printable(&condition.message),
            since: condition.last_transition_time,
        }
    }
}
