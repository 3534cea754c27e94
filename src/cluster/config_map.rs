//! One `ConfigMap`, watched for the text under one key.

use std::sync::Arc;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, Client, runtime::watcher};
use smol_str::SmolStr;
use tokio::{sync::watch, task::JoinSet};

use super::{
    errors::Target,
    events::About,
    live::ClusterWatches,
    status::Board,
    watch::{Sink, run},
};
use crate::telemetry::metrics::{Metrics, Watch};

/// The key that holds the configuration.
pub const KEY: &str = "cotter.yaml";

/// What the API server has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// No such object.
    Absent,
    /// An object without the key; these are its keys.
    NoKey(Vec<String>),
    /// The text under the key.
    Text(Arc<str>),
}

/// The `ConfigMap` as it was seen last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// What it holds.
    pub content: Content,
    /// Its resourceVersion; empty where it is gone.
    pub revision: SmolStr,
    /// For Events about it; where it is gone, as it was.
    pub about: About,
}

/// What a watch of one `ConfigMap` tells. Dropped, the watch ends.
#[derive(Debug)]
pub struct Watched {
    /// `None` until it was listed once.
    pub seen: watch::Receiver<Option<Seen>>,
    /// How the watch is; one entry.
    pub watches: ClusterWatches,
}

#[derive(Debug)]
struct OneMap {
    namespace: SmolStr,
    name: SmolStr,
    listed: Option<ConfigMap>,
    seen: Arc<watch::Sender<Option<Seen>>>,
}

/// Starts to watch. Needs a tokio runtime, returns at once, and never ends by itself.
///
/// Permissions: `list` and `watch` on this `ConfigMap` (`resourceNames` will do).
#[must_use]
pub fn follow(client: &Client, namespace: &str, name: &str, metrics: &Arc<Metrics>) -> Watched {
    let mut board = Board::new(metrics.clone());
    let target = Target::one("configmaps", name, Some(namespace));
    let report = board.add("config map", Watch::ConfigMap, None, target);
    let (sender, seen) = watch::channel(None);
    let sender = Arc::new(sender);
    let config = watcher::Config::default().fields(&format!("metadata.name={name}"));
    let api = Api::namespaced(report.client(client), namespace);
    let (namespace, name) = (SmolStr::new(namespace), SmolStr::new(name));
    let sink = move || OneMap {
        namespace: namespace.clone(),
        name: name.clone(),
        listed: None,
        seen: sender.clone(),
    };
    let mut tasks = JoinSet::new();
    tasks.spawn(run(api, config, sink, report));
    let watches = ClusterWatches::new(board, tasks);
    Watched { seen, watches }
}

impl OneMap {
    fn tell(&self, map: Option<ConfigMap>) {
        self.seen.send_if_modified(|seen| {
            let uid = map.as_ref().and_then(|map| map.metadata.uid.as_deref());
            let known = seen.as_ref().map(|seen| seen.about.uid.clone());
            let about = About {
                api_version: "v1".into(),
                kind: "ConfigMap".into(),
                namespace: self.namespace.clone(),
                name: self.name.clone(),
                uid: uid.map(SmolStr::new).or(known).unwrap_or_default(),
            };
            let revision = map
                .as_ref()
                .and_then(|map| map.metadata.resource_version.as_deref());
            let revision = revision.map(SmolStr::new).unwrap_or_default();
            let content = content(map);
            let now = Some(Seen {
                content,
                revision,
                about,
            });
            let changed = *seen != now;
            *seen = now;
            changed
        });
    }

    fn is_it(&self, map: &ConfigMap) -> bool {
        map.metadata.name.as_deref() == Some(&self.name)
    }
}

fn content(map: Option<ConfigMap>) -> Content {
    let Some(map) = map else {
        return Content::Absent;
    };
    let mut data = map.data.unwrap_or_default();
    if let Some(text) = data.remove(KEY) {
        return Content::Text(text.into());
    }
    let binary = map.binary_data.unwrap_or_default();
    let binary = binary.into_keys().map(|key| format!("{key} (binary)"));
    Content::NoKey(data.into_keys().chain(binary).collect())
}

impl Sink for OneMap {
    type Object = ConfigMap;

    fn begin(&mut self) {
        self.listed = None;
    }

    fn listed(&mut self, object: ConfigMap) {
        if self.is_it(&object) {
            self.listed = Some(object);
        }
    }

    fn done(&mut self) {
        let listed = self.listed.take();
        self.tell(listed);
    }

    fn applied(&mut self, object: ConfigMap) {
        if self.is_it(&object) {
            self.tell(Some(object));
        }
    }

    fn deleted(&mut self, object: ConfigMap) {
        if self.is_it(&object) {
            self.tell(None);
        }
    }
}
