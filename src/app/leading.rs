//! Which replica leads, and what it does for all.

use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    sync::Arc,
};

use smol_str::SmolStr;
use tokio::{
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use crate::{
    api::{registry::Registry, revision_pin::Learned},
    cluster::{
        SiblingIndex, WatchScope,
        events::{About, Events, What},
    },
    config::config::Registration,
    controller::{
        lease::{Candidate, alone},
        lease_object::LeaseObject,
        registry::{Registries, Tell},
        revision_pin::{Recorder, Revisions},
        trouble::Trouble,
    },
    http::drain::{Phase, Phases},
    registry::client::Client,
    telemetry::{metrics::Metrics, readiness::Readiness},
};

use super::source::Joined;

/// The election as it goes on. Dropped, it ends, and the Lease is not given back.
pub(super) struct Leading {
    /// Whether this replica leads.
    pub(super) leader: watch::Receiver<bool>,
    campaign: Campaign,
    /// What the election fails with.
    trouble: watch::Receiver<Option<Trouble>>,
}

enum Campaign {
    Alone(watch::Sender<bool>),
    Among(JoinHandle<()>),
}

/// Starts the election among the replicas of one namespace; the Lease is given back when the servers leave. A
/// process that is in no namespace has no replicas, and leads.
pub(super) fn start(
    joined: &Joined,
    registration: Option<&Registration>,
    mut phases: Phases,
    metrics: &Arc<Metrics>,
) -> Leading {
    let own = &joined.own;
    let Some(namespace) = &own.namespace else {
        let (sender, leader) = alone(metrics);
        return Leading {
            leader,
            campaign: Campaign::Alone(sender),
            trouble: watch::channel(None).1,
        };
    };
    let owner = registration.map(|registration| registration.configuration.clone());
    let lease = LeaseObject::new(joined.client.clone(), namespace, &own.lease, owner);
    let identity = own.pod.clone().unwrap_or_else(unique);
    let (candidate, leader) = Candidate::new(lease, identity, metrics.clone());
    let trouble = candidate.trouble();
    let stop = async move { phases.reached(Phase::Leaving).await };
    Leading {
        leader,
        campaign: Campaign::Among(tokio::spawn(candidate.run(stop))),
        trouble,
    }
}

impl Leading {
    /// Records in `tasks` what pinned Pods tell, while this replica leads; what fails of this and of the election is
    /// told, and nobody waits for it.
    pub(super) fn record(&self, joined: &Joined, readiness: &Readiness, tasks: &mut JoinSet<()>) {
        let known = Known(joined.siblings.clone());
        let recorder = Recorder::new(joined.client.clone(), known, self.leader.clone());
        let (missing, check) = (joined.missing.clone(), readiness.check("lease"));
        tasks.spawn(missing.of_trouble(self.trouble.clone(), check, true));
        let (missing, check) = (joined.missing.clone(), readiness.check("revision records"));
        let is_listed = joined.scope != WatchScope::All;
        tasks.spawn(missing.of_trouble(recorder.trouble(), check, is_listed));
        let (missing, check) = (joined.missing.clone(), readiness.check("events"));
        tasks.spawn(missing.of_events(check, is_listed));
        tasks.spawn(recorder.run());
    }

    /// Keeps in `tasks` the pull secrets of `Registry` objects, while this replica leads.
    pub(super) fn look_after(
        &self,
        joined: &Joined,
        client: &Client,
        readiness: &Readiness,
        tasks: &mut JoinSet<()>,
    ) {
        if let Some(namespace) = joined
            .own
            .namespace
            .as_deref()
            .filter(|_| joined.own.registries)
        {
            let leader = self.leader.clone();
            let (cluster, told) = (joined.client.clone(), Arc::new(Told(joined.events.clone())));
            let metrics = Arc::clone(&joined.missing.metrics);
            let asked = client.clone();
            let parts = joined.scope.parts();
            let registries =
                Registries::new(cluster, namespace, parts, asked, leader, told, metrics);
            let (missing, check) = (joined.missing.clone(), readiness.check("registry objects"));
            let is_listed = joined.scope != WatchScope::All;
            tasks.spawn(missing.of_troubles(registries.troubles(), check, is_listed));
            tasks.spawn(registries.run());
        }
    }

    /// Waits until the Lease is given back.
    pub(super) async fn ended(self) {
        match self.campaign {
            Campaign::Alone(sender) => drop(sender),
            Campaign::Among(campaign) => drop(campaign.await),
        }
    }
}

/// Events about `Registry` objects.
struct Told(Events);

impl Tell for Told {
    fn tell(&self, registry: &Registry, is_warning: bool, reason: &'static str, note: &str) {
        let text = |text: &Option<String>| text.as_deref().unwrap_or_default().into();
        let about = About {
            api_version: "cotter.dev/v1alpha1".into(),
            kind: "Registry".into(),
            namespace: SmolStr::default(),
            name: text(&registry.metadata.name),
            uid: text(&registry.metadata.uid),
        };
        let what = What {
            warning: is_warning,
            reason,
            action: "Reconcile",
        };
        self.0.send(&about, what, note);
    }
}

/// What pinned Pods tell, to be recorded.
struct Known(Arc<SiblingIndex>);

impl Revisions for Known {
    fn take_unrecorded(&self, most: usize) -> Vec<Learned> {
        self.0.take_unrecorded(most)
    }

    fn look_again(&self) {
        self.0.look_again();
    }

    fn news(&self) -> watch::Receiver<()> {
        self.0.news()
    }
}

/// A name that no other process has: two of one host are two candidates.
fn unique() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    // The keys of a RandomState are random.
    let number = RandomState::new().build_hasher().finish();
    format!("{}_{number:016x}", host.trim())
}
