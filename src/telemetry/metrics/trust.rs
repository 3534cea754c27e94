//! The metrics of the webhook's registration.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct What {
    what: &'static str,
}

/// Certificates of cotter's own, and whether the API server trusts them.
#[derive(Debug, Default)]
pub struct TrustMetrics {
    not_after: Family<Kind, Gauge>,
    repairs: Family<What, Counter>,
    trusted: Gauge,
}

// === impl TrustMetrics ===

impl TrustMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "certificate_not_after_timestamp_seconds",
            "When the authority and the certificate that is served end",
            self.not_after.clone(),
        );
        registry.register(
            "trust_repairs",
            "What of the webhook's registration was put right again",
            self.repairs.clone(),
        );
        registry.register(
            "trusted",
            "Whether every webhook trusts the certificate that is served and calls its path",
            self.trusted.clone(),
        );
    }

    /// Notes when (seconds since 1970) the certificate of this kind, `ca` or `leaf`, ends.
    pub fn not_after(&self, kind: &'static str, unix_seconds: i64) {
        self.not_after
            .get_or_create(&Kind { kind })
            .set(unix_seconds);
    }

    /// Counts what was put right again: `bundle`, `path` or `secret`.
    pub fn repaired(&self, what: &'static str) {
        self.repairs.get_or_create(&What { what }).inc();
    }

    /// Notes whether the API server could call now.
    pub fn trusted(&self, trusted: bool) {
        self.trusted.set(i64::from(trusted));
    }
}
