//! Requests to registries, by host.

use std::time::Duration;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{
        counter::Counter,
        family::Family,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};

use super::{bounded::Bounded, each::Each};
use crate::telemetry::labels::Ended;

/// Hosts beyond this number are counted under `other`: who creates Pods chooses hosts, and each label value lives
/// as long as the process.
pub(super) const MOST: usize = 100;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HostLabel {
    host: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabel {
    host: String,
    ended: Ended,
}

/// The metrics of all registries.
#[derive(Debug)]
pub(super) struct Registries {
    requests: Family<RequestLabel, Counter>,
    seconds: Family<HostLabel, Histogram>,
    hosts: Bounded<Host>,
}

#[derive(Debug)]
struct Host {
    requests: Each<Ended>,
    seconds: Histogram,
}

impl Registries {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let requests = Family::default();
        let seconds = Family::new_with_constructor(
            (|| {
                // 1 ms to 4 s: the default `resolve.timeout` is 5 s.
                Histogram::new(exponential_buckets(0.001, 2.5, 10))
            }) as fn() -> Histogram,
        );
        registry.register(
            "registry_requests",
            "Requests to registries and token servers",
            Family::clone(&requests),
        );
        registry.register(
            "registry_seconds",
            "Time of such a request",
            Family::clone(&seconds),
        );
        Self {
            requests,
            seconds,
            hosts: Bounded::new(MOST),
        }
    }

    pub(super) fn request(&self, host: &str, ended: Ended, elapsed: Duration) {
        let host = self.hosts.get(host, |host| self.host(host));
        host.requests.inc(ended);
        host.seconds.observe(elapsed.as_secs_f64());
    }

    fn host(&self, host: &str) -> Host {
        let request = |ended| {
            let host = host.to_owned();
            self.requests
                .get_or_create_owned(&RequestLabel { host, ended })
        };
        let host = host.to_owned();
        Host {
            requests: Each::new(request),
            seconds: self.seconds.get_or_create_owned(&HostLabel { host }),
        }
    }
}
