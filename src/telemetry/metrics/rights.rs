//! The rights that cotter should have and does not.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};

use super::Metrics;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RightLabel {
    verb: &'static str,
    resource: &'static str,
    namespace: String,
}

/// The missing ones.
#[derive(Debug, Default)]
pub(super) struct Rights(Family<RightLabel, Gauge>);

impl Rights {
    pub(super) fn register(&self, r: &mut Registry) {
        r.register(
            "missing_permissions",
            "Rights that the API server does not grant; 1 while a watch fails for it",
            self.0.clone(),
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
            self.rights.0.get_or_create(&label).set(1);
        } else {
            self.rights.0.remove(&label);
        }
    }
}
