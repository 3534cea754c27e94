//! The cluster as an admission sees it, and the tasks that keep it so.

use std::{sync::Arc, time::Instant};

use futures_util::{FutureExt as _, future::BoxFuture};
use kube::{Api, Client, runtime::watcher};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

use super::{
    lookup::Lookup,
    namespaces::Namespaces,
    pull_secrets::{PullSecrets, selector},
    service_accounts::ServiceAccounts,
    state::State,
    watch::{Reporter, run},
};
use crate::{
    admission::ports::{Cluster, Namespace, ServiceAccount},
    domain::{docker_config::SecretType, pull_secret::NamespaceSecrets},
    telemetry::metrics::{Metrics, Watch},
};

pub use super::watch::WatchStatus;

/// Objects in one page of a list, client-go's own: a page is held in memory as a whole.
pub(super) const PAGE: u32 = 500;

const NAMESPACES: usize = 0;

/// What is watched, for a person and by resource; the order of [`ClusterWatches::status`].
const WATCHES: [(&str, &str, Watch); 4] = [
    ("namespaces", "namespaces", Watch::Namespaces),
    (
        "pull secrets (dockerconfigjson)",
        "secrets",
        Watch::PullSecrets,
    ),
    ("pull secrets (dockercfg)", "secrets", Watch::PullSecrets),
    (
        "service accounts",
        "serviceaccounts",
        Watch::ServiceAccounts,
    ),
];

/// The state of a cluster, as its watches have it. Reading it never waits for the API server.
pub struct LiveCluster {
    state: Arc<State>,
    lookup: Arc<Lookup>,
}

/// The running watches. Dropped, they end, and what they saw last stays readable.
#[derive(Debug)]
pub struct ClusterWatches {
    status: watch::Receiver<Vec<WatchStatus>>,
    _tasks: JoinSet<()>,
}

/// Starts to watch the cluster of `client`. Needs a tokio runtime, returns at once, and never ends by itself:
/// failures are told by [`ClusterWatches::status`], the metrics and the log.
///
/// Permissions: `get`, `list` and `watch` on namespaces, `list` and `watch` on secrets and on serviceaccounts.
#[must_use]
pub fn spawn(client: Client, metrics: &Arc<Metrics>) -> (Arc<LiveCluster>, ClusterWatches) {
    let (to_list, listed) = mpsc::unbounded_channel();
    let state = Arc::new(State::new(metrics.clone(), to_list));
    let lookup = Arc::new(Lookup::new(client.clone(), state.clone(), metrics.clone()));
    let unseen = WATCHES.map(|(name, ..)| WatchStatus {
        name,
        synced: false,
        error: None,
    });
    let (sender, status) = watch::channel(unseen.to_vec());
    let sender = Arc::new(sender);
    let mut reporters = WATCHES
        .iter()
        .enumerate()
        .map(|(index, (_, resource, watch))| {
            Reporter::new(*watch, resource, metrics.clone(), sender.clone(), index)
        });
    let mut tasks = JoinSet::new();
    let config = watcher::Config::default().page_size(PAGE);
    if let Some(report) = reporters.next() {
        let (api, state) = (Api::all(client.clone()), state.clone());
        let sink = move || Namespaces::new(state.clone());
        tasks.spawn(run(api, config.clone(), sink, report));
    }
    for kind in [SecretType::DockerConfigJson, SecretType::DockerCfg] {
        let Some(report) = reporters.next() else {
            break;
        };
        let (api, state) = (Api::all(client.clone()), state.clone());
        let config = config.clone().fields(selector(kind));
        let sink = move || PullSecrets::new(state.clone(), kind);
        let mut status = status.clone();
        tasks.spawn(async move {
            // Which secrets to keep is known only when the namespaces are.
            let known = |all: &Vec<WatchStatus>| all.get(NAMESPACES).is_some_and(|w| w.synced);
            if status.wait_for(known).await.is_ok() {
                run(api, config, sink, report).await;
            }
        });
    }
    if let Some(report) = reporters.next() {
        let (api, state) = (Api::all(client), state.clone());
        let sink = move || ServiceAccounts::new(state.clone());
        tasks.spawn(run(api, config, sink, report));
    }
    tasks.spawn(lookup.clone().list_opted_in(listed));
    let watches = ClusterWatches {
        status,
        _tasks: tasks,
    };
    (Arc::new(LiveCluster { state, lookup }), watches)
}

// === impl ClusterWatches ===

impl ClusterWatches {
    pub(super) fn new(status: watch::Receiver<Vec<WatchStatus>>, tasks: JoinSet<()>) -> Self {
        Self {
            status,
            _tasks: tasks,
        }
    }

    /// How each watch is now.
    #[must_use]
    pub fn status(&self) -> Vec<WatchStatus> {
        self.status.borrow().clone()
    }

    /// Whether every watch has listed all there is. Once so, always so.
    #[must_use]
    pub fn synced(&self) -> bool {
        self.status.borrow().iter().all(|watch| watch.synced)
    }

    /// The statuses as they change, to be handed to whoever tells readiness.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Vec<WatchStatus>> {
        self.status.clone()
    }
}

// === impl LiveCluster ===

impl Cluster for LiveCluster {
    fn namespace(&self, name: &str) -> Option<Namespace> {
        self.state.namespace(name)
    }

    fn pull_secrets(&self, namespace: &str) -> Option<Arc<NamespaceSecrets>> {
        self.state.pull_secrets(namespace)
    }

    fn service_account(&self, namespace: &str, name: &str) -> Option<Arc<ServiceAccount>> {
        self.state.account(namespace, name)
    }

    fn look_up_namespace<'a>(
        &'a self,
        name: &'a str,
        deadline: Instant,
    ) -> BoxFuture<'a, Option<Namespace>> {
        self.lookup.namespace(name, deadline).boxed()
    }

    fn look_up_pull_secrets<'a>(
        &'a self,
        namespace: &'a str,
        deadline: Instant,
    ) -> BoxFuture<'a, Option<Arc<NamespaceSecrets>>> {
        self.lookup.pull_secrets(namespace, deadline).boxed()
    }
}
