//! `Registry` objects: the credential proven, and the pull secrets kept where they are wanted. Only the leader does it.

mod census;
mod conditions;
mod credential;
mod ecr;
mod live_test;
mod objects;
mod proof;
mod reconcile;
mod sync;

use std::{fmt::Debug, sync::Arc, time::Duration};

use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api, Client, Resource,
    core::PartialObjectMeta,
    runtime::{
        WatchStreamExt as _,
        controller::{Action, Config, Controller},
        reflector::{self, ObjectRef, Store},
        watcher::{self, Event, watcher},
    },
};
use serde::de::DeserializeOwned;
use tokio::sync::{Mutex, watch};

use self::{
    ecr::Passwords,
    objects::{CredentialSecret, KeptSecret},
    proof::Proofs,
    reconcile::World,
};
use super::trouble::Trouble;
use crate::{api::registry::Registry, registry, telemetry::metrics::Metrics};

/// Registries that are looked at at once.
const AT_ONCE: u16 = 4;

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
/// `list` on pods; in each namespace `list`, `watch`, `create`, `patch` and `delete` on secrets; in cotter's own namespace
/// `list` and `watch` on secrets.
pub struct Registries {
    client: Client,
    own_namespace: String,
    asked: registry::client::Client,
    leader: watch::Receiver<bool>,
    tell: Arc<dyn Tell>,
    metrics: Arc<Metrics>,
}

impl Registries {
    /// Of the cluster of `client`; credentials are in `own_namespace`, registries by `asked`.
    #[must_use]
    pub fn new(
        client: Client,
        own_namespace: &str,
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
            asked,
            leader,
        }
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
        }
    }

    async fn lead(&self) {
        let client = &self.client;
        let all = watcher::Config::default;
        let own = Api::<CredentialSecret>::namespaced(client.clone(), &self.own_namespace);
        let pull_secrets = all().fields("type=kubernetes.io/dockerconfigjson");
        let proofs = Arc::new(Proofs::default());
        let passwords = Arc::new(Passwords::default());
        let (known, of_registries) = self.registries(&proofs, &passwords);
        let (namespaces, of_namespaces) = kept(Api::all(client.clone()), all());
        let (secrets, of_secrets) = kept(Api::all(client.clone()), pull_secrets);
        let (credentials, of_credentials) = kept(own, all());
        let world = Arc::new(World {
            client: client.clone(),
            own_namespace: self.own_namespace.clone(),
            registries: self.asked.clone(),
            namespaces,
            secrets: secrets.clone(),
            credentials,
            proofs,
            passwords,
            counted: Mutex::default(),
            tell: Arc::clone(&self.tell),
            metrics: Arc::clone(&self.metrics),
        });
        let [by_namespace, by_secret, by_credential] = [(); 3].map(|()| known.clone());
        let look = |registry, world: Arc<World>| async move { world.reconcile(registry).await };
        let failed = |_, error: &Trouble, _| {
            tracing::warn!("a Registry could not be looked after: {error}");
            Action::requeue(RETRY)
        };
        Controller::for_stream(of_registries, known)
            .with_config(Config::default().concurrency(AT_ONCE))
            .watches_stream(of_namespaces, move |namespace| {
                of_namespace(&by_namespace, &secrets, &namespace)
            })
            .watches_stream(of_secrets, move |secret| of_secret(&by_secret, &secret))
            .watches_stream(of_credentials, move |secret| {
                of_credential(&by_credential, &secret)
            })
            .run(look, failed, world)
            .for_each(|_| std::future::ready(()))
            .await;
    }

    /// Watches `Registry` objects; what is known of one goes with it.
    fn registries(
        &self,
        proofs: &Arc<Proofs>,
        passwords: &Arc<Passwords>,
    ) -> (
        Store<Registry>,
        impl Stream<Item = watcher::Result<Registry>> + Send + 'static,
    ) {
        let (known, writer) = reflector::store();
        let (proofs, passwords) = (Arc::clone(proofs), Arc::clone(passwords));
        let metrics = Arc::clone(&self.metrics);
        let forget = move |event: &Event<Registry>| {
            if let Event::Delete(gone) = event {
                proofs.forget(gone);
                passwords.forget(gone.metadata.uid.as_deref().unwrap_or_default());
                let name = gone.metadata.name.as_deref().unwrap_or_default();
                metrics.objects.forget(name);
            }
        };
        let applied = watcher(Api::all(self.client.clone()), watcher::Config::default())
            .default_backoff()
            .inspect_ok(forget)
            .reflect(writer)
            .applied_objects();
        (known, applied)
    }
}

/// Watches objects: what is known of them, and each that was touched.
fn kept<K>(
    api: Api<K>,
    config: watcher::Config,
) -> (
    Store<K>,
    impl Stream<Item = watcher::Result<K>> + Send + 'static,
)
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    let (store, writer) = reflector::store();
    let touched = watcher(api, config)
        .default_backoff()
        .modify(|object| object.meta_mut().managed_fields = None)
        .reflect(writer)
        .touched_objects();
    (store, touched)
}

/// The registries that a namespace gets a pull secret of, or has one of.
fn of_namespace(
    known: &Store<Registry>,
    kept: &Store<KeptSecret>,
    namespace: &PartialObjectMeta<Namespace>,
) -> Vec<ObjectRef<Registry>> {
    let meta = namespace.meta();
    let name = meta.name.as_deref().unwrap_or_default();
    let labels = meta.labels.clone().unwrap_or_default();
    let has_one = |registry: &Registry| {
        let key = ObjectRef::new(registry.pull_secret_name()).within(name);
        kept.get(&key).is_some()
    };
    those(known, |registry| {
        registry.spec.namespaces.matches(name, &labels) || has_one(registry)
    })
}

/// The registries that a pull secret belongs to, or stands in the way of.
fn of_secret(known: &Store<Registry>, secret: &KeptSecret) -> Vec<ObjectRef<Registry>> {
    let name = secret.meta().name.as_deref().unwrap_or_default();
    those(known, |registry| {
        registry.pull_secret_name() == name
            || registry.metadata.name.as_deref() == secret.registry()
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
