//! What replicas know of revisions, and which of them leads.

use prometheus_client::{metrics::gauge::Gauge, registry::Registry};

use super::Metrics;

/// The gauges of this replica.
#[derive(Debug, Default)]
pub(super) struct Replicas {
    leader: Gauge,
    siblings: Gauge,
    revision_pins: Gauge,
}

impl Replicas {
    pub(super) fn register(&self, r: &mut Registry) {
        r.register(
            "leader",
            "Whether this replica holds the Lease",
            self.leader.clone(),
        );
        r.register(
            "siblings",
            "Pinned Pods whose siblings get the same digests",
            self.siblings.clone(),
        );
        r.register(
            "revision_pins",
            "Revisions whose digests are recorded",
            self.revision_pins.clone(),
        );
    }
}

impl Metrics {
    /// Sets whether this replica holds the Lease.
    pub fn leader(&self, leads: bool) {
        self.replicas.leader.set(i64::from(leads));
    }

    /// Sets the number of Pods that the index of siblings knows.
    pub fn siblings(&self, pods: usize) {
        let pods = i64::try_from(pods).unwrap_or(i64::MAX);
        self.replicas.siblings.set(pods);
    }

    /// Sets the number of `RevisionPin`s.
    pub fn revision_pins(&self, pins: usize) {
        let pins = i64::try_from(pins).unwrap_or(i64::MAX);
        self.replicas.revision_pins.set(pins);
    }
}
