//! The cluster as an admission sees it, and the tasks that keep it so.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{FutureExt as _, future::BoxFuture};
use kube::{Api, Client, runtime::watcher};
use smol_str::SmolStr;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

use super::{
    errors::Target,
    lookup::Lookup,
    namespaces::Namespaces,
    promises::{self, Promises},
    pull_secrets::{PullSecrets, selector},
    scope::{self, WatchScope},
    service_accounts::ServiceAccounts,
    state::State,
    status::Board,
    watch::run,
};
use crate::{
    admission::ports::{Cluster, Namespace, ServiceAccount},
    domain::{docker_config::SecretType, pull_secret::NamespaceSecrets},
    telemetry::metrics::{Metrics, Watch},
};

pub use super::status::WatchStatus;

/// How long a Pod waits for a pull secret that is promised to its namespace: the secret comes within a second where all is
/// well, and a Pod without it is tried again by its node.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// How often it is looked whether it has come.
const LOOK: Duration = Duration::from_millis(10);

/// Objects in one page of a list, client-go's own: a page is held in memory as a whole.
pub(super) const PAGE: u32 = 500;

/// The state of a cluster, as its watches have it. Reading it never waits for the API server.
pub struct LiveCluster {
    parts: Parts,
    promises: Arc<Promises>,
}

/// The running watches. Dropped, they end, and what they saw last stays readable.
#[derive(Debug)]
pub struct ClusterWatches {
    status: watch::Receiver<Vec<WatchStatus>>,
    _tasks: JoinSet<()>,
}

/// What is watched together.
enum Parts {
    All(Part),
    Listed(HashMap<SmolStr, Part>),
}

/// The state that one set of watches keeps.
struct Part {
    state: Arc<State>,
    lookup: Arc<Lookup>,
}

/// Starts to watch the namespaces of `scope` in the cluster of `client`. Needs a tokio runtime, returns at once, and
/// never ends by itself: failures are told by [`ClusterWatches::status`], the metrics and the log.
///
/// Permissions: `get`, `list` and `watch` on namespaces, `list` and `watch` on secrets and on serviceaccounts; in a
/// scope of listed namespaces only on and in these.
#[must_use]
pub fn spawn(
    client: &Client,
    scope: &WatchScope,
    metrics: &Arc<Metrics>,
) -> (Arc<LiveCluster>, ClusterWatches) {
    let mut board = Board::new(metrics.clone());
    let mut tasks = JoinSet::new();
    let promises = Arc::<Promises>::default();
    let mut open = |namespace| {
        Part::open(
            client, namespace, metrics, &promises, &mut board, &mut tasks,
        )
    };
    let parts = match scope {
        WatchScope::All => Parts::All(open(None)),
        WatchScope::Listed(names) => Parts::Listed(
            names
                .iter()
                .map(|name| (name.clone(), open(Some(name))))
                .collect(),
        ),
    };
    let watches = ClusterWatches::new(board, tasks);
    (Arc::new(LiveCluster { parts, promises }), watches)
}

// === impl Part ===

impl Part {
    /// Starts the watches of one namespace, or of all.
    fn open(
        client: &Client,
        namespace: Option<&SmolStr>,
        metrics: &Arc<Metrics>,
        promises: &Arc<Promises>,
        board: &mut Board,
        tasks: &mut JoinSet<()>,
    ) -> Self {
        let (to_list, listed) = mpsc::unbounded_channel();
        let state = Arc::new(State::new(metrics.clone(), to_list, promises.clone()));
        let lookup = Arc::new(Lookup::new(client.clone(), state.clone(), metrics.clone()));
        let config = watcher::Config::default().page_size(PAGE);
        let target = match namespace {
            None => Target::all("namespaces", None),
            Some(name) => Target::one("namespaces", name, None),
        };
        let report = board.add("namespaces", Watch::Namespaces, namespace, target);
        let (index, status) = (report.index(), board.subscribe());
        let of_namespaces = match namespace {
            None => config.clone(),
            Some(name) => config.clone().fields(&format!("metadata.name={name}")),
        };
        let (api, kept) = (Api::all(report.client(client)), state.clone());
        let sink = move || Namespaces::new(kept.clone());
        tasks.spawn(run(api, of_namespaces, sink, report));
        for (kind, name) in [
            (
                SecretType::DockerConfigJson,
                "pull secrets (dockerconfigjson)",
            ),
            (SecretType::DockerCfg, "pull secrets (dockercfg)"),
        ] {
            let report = board.add(
                name,
                Watch::PullSecrets,
                namespace,
                Target::all("secrets", namespace),
            );
            let api = scope::api(report.client(client), namespace.map(SmolStr::as_str));
            let config = config.clone().fields(selector(kind));
            let kept = state.clone();
            let sink = move || PullSecrets::new(kept.clone(), kind);
            let mut status = status.clone();
            tasks.spawn(async move {
                // Which secrets to keep is known only when the namespaces are.
                let known = |all: &Vec<WatchStatus>| all.get(index).is_some_and(|w| w.synced);
                if status.wait_for(known).await.is_ok() {
                    run(api, config, sink, report).await;
                }
            });
        }
        let report = board.add(
            "service accounts",
            Watch::ServiceAccounts,
            namespace,
            Target::all("serviceaccounts", namespace),
        );
        let api = scope::api(report.client(client), namespace.map(SmolStr::as_str));
        let kept = state.clone();
        let sink = move || ServiceAccounts::new(kept.clone());
        tasks.spawn(run(api, config, sink, report));
        tasks.spawn(lookup.clone().list_opted_in(listed));
        Self { state, lookup }
    }
}

// === impl Parts ===

impl Parts {
    fn of(&self, namespace: &str) -> Option<&Part> {
        match self {
            Self::All(part) => Some(part),
            Self::Listed(parts) => parts.get(namespace),
        }
    }
}

// === impl ClusterWatches ===

impl ClusterWatches {
    /// The watches of `board`, which run in `tasks`.
    pub(super) fn new(board: Board, mut tasks: JoinSet<()>) -> Self {
        let status = board.subscribe();
        tasks.spawn(board.tell_metrics());
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

impl LiveCluster {
    /// Waits with the first Pods of a new namespace for the pull secrets that `Registry` objects promise it.
    ///
    /// Permissions: `list` and `watch` on registries.cotter.dev.
    #[must_use]
    pub fn await_promises(&self, client: &Client, metrics: &Arc<Metrics>) -> ClusterWatches {
        promises::spawn(client, &self.promises, metrics)
    }
}

impl Cluster for LiveCluster {
    fn watches(&self, namespace: &str) -> bool {
        self.parts.of(namespace).is_some()
    }

    fn namespace(&self, name: &str) -> Option<Namespace> {
        self.parts.of(name)?.state.namespace(name)
    }

    fn pull_secrets(&self, namespace: &str) -> Option<Arc<NamespaceSecrets>> {
        self.parts.of(namespace)?.state.pull_secrets(namespace)
    }

    fn service_account(&self, namespace: &str, name: &str) -> Option<Arc<ServiceAccount>> {
        self.parts.of(namespace)?.state.account(namespace, name)
    }

    fn awaits(&self, namespace: &str) -> bool {
        self.parts
            .of(namespace)
            .is_some_and(|part| part.state.awaits(namespace))
    }

    fn arrival<'a>(&'a self, namespace: &'a str, deadline: Instant) -> BoxFuture<'a, ()> {
        let deadline = deadline.min(Instant::now() + LONGEST_WAIT);
        async move {
            while self.awaits(namespace) && Instant::now() < deadline {
                tokio::time::sleep(LOOK).await;
            }
        }
        .boxed()
    }

    fn look_up_namespace<'a>(
        &'a self,
        name: &'a str,
        deadline: Instant,
    ) -> BoxFuture<'a, Option<Namespace>> {
        match self.parts.of(name) {
            Some(part) => part.lookup.namespace(name, deadline).boxed(),
            None => std::future::ready(None).boxed(),
        }
    }

    fn look_up_pull_secrets<'a>(
        &'a self,
        namespace: &'a str,
        deadline: Instant,
    ) -> BoxFuture<'a, Option<Arc<NamespaceSecrets>>> {
        match self.parts.of(namespace) {
            Some(part) => part.lookup.pull_secrets(namespace, deadline).boxed(),
            None => std::future::ready(None).boxed(),
        }
    }
}
