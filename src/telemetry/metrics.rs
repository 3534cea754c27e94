//! The metrics of a replica, typed; labels are closed sets or bounded.

mod bounded;
mod each;
mod namespaces;
mod objects;
mod own_logins;
mod registries;
mod replicas;
mod rights;
mod trust;

use std::{
    sync::atomic::AtomicU64,
    time::{Duration, SystemTime, UNIX_EPOCH},
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

use self::{
    each::Each, namespaces::Namespaces, objects::ObjectMetrics, own_logins::OwnLogins,
    registries::Registries, replicas::Replicas, rights::Rights, trust::TrustMetrics,
};
use super::labels::Hit;
pub use super::labels::{Answer, Cache, Ended, Mode, PodAnswer, SlotOutcome, Watch};
pub use namespaces::NamespacePods;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AnswerLabel {
    answer: Answer,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SlotLabel {
    outcome: SlotOutcome,
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
struct OkLabel {
    ok: Hit,
}

/// All metrics of the process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    admissions: Each<Answer>,
    admission_seconds: Histogram,
    in_flight: Gauge,
    slots: Each<SlotOutcome>,
    namespaces: Namespaces,
    registries: Registries,
    cache_hits: Each<Cache>,
    cache_misses: Each<Cache>,
    look_ups: Counter,
    siblings_gone: Counter,
    findings_dropped: Counter,
    broken_secrets: Gauge,
    watch_errors: Family<WatchLabel, Counter>,
    watch_synced: Family<WatchLabel, Gauge<f64, AtomicU64>>,
    rights: Rights,
    reloads: Each<Hit>,
    last_reload_ok: Gauge,
    last_reload_at: Gauge<f64, AtomicU64>,
    events: Each<Hit>,
    certificate_reloads: Each<Hit>,
    replicas: Replicas,
    /// Of the webhook's registration.
    pub trust: TrustMetrics,
    /// Of `Registry` objects.
    pub objects: ObjectMetrics,
    /// Of cotter's own identity.
    pub own_logins: OwnLogins,
}

/// Counts an admission as in flight until it is dropped.
#[derive(Debug)]
pub struct InFlight(Gauge);

// === impl Metrics ===

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("cotter");
        let r = &mut registry;
        let caches = family(r, "cache_reads", "Look-ups in the registry client's caches");
        let cache = |hit| Each::of(&caches, |cache| CacheLabel { cache, hit });
        let mut metrics = Self {
            admissions: Each::of(
                &family(r, "admissions", "Reviews, by what they were answered"),
                |answer| AnswerLabel { answer },
            ),
            // 50 µs to 13 s: a warm answer takes tens of microseconds, the longest deadline is 30 s.
            admission_seconds: Histogram::new(exponential_buckets(0.000_05, 4.0, 10)),
            in_flight: Gauge::default(),
            slots: Each::of(
                &family(r, "slots", "Image slots, by outcome and cause"),
                |outcome| SlotLabel { outcome },
            ),
            namespaces: Namespaces::register(r),
            registries: Registries::register(r),
            cache_hits: cache(Hit::Yes),
            cache_misses: cache(Hit::No),
            look_ups: Counter::default(),
            siblings_gone: Counter::default(),
            findings_dropped: Counter::default(),
            broken_secrets: Gauge::default(),
            watch_errors: Family::default(),
            watch_synced: Family::default(),
            rights: Rights::default(),
            reloads: ok(r, "config_reloads", "Re-reads of cotter.yaml, by success"),
            last_reload_ok: Gauge::default(),
            last_reload_at: Gauge::default(),
            events: ok(
                r,
                "events",
                "Kubernetes Events, by whether they were written",
            ),
            certificate_reloads: ok(
                r,
                "certificate_reloads",
                "New contents of the certificate files, by success",
            ),
            replicas: Replicas::default(),
            trust: TrustMetrics::default(),
            objects: ObjectMetrics::default(),
            own_logins: OwnLogins::default(),
            registry,
        };
        metrics.register();
        metrics.trust.register(&mut metrics.registry);
        metrics.objects.register(&mut metrics.registry);
        metrics.own_logins.register(&mut metrics.registry);
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        self.register_admissions();
        let r = &mut self.registry;
        self.replicas.register(r);
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
            "When a watch that has listed was last heard: a list, an event or a bookmark, which come about once a minute",
            self.watch_synced.clone(),
        );
        self.rights.register(r);
        r.register(
            "config_last_reload_successful",
            "Whether the cotter.yaml that was read last is in use",
            self.last_reload_ok.clone(),
        );
        r.register(
            "config_last_success_timestamp_seconds",
            "When the cotter.yaml in use was read",
            self.last_reload_at.clone(),
        );
    }

    fn register_admissions(&mut self) {
        let r = &mut self.registry;
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
            "live_lookups",
            "Look-ups at the API server during an admission",
            self.look_ups.clone(),
        );
        r.register(
            "sibling_digests_gone",
            "Slots whose siblings run a digest that the registry no longer has",
            self.siblings_gone.clone(),
        );
        r.register(
            "findings_dropped",
            "Findings about controllers' Pods that became no Event, as too many waited",
            self.findings_dropped.clone(),
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
        self.admissions.inc(answer);
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
        self.slots.inc(outcome);
    }

    /// Counts the Pods of an opted-in namespace; one look-up, whatever is counted then.
    #[must_use]
    pub fn pods_of(&self, namespace: &str, mode: Mode) -> NamespacePods<'_> {
        self.namespaces.pods(namespace, mode)
    }

    /// A namespace is gone, or no longer opted in: its series go too, and another may have its place.
    pub fn forget_namespace(&self, namespace: &str) {
        self.namespaces.forget(namespace);
    }

    /// Counts one request to a registry or to its token server, under the registry's host.
    pub fn registry_request(&self, host: &str, ended: Ended, elapsed: Duration) {
        self.registries.request(host, ended, elapsed);
    }

    /// Counts a look-up in a cache.
    pub fn cache(&self, cache: Cache, hit: bool) {
        let reads = if hit {
            &self.cache_hits
        } else {
            &self.cache_misses
        };
        reads.inc(cache);
    }

    /// Counts a look-up at the API server during an admission.
    pub fn live_look_up(&self) {
        self.look_ups.inc();
    }

    /// Counts a slot whose siblings run a digest that the registry no longer has.
    pub fn sibling_gone(&self) {
        self.siblings_gone.inc();
    }

    /// Counts a finding that will be told to nobody.
    pub fn finding_dropped(&self) {
        self.findings_dropped.inc();
    }

    /// The pull secrets that the kubelet could not read are `now`, of those that were `before`.
    pub fn broken_pull_secrets(&self, before: usize, now: usize) {
        let number = |n| i64::try_from(n).unwrap_or(i64::MAX);
        self.broken_secrets.inc_by(number(now) - number(before));
    }

    /// Counts a failure of a watch.
    pub fn watch_error(&self, watch: Watch) {
        self.watch_errors.get_or_create(&WatchLabel { watch }).inc();
    }

    /// Notes when (seconds since 1970) a watch was last heard: a list, an event or a bookmark.
    pub fn watch_heard(&self, watch: Watch, unix_seconds: f64) {
        self.watch_synced
            .get_or_create(&WatchLabel { watch })
            .set(unix_seconds);
    }

    /// Counts a re-read of `cotter.yaml`, in use (`ok`) or refused.
    pub fn config_reload(&self, ok: bool) {
        if ok {
            self.config_in_use();
        } else {
            self.last_reload_ok.set(0);
        }
        self.reloads.inc(Hit::from(ok));
    }

    /// Notes that a configuration has just come in use.
    pub fn config_in_use(&self) {
        self.last_reload_ok.set(1);
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        self.last_reload_at
            .set(now.unwrap_or_default().as_secs_f64());
    }

    /// Counts an Event, written (`ok`) or lost.
    pub fn event(&self, ok: bool) {
        self.events.inc(Hit::from(ok));
    }

    /// Counts a new content of the certificate files, used (`ok`) or refused.
    pub fn certificate_reload(&self, ok: bool) {
        self.certificate_reloads.inc(Hit::from(ok));
    }
}

/// What succeeds or fails.
fn ok(registry: &mut Registry, name: &str, help: &str) -> Each<Hit> {
    Each::of(&family(registry, name, help), |ok| OkLabel { ok })
}

/// A family that is registered.
fn family<S, M>(registry: &mut Registry, name: &str, help: &str) -> Family<S, M>
where
    S: Clone + std::hash::Hash + Eq,
    Family<S, M>: prometheus_client::registry::Metric + Default,
{
    let family = Family::default();
    registry.register(name, help, family.clone());
    family
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests;
