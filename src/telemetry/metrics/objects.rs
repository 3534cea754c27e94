//! `Registry` objects and their credentials.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};

/// The name of a `Registry`. Only administrators make them, so there are few.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Name {
    registry: String,
}

/// How `Registry` objects stand; only the replica that leads knows.
#[derive(Debug, Default)]
pub struct ObjectMetrics {
    ready: Family<Name, Gauge>,
    expires: Family<Name, Gauge>,
}

// === impl ObjectMetrics ===

impl ObjectMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "registry_ready",
            "Whether a Registry's credential works and its pull secrets are in place",
            self.ready.clone(),
        );
        registry.register(
            "registry_credential_expires_timestamp_seconds",
            "When a Registry's credential ends, where that is known",
            self.expires.clone(),
        );
    }

    /// Notes how a `Registry` stands. `expires`: seconds since 1970.
    pub fn stands(&self, name: &str, ready: bool, expires: Option<i64>) {
        let name = Name {
            registry: name.to_owned(),
        };
        self.ready.get_or_create(&name).set(i64::from(ready));
        match expires {
            Some(at) => drop(self.expires.get_or_create(&name).set(at)),
            None => drop(self.expires.remove(&name)),
        }
    }

    /// Forgets a `Registry` that is gone.
    pub fn forget(&self, name: &str) {
        let name = Name {
            registry: name.to_owned(),
        };
        self.ready.remove(&name);
        self.expires.remove(&name);
    }

    /// Forgets all: another replica leads.
    pub fn forget_all(&self) {
        self.ready.clear();
        self.expires.clear();
    }
}
