//! Logins that clouds make for cotter's own identity.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

/// A host with `credentials: node`; only operators list them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HostLabel {
    host: String,
}

/// How cotter's own logins stand.
#[derive(Debug, Default)]
pub struct OwnLogins {
    held: Family<HostLabel, Gauge>,
    failures: Family<HostLabel, Counter>,
}

// === impl OwnLogins ===

impl OwnLogins {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "own_login",
            "Whether cotter has a login of its own for a host with `credentials: node`",
            self.held.clone(),
        );
        registry.register(
            "own_login_failures",
            "Logins of its own that cotter asked a cloud for and did not get",
            self.failures.clone(),
        );
    }

    /// Notes whether there is a login for `host`.
    pub fn stands(&self, host: &str, is_held: bool) {
        self.held
            .get_or_create(&HostLabel::of(host))
            .set(i64::from(is_held));
    }

    /// Counts a failure.
    pub fn failed(&self, host: &str) {
        self.failures.get_or_create(&HostLabel::of(host)).inc();
    }

    /// Forgets a host that is listed no more.
    pub fn forget(&self, host: &str) {
        self.held.remove(&HostLabel::of(host));
        self.failures.remove(&HostLabel::of(host));
    }
}

// === impl HostLabel ===

impl HostLabel {
    fn of(host: &str) -> Self {
        let host = host.to_owned();
        Self { host }
    }
}
