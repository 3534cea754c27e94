//! How a `Registry` stands, as its status tells it.

use jiff::Timestamp;

use crate::api::registry::{Condition, NamespaceCount, Registry, RegistryStatus};

/// The spec and the text of the credential.
pub(super) const VALID: &str = "Valid";
/// What the registry said to the credential.
pub(super) const AUTHENTICATED: &str = "Authenticated";
/// The pull secrets.
pub(super) const SYNCED: &str = "Synced";
/// All of it.
pub(super) const READY: &str = "Ready";

/// One side of how it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Side {
    /// `None`: not known yet.
    pub(super) holds: Option<bool>,
    /// One word for programs.
    pub(super) reason: &'static str,
    /// For people.
    pub(super) message: String,
}

/// What one look at a `Registry` came to.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub(super) host: Option<String>,
    pub(super) valid: Side,
    pub(super) authenticated: Side,
    pub(super) synced: Side,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) last_tested_at: Option<Timestamp>,
    pub(super) desired: usize,
    pub(super) in_sync: usize,
    pub(super) pods: Option<u32>,
}

// === impl Side ===

impl Side {
    pub(super) fn good(reason: &'static str, message: impl Into<String>) -> Self {
        Self::of(Some(true), reason, message)
    }

    pub(super) fn bad(reason: &'static str, message: impl Into<String>) -> Self {
        Self::of(Some(false), reason, message)
    }

    pub(super) fn unknown(reason: &'static str, message: impl Into<String>) -> Self {
        Self::of(None, reason, message)
    }

    fn of(holds: Option<bool>, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            holds,
            reason,
            message: message.into(),
        }
    }

    fn status(&self) -> &'static str {
        match self.holds {
            Some(true) => "True",
            Some(false) => "False",
            None => "Unknown",
        }
    }

    fn condition(&self, kind: &str, registry: &Registry, now: Timestamp) -> Condition {
        let status = self.status();
        let before = registry.status.iter().flat_map(|status| &status.conditions);
        let mut same = before.filter(|before| before.kind == kind && before.status == status);
        Condition {
            kind: kind.to_owned(),
            status: status.to_owned(),
            reason: self.reason.to_owned(),
            message: self.message.clone(),
            last_transition_time: same.next().map_or(now, |same| same.last_transition_time),
            observed_generation: registry.metadata.generation,
        }
    }
}

// === impl Outcome ===

impl Outcome {
    /// Nothing is known yet but how many namespaces are to have a pull secret.
    pub(super) fn unknown(desired: usize) -> Self {
        Self {
            host: None,
            valid: Side::unknown("NotChecked", ""),
            authenticated: Side::unknown("NotTested", "there is nothing to test with yet"),
            synced: Side::unknown("Waiting", "waits for a credential that works"),
            expires_at: None,
            last_tested_at: None,
            desired,
            in_sync: 0,
            pods: None,
        }
    }

    pub(super) fn is_ready(&self) -> bool {
        self.ready().holds == Some(true)
    }

    /// The first side that does not hold decides; one that is not known yet comes after.
    fn ready(&self) -> Side {
        let with = |holds| {
            self.sides()
                .into_iter()
                .find(move |(_, side)| side.holds == holds)
        };
        match with(Some(false)).or_else(|| with(None)) {
            Some((_, side)) => side.clone(),
            None => Side::good("Ready", "the pull secrets are in place and work"),
        }
    }

    fn sides(&self) -> [(&'static str, &Side); 3] {
        [
            (VALID, &self.valid),
            (AUTHENTICATED, &self.authenticated),
            (SYNCED, &self.synced),
        ]
    }

    /// The sides that are worth an Event: those that have turned, stand for another reason, or fail otherwise. What a pass
    /// over the namespaces says is different each time while it goes on.
    pub(super) fn turns(&self, registry: &Registry) -> Vec<(&'static str, &Side)> {
        let status = registry.status.as_ref();
        let before = status.map_or(&[][..], |status| &status.conditions);
        let is_new = |kind: &str, side: &Side| {
            let mut same = before.iter().filter(|before| before.kind == kind);
            same.next().is_none_or(|before| {
                let fails_otherwise = side.holds == Some(false) && before.message != side.message;
                before.status != side.status()
                    || before.reason != side.reason
                    || kind != SYNCED && fails_otherwise
            })
        };
        let known = self
            .sides()
            .into_iter()
            .filter(|(_, side)| side.holds.is_some());
        known.filter(|(kind, side)| is_new(kind, side)).collect()
    }

    /// The status. Times of transition stay where nothing turned.
    pub(super) fn status(&self, registry: &Registry, now: Timestamp) -> RegistryStatus {
        let ready = self.ready();
        let sides = self.sides().into_iter().chain([(READY, &ready)]);
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let (desired, synced) = (count(self.desired), count(self.in_sync));
        let last_tested_at = registry
            .status
            .as_ref()
            .and_then(|status| status.last_tested_at);
        RegistryStatus {
            observed_generation: registry.metadata.generation,
            host: self.host.clone(),
            conditions: sides
                .map(|(kind, side)| side.condition(kind, registry, now))
                .collect(),
            expires_at: self.expires_at,
            last_tested_at: self.last_tested_at.or(last_tested_at),
            namespaces: Some(NamespaceCount {
                desired,
                synced,
                summary: format!("{synced}/{desired}"),
            }),
            pods: self.pods,
        }
    }
}
