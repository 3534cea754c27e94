//! The Secrets of cotter's own namespace that mirrors are asked with.

use std::{collections::BTreeMap, sync::Arc};

use kube::{Api, Client, runtime::watcher};
use smol_str::SmolStr;
use tokio::{sync::watch, task::JoinSet};

use super::{
    errors::Target,
    live::ClusterWatches,
    objects::{SecretObject, identity},
    served,
    status::Board,
    watch::{Sink, run},
};
use crate::{
    domain::{docker_config::SecretType, keyring::Keyring, pull_secret::PullSecret},
    telemetry::metrics::{Metrics, Watch},
};

/// The label of such a Secret; its value does not matter.
pub const LABEL: &str = "cotter.dev/mirror";

/// What the watch tells. Dropped, it ends.
#[derive(Debug)]
pub struct Watched {
    /// The credentials of all these Secrets, in the order of their names; empty until they are listed.
    pub keyring: watch::Receiver<Arc<Keyring>>,
    /// How the watch is; one entry.
    pub watches: ClusterWatches,
}

struct MirrorSecrets {
    known: BTreeMap<SmolStr, PullSecret>,
    listed: BTreeMap<SmolStr, PullSecret>,
    keyring: Arc<watch::Sender<Arc<Keyring>>>,
}

/// Starts to watch. Needs a tokio runtime, returns at once, and never ends by itself. Without the permission mirrors are
/// asked anonymously, and the watch counts as synced.
///
/// Permissions: `list` and `watch` on the secrets of `namespace`.
#[must_use]
pub fn follow(client: &Client, namespace: &str, metrics: &Arc<Metrics>) -> Watched {
    let mut board = Board::new(metrics.clone());
    let target = Target::all("secrets", Some(&namespace.into()));
    let mut report = board.add("mirror credentials", Watch::MirrorSecrets, None, target);
    let (sender, keyring) = watch::channel(Arc::default());
    let sender = Arc::new(sender);
    let api: Api<SecretObject> = Api::namespaced(report.client(client), namespace);
    let config = watcher::Config::default()
        .labels(LABEL)
        .fields("type=kubernetes.io/dockerconfigjson");
    let sink = move || MirrorSecrets {
        known: BTreeMap::new(),
        listed: BTreeMap::new(),
        keyring: sender.clone(),
    };
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        served::wait(&api, &mut report, "mirrors are asked anonymously").await;
        run(api, config, sink, report).await;
    });
    let watches = ClusterWatches::new(board, tasks);
    Watched { keyring, watches }
}

// === impl MirrorSecrets ===

impl MirrorSecrets {
    fn tell(&self) {
        let keyring = Keyring::new(self.known.values());
        self.keyring.send_replace(Arc::new(keyring));
    }
}

/// The Secret as the kubelet would read it.
fn read(object: &SecretObject) -> Option<(SmolStr, PullSecret)> {
    let (namespace, name, _) = identity(object);
    let kind = object
        .kind
        .filter(|kind| *kind == SecretType::DockerConfigJson)?;
    let secret = PullSecret::read(&name, kind, &object.data);
    if let Some(problem) = secret.broken() {
        tracing::warn!(%namespace, secret = %name, "a Secret for mirrors cannot be used: {problem}");
    }
    Some((name, secret))
}

impl Sink for MirrorSecrets {
    type Object = SecretObject;

    fn begin(&mut self) {
        self.listed = BTreeMap::new();
    }

    fn listed(&mut self, object: SecretObject) {
        self.listed.extend(read(&object));
    }

    fn done(&mut self) {
        self.known = std::mem::take(&mut self.listed);
        self.tell();
    }

    fn applied(&mut self, object: SecretObject) {
        self.known.extend(read(&object));
        self.tell();
    }

    fn deleted(&mut self, object: SecretObject) {
        self.known.remove(&identity(&object).1);
        self.tell();
    }
}
