//! The watches of the controller: of the whole cluster, one of each kind; of listed namespaces, one of each kind in each.

use std::{fmt::Debug, sync::Arc};

use futures_util::{
    StreamExt as _, TryStreamExt as _,
    stream::{BoxStream, select_all},
};
use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api, Client, Resource,
    core::PartialObjectMeta,
    runtime::{
        PredicateConfig, WatchStreamExt as _, predicates,
        reflector::{self, Lookup, ObjectRef, Store},
        watcher::{self, Event, watcher},
    },
};
use serde::de::DeserializeOwned;
use smol_str::SmolStr;

use super::{
    board::{Board, Reporter, What},
    objects::{CredentialSecret, KeptSecret},
};
use crate::api::registry::Registry;

/// What watches of one kind have seen, a store for each namespace that is watched alone, or one for all.
pub(super) struct Known<K: Lookup + Clone + 'static>(Vec<Store<K>>)
where
    K::DynamicType: Eq + std::hash::Hash + Clone;

/// The namespaces, by their labels.
pub(super) type KnownNamespaces = Known<PartialObjectMeta<Namespace>>;

/// The objects that were touched.
pub(super) type Touched<K> = BoxStream<'static, watcher::Result<K>>;

/// Opens the watches of a cluster.
pub(super) struct Opener<'a> {
    pub(super) client: &'a Client,
    pub(super) board: &'a Arc<Board>,
    /// The namespaces to watch, each alone; `None` stands for all.
    pub(super) parts: &'a [Option<SmolStr>],
}

// === impl Known ===

impl<K> Known<K>
where
    K: Resource<DynamicType = ()> + Clone + Debug + 'static,
{
    /// What these stores hold.
    pub(super) fn of(stores: Vec<Store<K>>) -> Self {
        Self(stores)
    }

    /// One object by name; `namespace` is empty where it is in none.
    pub(super) fn get(&self, namespace: &str, name: &str) -> Option<Arc<K>> {
        let key = ObjectRef::new(name).within(namespace);
        self.0.iter().find_map(|store| store.get(&key))
    }

    /// All objects.
    pub(super) fn all(&self) -> Vec<Arc<K>> {
        self.0.iter().flat_map(Store::state).collect()
    }
}

impl<K> Clone for Known<K>
where
    K: Resource<DynamicType = ()> + Clone + Debug + 'static,
{
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

// === impl Opener ===

impl Opener<'_> {
    /// The namespaces, by their labels.
    pub(super) fn namespaces(&self) -> (KnownNamespaces, Touched<PartialObjectMeta<Namespace>>) {
        self.open(What::Namespaces, |part| {
            let all = watcher::Config::default();
            let config = match part {
                Some(name) => all.fields(&format!("metadata.name={name}")),
                None => all,
            };
            (Api::all(self.client.clone()), config)
        })
    }

    /// The Secrets that are or stand in the way of pull secrets.
    pub(super) fn pull_secrets(&self) -> (Known<KeptSecret>, Touched<KeptSecret>) {
        self.open(What::PullSecrets, |part| {
            let config = watcher::Config::default().fields("type=kubernetes.io/dockerconfigjson");
            (super::api(self.client, part), config)
        })
    }

    /// The Secrets of cotter's own namespace.
    pub(super) fn credentials(
        &self,
        own: &str,
    ) -> (Store<CredentialSecret>, Touched<CredentialSecret>) {
        let api = Api::namespaced(self.client.clone(), own);
        let report = self.board.add(What::Credentials, Some(&own.into()));
        kept(api, watcher::Config::default(), report)
    }

    /// `Registry` objects; `forget` is called with each that is gone.
    pub(super) fn registries(
        &self,
        forget: impl Fn(&Registry) + Send + 'static,
    ) -> (Store<Registry>, Touched<Registry>) {
        let (known, writer) = reflector::store();
        let mut report = self.board.add(What::Registries, None);
        let api = Api::all(self.client.clone());
        let applied = watcher(api, watcher::Config::default())
            .default_backoff()
            .reflect(writer)
            .inspect(move |news| report.heard(news))
            .inspect_ok(move |event| {
                if let Event::Delete(gone) = event {
                    forget(gone);
                }
            })
            .applied_objects()
            // A status that cotter itself has written is no news.
            .predicate_filter(predicates::generation, PredicateConfig::default());
        (known, applied.boxed())
    }

    fn open<K>(
        &self,
        what: What,
        source: impl Fn(Option<&SmolStr>) -> (Api<K>, watcher::Config),
    ) -> (Known<K>, Touched<K>)
    where
        K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
    {
        let watches = self.parts.iter().map(|part| {
            let (api, config) = source(part.as_ref());
            kept(api, config, self.board.add(what, part.as_ref()))
        });
        let (stores, touched): (_, Vec<_>) = watches.unzip();
        (Known::of(stores), select_all(touched).boxed())
    }
}

/// Watches objects: what is known of them, and each that was touched.
fn kept<K>(api: Api<K>, config: watcher::Config, mut report: Reporter) -> (Store<K>, Touched<K>)
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    let (store, writer) = reflector::store();
    let touched = watcher(api, config)
        .default_backoff()
        .modify(|object| object.meta_mut().managed_fields = None)
        .reflect(writer)
        .inspect(move |news| report.heard(news))
        .touched_objects();
    (store, touched.boxed())
}
