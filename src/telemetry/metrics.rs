//! The metrics of a replica, typed; labels are closed sets or bounded.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError, atomic::AtomicU64},
    time::Duration,
};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};

mod trust;

use self::trust::TrustMetrics;
use super::labels::Hit;
pub use super::labels::{Answer, Cache, Ended, SlotOutcome, Watch};

/// Hosts beyond this number are counted under `other`: who creates Pods chooses hosts, and each label value lives
/// as long as the process.
const MOST_HOSTS: usize = 100;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AnswerLabel {
    answer: Answer,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SlotLabel {
    outcome: SlotOutcome,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HostLabel {
    host: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabel {
    host: String,
    ended: Ended,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CacheLabel {
    cache: Cache,
    hit: Hit,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WatchLabel {
    watch: Watch,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReloadLabel {
    ok: Hit,
}

/// All metrics of the process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    admissions: Family<AnswerLabel, Counter>,
    admission_seconds: Histogram,
    in_flight: Gauge,
    slots: Family<SlotLabel, Counter>,
    registry_requests: Family<RequestLabel, Counter>,
    registry_seconds: Family<HostLabel, Histogram>,
    caches: Family<CacheLabel, Counter>,
    look_ups: Counter,
    siblings_gone: Counter,
    broken_secrets: Gauge,
    watch_errors: Family<WatchLabel, Counter>,
    watch_synced: Family<WatchLabel, Gauge<f64, AtomicU64>>,
    reloads: Family<ReloadLabel, Counter>,
    certificate_reloads: Family<ReloadLabel, Counter>,
    hosts: Mutex<HashSet<String>>,
    /// Of the webhook's registration.
    pub trust: TrustMetrics,
}

/// Counts an admission as in flight until it is dropped.
#[derive(Debug)]
pub struct InFlight(Gauge);

// === impl Metrics ===

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("cotter"),
            admissions: Family::default(),
            // 50 µs to 13 s: a warm answer takes tens of microseconds, the longest deadline is 30 s.
            admission_seconds: Histogram::new(exponential_buckets(0.000_05, 4.0, 10)),
            in_flight: Gauge::default(),
            slots: Family::default(),
            registry_requests: Family::default(),
            registry_seconds: Family::new_with_constructor(|| {
                Histogram::new(exponential_buckets(0.001, 2.5, 10))
            }),
            caches: Family::default(),
            look_ups: Counter::default(),
            siblings_gone: Counter::default(),
            broken_secrets: Gauge::default(),
            watch_errors: Family::default(),
            watch_synced: Family::default(),
            reloads: Family::default(),
            certificate_reloads: Family::default(),
            hosts: Mutex::default(),
            trust: TrustMetrics::default(),
        };
        metrics.register();
        metrics.trust.register(&mut metrics.registry);
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        self.register_admissions();
        let r = &mut self.registry;
        r.register(
            "registry_requests",
            "Requests to registries and token servers",
            self.registry_requests.clone(),
        );
        r.register(
            "registry_seconds",
            "Time of such a request",
            self.registry_seconds.clone(),
        );
        r.register(
            "cache_reads",
            "Look-ups in the registry client's caches",
            self.caches.clone(),
        );
        r.register(
            "broken_pull_secrets",
            "Pull secrets that the kubelet could not read",
            self.broken_secrets.clone(),
        );
        r.register(
            "watch_errors",
            "Failures of a watch; the last state stays in use",
            self.watch_errors.clone(),
        );
        r.register(
            "watch_synced_timestamp_seconds",
            "When a watch last heard from the API server",
            self.watch_synced.clone(),
        );
        r.register(
            "config_reloads",
            "Re-reads of cotter.yaml, by success",
            self.reloads.clone(),
        );
        r.register(
            "certificate_reloads",
            "New contents of the certificate files, by success",
            self.certificate_reloads.clone(),
        );
    }

    fn register_admissions(&mut self) {
        let r = &mut self.registry;
        r.register(
            "admissions",
            "Reviews, by what they were answered",
            self.admissions.clone(),
        );
        r.register(
            "admission_seconds",
            "Time from a review's arrival to its answer",
            self.admission_seconds.clone(),
        );
        r.register(
            "admissions_in_flight",
            "Reviews being answered now",
            self.in_flight.clone(),
        );
        r.register(
            "slots",
            "Image slots, by outcome and cause",
            self.slots.clone(),
        );
        r.register(
            "live_lookups",
            "Look-ups at the API server during an admission",
            self.look_ups.clone(),
        );
        r.register(
            "sibling_digests_gone",
            "Slots whose siblings run a digest that the registry no longer has",
            self.siblings_gone.clone(),
        );
    }

    /// The text exposition of all metrics, OpenMetrics 1.0.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    /// Counts one answered review.
    pub fn admission(&self, answer: Answer, elapsed: Duration) {
        self.admissions.get_or_create(&AnswerLabel { answer }).inc();
        self.admission_seconds.observe(elapsed.as_secs_f64());
    }

    /// Counts a review as in flight until the guard is dropped.
    #[must_use]
    pub fn in_flight(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    /// Counts the outcome of one slot.
    pub fn slot(&self, outcome: SlotOutcome) {
        self.slots.get_or_create(&SlotLabel { outcome }).inc();
    }

    /// Counts one request to a registry or to its token server, under the registry's host.
    pub fn registry_request(&self, host: &str, ended: Ended, elapsed: Duration) {
        let host = self.bounded(host);
        let label = HostLabel { host: host.clone() };
        self.registry_seconds
            .get_or_create(&label)
            .observe(elapsed.as_secs_f64());
        self.registry_requests
            .get_or_create(&RequestLabel { host, ended })
            .inc();
    }

    /// Counts a look-up in a cache.
    pub fn cache(&self, cache: Cache, hit: bool) {
        let hit = if hit { Hit::Yes } else { Hit::No };
        self.caches.get_or_create(&CacheLabel { cache, hit }).inc();
    }

    /// Counts a look-up at the API server during an admission.
    pub fn live_look_up(&self) {
        self.look_ups.inc();
    }

    /// Counts a slot whose siblings run a digest that the registry no longer has.
    pub fn sibling_gone(&self) {
        self.siblings_gone.inc();
    }

    /// Sets the number of pull secrets that the kubelet could not read.
    pub fn broken_pull_secrets(&self, number: usize) {
        self.broken_secrets
            .set(i64::try_from(number).unwrap_or(i64::MAX));
    }

    /// Counts a failure of a watch.
    pub fn watch_error(&self, watch: Watch) {
        self.watch_errors.get_or_create(&WatchLabel { watch }).inc();
    }

    /// Notes when (seconds since 1970) a watch last heard from the API server.
    pub fn watch_synced(&self, watch: Watch, unix_seconds: f64) {
        self.watch_synced
            .get_or_create(&WatchLabel { watch })
            .set(unix_seconds);
    }

    /// Counts a re-read of `cotter.yaml`.
    pub fn config_reload(&self, ok: bool) {
        let ok = if ok { Hit::Yes } else { Hit::No };
        self.reloads.get_or_create(&ReloadLabel { ok }).inc();
    }

    /// Counts a new content of the certificate files, used (`ok`) or refused.
    pub fn certificate_reload(&self, ok: bool) {
        let ok = if ok { Hit::Yes } else { Hit::No };
        let label = ReloadLabel { ok };
        self.certificate_reloads.get_or_create(&label).inc();
    }

    fn bounded(&self, host: &str) -> String {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.contains(host) || (hosts.len() < MOST_HOSTS && hosts.insert(host.to_owned())) {
            host.to_owned()
        } else {
            "other".to_owned()
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests;
