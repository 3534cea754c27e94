//! `Registry` objects: the credential proven, and the pull secrets kept where they are wanted. Only the leader does it.

mod board;
mod census;
mod conditions;
mod credential;
mod ecr;
mod exam;
mod live_test;
mod memory;
mod objects;
mod pace;
mod places;
mod proof;
mod reconcile;
mod rivals;
mod statuses;
mod sync;
mod synced;
mod watches;

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt as _;
use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api, Client, Resource,
    core::{NamespaceResourceScope, PartialObjectMeta},
    runtime::{
        controller::{Action, Config, Controller},
        reflector::{ObjectRef, Store},
    },
};
use smol_str::SmolStr;
use tokio::sync::{Semaphore, watch};

use self::{
    board::Board,
    exam::Exams,
    memory::Memory,
    objects::{CredentialSecret, KeptSecret},
    reconcile::World,
    watches::Opener,
};
use super::trouble::Trouble;
use crate::{api::registry::Registry, registry, telemetry::metrics::Metrics};

/// Registries that are looked at at once. What they write together is limited by [`sync::AT_ONCE`].
const AT_ONCE: u16 = 32;

/// After a look that could not even write the status.
const RETRY: Duration = Duration::from_secs(5);

/// Where a person is told of what has turned.
pub trait Tell: Send + Sync + 'static {
    /// Tells of `registry`: one word for programs, and a line.
    fn tell(&self, registry: &Registry, is_warning: bool, reason: &'static str, note: &str);
}

/// Keeps the pull secrets of all `Registry` objects.
///
/// Permissions: `get`, `list`, `watch` on registries.cotter.dev and `patch` on their status; `list` and `watch` on namespaces;
/// in each namespace `list` on pods, and `list`, `watch`, `create`, `patch` and `delete` on secrets; in cotter's own namespace
/// `list` and `watch` on secrets. Where namespaces are listed, only on and in these.
pub struct Registries {
    client: Client,
    own_namespace: String,
    /// The namespaces to look after, each watched alone; `None` stands for all.
    parts: Vec<Option<SmolStr>>,
    asked: registry::client::Client,
    leader: watch::Receiver<bool>,
    troubles: Arc<watch::Sender<Vec<Trouble>>>,
    tell: Arc<dyn Tell>,
    metrics: Arc<Metrics>,
}

impl Registries {
    /// Of the cluster of `client`; credentials are in `own_namespace`, registries are asked by `asked`. `parts`: the namespaces
    /// to look after, each watched alone; `None` stands for all.
    #[must_use]
    pub fn new(
        client: Client,
        own_namespace: &str,
        parts: Vec<Option<SmolStr>>,
        asked: registry::client::Client,
        leader: watch::Receiver<bool>,
        tell: Arc<dyn Tell>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            tell,
            metrics,
            client,
            own_namespace: own_namespace.to_owned(),
            parts,
            asked,
            leader,
            troubles: Arc::default(),
        }
    }

    /// What fails now, while this replica leads.
    #[must_use]
    pub fn troubles(&self) -> watch::Receiver<Vec<Trouble>> {
        self.troubles.subscribe()
    }

    /// Works while this replica leads; ends when nobody can lead any more.
    pub async fn run(self) {
        let mut leader = self.leader.clone();
        loop {
            if leader.wait_for(|leads| *leads).await.is_err() {
                return;
            }
            let mut lost = leader.clone();
            tokio::select! {
                () = self.lead() => {}
                _ = lost.wait_for(|leads| !*leads) => {}
            }
            self.metrics.objects.forget_all();
            self.troubles.send_replace(Vec::new());
        }
    }

    async fn lead(&self) {
        let board = Arc::new(Board::new(Arc::clone(&self.troubles)));
        tokio::select! {
            () = self.control(&board) => {}
            () = board.follow() => {}
        }
    }

    async fn control(&self, board: &Arc<Board>) {
        let opener = Opener {
            client: &self.client,
            board,
            parts: &self.parts,
        };
        let (exams, wanted) = Exams::new();
        let memory = Arc::new(Memory::new(self.asked.clone(), exams));
        let (namespaces, of_namespaces) = opener.namespaces();
        let (secrets, of_secrets) = opener.pull_secrets();
        let (credentials, of_credentials) = opener.credentials(&self.own_namespace);
        let (known, of_registries) = opener.registries(self.forgetting(board, &memory));
        let world = Arc::new(World {
            client: self.client.clone(),
            own_namespace: self.own_namespace.clone(),
            parts: self.parts.clone(),
            asked: self.asked.clone(),
            known: known.clone(),
            namespaces,
            secrets,
            credentials,
            writes: Semaphore::new(sync::AT_ONCE),
            board: Arc::clone(board),
            memory,
            tell: Arc::clone(&self.tell),
            metrics: Arc::clone(&self.metrics),
        });
        let [by_exam, by_namespace, by_secret, by_credential] =
            [(); 4].map(|()| Arc::clone(&world));
        let look = |registry, world: Arc<World>| async move { world.reconcile(registry).await };
        let failed = |_, error: &Trouble, _| {
            tracing::warn!("a Registry could not be looked after: {error}");
            Action::requeue(RETRY)
        };
        Controller::for_stream(of_registries, known)
            .with_config(Config::default().concurrency(AT_ONCE))
            .reconcile_all_on(board.turns())
            .reconcile_on(by_exam.examine(wanted))
            .watches_stream(of_namespaces, move |namespace| {
                of_namespace(&by_namespace, &namespace)
            })
            .watches_stream(of_secrets, move |secret| of_secret(&by_secret, &secret))
            .watches_stream(of_credentials, move |secret| {
                of_credential(&by_credential.known, &secret)
            })
            .run(look, failed, world)
            .for_each(|_| std::future::ready(()))
            .await;
    }

    /// What is known of a `Registry` goes with it, and another one may want what was its.
    fn forgetting(
        &self,
        board: &Arc<Board>,
        memory: &Arc<Memory>,
    ) -> impl Fn(&Registry) + Send + 'static + use<> {
        let (board, memory) = (Arc::clone(board), Arc::clone(memory));
        let metrics = Arc::clone(&self.metrics);
        move |gone| {
            let uid = gone.metadata.uid.as_deref().unwrap_or_default();
            memory.forget(uid);
            metrics
                .objects
                .forget(gone.metadata.name.as_deref().unwrap_or_default());
            board.looked(uid, Vec::new());
            board.turn();
        }
    }
}

/// The API of a namespaced kind in one namespace, or in all.
fn api<K>(client: &Client, part: Option<&SmolStr>) -> Api<K>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
{
    match part {
        None => Api::all(client.clone()),
        Some(namespace) => Api::namespaced(client.clone(), namespace),
    }
}

/// The registries that a namespace gets a pull secret of, or has one of.
fn of_namespace(
    world: &World,
    namespace: &PartialObjectMeta<Namespace>,
) -> Vec<ObjectRef<Registry>> {
    let meta = namespace.meta();
    let name = meta.name.as_deref().unwrap_or_default();
    let labels = meta.labels.clone().unwrap_or_default();
    let has_one = |registry: &Registry| {
        let kept = world.secrets.get(name, registry.pull_secret_name());
        kept.is_some()
    };
    those(&world.known, |registry| {
        registry.spec.namespaces.matches(name, &labels) || has_one(registry)
    })
}

/// The registries that a pull secret belongs to, or stands in the way of; but for the one that has just written it.
fn of_secret(world: &World, secret: &KeptSecret) -> Vec<ObjectRef<Registry>> {
    let revision = secret.meta().resource_version.as_deref();
    let paces = &world.memory.paces;
    those(&world.known, |registry| {
        let is_its = registry.metadata.name.as_deref() == secret.registry();
        let uid = registry.metadata.uid.as_deref().unwrap_or_default();
        let is_news = || !paces.has_written(uid, secret.namespace(), revision);
        (is_its || registry.pull_secret_name() == secret.name()) && is_news()
    })
}

/// The registries that take their credential from a Secret.
fn of_credential(known: &Store<Registry>, secret: &CredentialSecret) -> Vec<ObjectRef<Registry>> {
    let name = secret.meta().name.as_deref().unwrap_or_default();
    those(known, |registry| {
        let credentials = registry.spec.credentials.as_ref();
        credentials.is_some_and(|credentials| credentials.secret_ref.name == name)
    })
}

fn those(known: &Store<Registry>, is_one: impl Fn(&Registry) -> bool) -> Vec<ObjectRef<Registry>> {
    let known = known.state();
    let those = known.iter().filter(|registry| is_one(registry));
    those
        .map(|registry| ObjectRef::from_obj(&**registry))
        .collect()
}
