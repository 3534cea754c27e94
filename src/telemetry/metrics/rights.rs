//! What cotter should see and does not: missing rights, and namespaces that it was not told to watch.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use super::Metrics;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RightLabel {
    verb: &'static str,
    resource: &'static str,
    namespace: String,
}

/// What is not seen.
#[derive(Debug, Default)]
pub(super) struct Rights {
    missing: Family<RightLabel, Gauge>,
    unwatched: Counter,
}

impl Rights {
    pub(super) fn register(&self, r: &mut Registry) {
        r.register(
            "missing_permissions",
            "Rights that the API server does not grant; 1 while a request fails for it",
            self.missing.clone(),
        );
        r.register(
            "unwatched_reviews",
            "Reviews of namespaces that are not among those watched; their objects pass unread",
            self.unwatched.clone(),
        );
    }
}

impl Metrics {
    /// Notes that a right is missing, or no longer. `namespace` is empty for the whole cluster; labels are only what
    /// the operator lists.
    pub fn missing_permission(
        &self,
        verb: &'static str,
        resource: &'static str,
        namespace: &str,
        missing: bool,
    ) {
        let label = RightLabel {
            verb,
            resource,
            namespace: namespace.to_owned(),
        };
        if missing {
            self.rights.missing.get_or_create(&label).set(1);
        } else {
            self.rights.missing.remove(&label);
        }
    }

    /// Counts a review of a namespace that is not watched.
    pub fn unwatched_review(&self) {
        self.rights.unwatched.inc();
    }
}
