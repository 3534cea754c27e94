//! Which replica leads: the one that holds the Lease.
//!
//! No replica believes another's clock. A follower counts from when it saw the Lease change, by its own monotonic
//! clock, and waits for the whole life that the holder wrote; the holder stops earlier than that after the last
//! renewal that it began.

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::MicroTime,
};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout, timeout_at},
};

use super::trouble::Trouble;
use crate::telemetry::metrics::Metrics;

/// client-go's own figures: a Lease lives 15 s, its holder gives up after 10 s without a renewal, and renews every 2 s.
const LIFE: Duration = Duration::from_secs(15);
const PATIENCE: Duration = Duration::from_secs(10);
const RENEWAL: Duration = Duration::from_secs(2);

/// How often a follower looks: a Lease that was given back is taken within this time.
const LOOK: Duration = Duration::from_secs(1);

/// How long one round of requests may take, so that a holder has a second try.
const ROUND: Duration = Duration::from_secs(4);

/// How long giving back may take: less than what is left of a Pod's grace after its drain.
const GIVE_BACK: Duration = Duration::from_secs(2);

/// Where the Lease is kept. Errors are told to operators.
pub trait Leases: Send + Sync + 'static {
    /// The Lease; `None` if there is none.
    fn read(&self) -> BoxFuture<'_, Result<Option<Lease>, Trouble>>;

    /// Creates the Lease, or replaces the one of its `resourceVersion`. `false`: somebody else was faster.
    fn write(&self, lease: Lease) -> BoxFuture<'_, Result<bool, Trouble>>;
}

/// One replica that would lead.
pub struct Candidate<L> {
    leases: L,
    identity: String,
    leader: watch::Sender<bool>,
    metrics: Arc<Metrics>,
    /// The Lease that another holds, and when it was first seen like this.
    seen: Option<(Option<String>, Instant)>,
    /// Until when this replica leads, unless it renews.
    until: Option<Instant>,
    /// What the last round failed with.
    trouble: watch::Sender<Option<Trouble>>,
}

/// Leads as long as the sender lives, for a process that has no replicas.
#[must_use]
pub fn alone(metrics: &Metrics) -> (watch::Sender<bool>, watch::Receiver<bool>) {
    metrics.leader(true);
    watch::channel(true)
}

impl<L: Leases> Candidate<L> {
    /// A candidate of this name, which no other replica has, and what tells whether it leads.
    pub fn new(
        leases: L,
        identity: String,
        metrics: Arc<Metrics>,
    ) -> (Self, watch::Receiver<bool>) {
        let (leader, leads) = watch::channel(false);
        metrics.leader(false);
        let candidate = Self {
            leases,
            identity,
            leader,
            metrics,
            seen: None,
            until: None,
            trouble: watch::Sender::new(None),
        };
        (candidate, leads)
    }

    /// Why it is not known who leads, while that is so.
    #[must_use]
    pub fn trouble(&self) -> watch::Receiver<Option<Trouble>> {
        self.trouble.subscribe()
    }

    /// Takes the Lease when it is free, and holds it until `stop`; then gives it back and returns.
    pub async fn run(mut self, stop: impl Future<Output = ()> + Send) {
        let campaign = async {
            loop {
                let next = self.campaign().await;
                sleep_until(next).await;
            }
        };
        tokio::select! {
            () = stop => {}
            () = campaign => {}
        }
        self.until = None;
        self.tell();
        let given_back = timeout(GIVE_BACK, self.give_back()).await;
        match given_back {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!("the Lease is not given back: {error}"),
            Err(_) => tracing::warn!("the Lease is not given back: no answer in time"),
        }
    }

    /// One round; when the next one is due.
    async fn campaign(&mut self) -> Instant {
        let begun = Instant::now();
        let limit = self
            .until
            .map_or(begun + ROUND, |until| until.min(begun + ROUND));
        let round = timeout_at(limit, self.round()).await;
        let round =
            round.unwrap_or_else(|_| Err("the API server does not answer".to_owned().into()));
        match round {
            Ok(true) => self.until = Some(begun + PATIENCE),
            Ok(false) => self.until = None,
            Err(_) => self.until = self.until.filter(|until| *until > Instant::now()),
        }
        self.tell();
        self.log(round.err());
        match self.until {
            Some(until) => until.min(Instant::now() + RENEWAL),
            None => Instant::now() + LOOK,
        }
    }

    /// Renews the Lease, or takes it if it is free. Whether this replica holds it now.
    async fn round(&mut self) -> Result<bool, Trouble> {
        let Some(lease) = self.leases.read().await? else {
            self.seen = None;
            return self.leases.write(self.renewed(Lease::default())).await;
        };
        let holder = holder(&lease);
        if holder.is_empty() || holder == self.identity || self.is_over(&lease) {
            self.seen = None;
            return self.leases.write(self.renewed(lease)).await;
        }
        Ok(false)
    }

    /// Whether the holder has left the Lease as it is for the whole of its life.
    fn is_over(&mut self, lease: &Lease) -> bool {
        let (now, version) = (Instant::now(), &lease.metadata.resource_version);
        match &self.seen {
            Some((seen, since)) if seen == version => now.duration_since(*since) >= life(lease),
            _ => {
                self.seen = Some((version.clone(), now));
                false
            }
        }
    }

    fn renewed(&self, mut lease: Lease) -> Lease {
        let now = MicroTime(Timestamp::now());
        let is_new = holder(&lease) != self.identity;
        let mut spec = lease.spec.take().unwrap_or_default();
        if is_new {
            let transitions = spec.lease_transitions.unwrap_or(0);
            spec.lease_transitions = Some(transitions.saturating_add(1));
            spec.acquire_time = Some(now.clone());
        }
        lease.spec = Some(LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(LIFE.as_secs()).ok(),
            renew_time: Some(now),
            ..spec
        });
        lease
    }

    /// Empties the Lease if this replica holds it, also where it never learned that it does.
    async fn give_back(&self) -> Result<(), Trouble> {
        // A renewal that was on its way may come in between.
        for _ in 0..2 {
            let Some(mut lease) = self.leases.read().await? else {
                return Ok(());
            };
            if holder(&lease) != self.identity {
                return Ok(());
            }
            if let Some(spec) = &mut lease.spec {
                spec.holder_identity = Some(String::new());
                spec.lease_duration_seconds = Some(1);
                spec.renew_time = Some(MicroTime(Timestamp::now()));
            }
            if self.leases.write(lease).await? {
                tracing::info!("gave the Lease back");
                return Ok(());
            }
        }
        Err("somebody else writes it".to_owned().into())
    }

    fn tell(&self) {
        let leads = self.until.is_some();
        let is_news = self
            .leader
            .send_if_modified(|now| std::mem::replace(now, leads) != leads);
        if is_news {
            self.metrics.leader(leads);
            tracing::info!(identity = self.identity, leads, "leadership");
        }
    }

    fn log(&mut self, trouble: Option<Trouble>) {
        if trouble == *self.trouble.borrow() {
            return;
        }
        if let Some(error) = &trouble {
            tracing::warn!("which replica leads is not known, admissions go on: {error}");
        } else {
            tracing::info!("the Lease can be reached again");
        }
        self.trouble.send_replace(trouble);
    }
}

fn holder(lease: &Lease) -> &str {
    let spec = lease.spec.as_ref();
    spec.and_then(|spec| spec.holder_identity.as_deref())
        .unwrap_or_default()
}

/// How long the holder wanted to be waited for.
fn life(lease: &Lease) -> Duration {
    let spec = lease.spec.as_ref();
    let seconds = spec.and_then(|spec| spec.lease_duration_seconds);
    let seconds = seconds.and_then(|seconds| u64::try_from(seconds).ok());
    seconds.map_or(LIFE, Duration::from_secs)
}

#[cfg(test)]
#[path = "lease/tests.rs"]
mod tests;
