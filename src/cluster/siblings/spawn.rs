//! Starts the watches that feed the index.

use std::sync::Arc;

use kube::{Api, Client, Resource, core::NamespaceResourceScope, runtime::watcher};
use tokio::{sync::watch, task::JoinSet};

use super::{
    SiblingIndex,
    revisions::{List, Scope},
};
use crate::{
    api::labels::pinned_pods,
    cluster::{
        live::{ClusterWatches, PAGE},
        pods::Pods,
        revision_pins::{self, RevisionPins},
        watch::{Reporter, WatchStatus, run},
    },
    telemetry::metrics::{Metrics, Watch},
};

/// Starts to learn what siblings run: in these namespaces, or in all where none is named. Needs a tokio runtime,
/// returns at once, and never ends by itself: failures are told by the status, the metrics and the log.
///
/// Permissions: `list` and `watch` on pods and on revisionpins.cotter.dev. Without the latter, or without that kind,
/// the digests of a revision are kept only as long as a Pod of it.
#[must_use]
pub fn spawn(
    client: &Client,
    namespaces: &[String],
    metrics: &Arc<Metrics>,
) -> (Arc<SiblingIndex>, ClusterWatches) {
    let scopes: Vec<_> = if namespaces.is_empty() {
        vec![Scope::All]
    } else {
        let names = namespaces.iter();
        names.map(|name| Scope::Namespace(name.into())).collect()
    };
    let index = Arc::new(SiblingIndex::new(metrics.clone()));
    let lists = scopes
        .iter()
        .flat_map(|scope| [List::Pods(scope.clone()), List::Pins(scope.clone())]);
    index.update(|revisions| revisions.wait_for(lists.collect()));
    let unseen = |name| WatchStatus {
        name,
        synced: false,
        error: None,
    };
    let statuses = scopes
        .iter()
        .flat_map(|_| [unseen("pinned pods"), unseen("revision pins")]);
    let (sender, status) = watch::channel(statuses.collect::<Vec<_>>());
    let sender = Arc::new(sender);
    let mut tasks = JoinSet::new();
    for (number, scope) in scopes.into_iter().enumerate() {
        let report = |watch, resource, place| {
            let index = number * 2 + place;
            Reporter::new(watch, resource, metrics.clone(), sender.clone(), index)
        };
        let config = watcher::Config::default().page_size(PAGE);
        let selected = config.clone().labels(&pinned_pods());
        let (of, to) = (scope.clone(), index.clone());
        let sink = move || Pods::new(to.clone(), of.clone());
        let pods = report(Watch::Pods, "pods", 0);
        tasks.spawn(run(api(client, &scope), selected, sink, pods));
        let pins = report(Watch::RevisionPins, "revisionpins.cotter.dev", 1);
        let (of, to) = (scope.clone(), index.clone());
        let sink = move || RevisionPins::new(to.clone(), of.clone());
        let pins_api = api(client, &scope);
        let (sender, place) = (sender.clone(), number * 2 + 1);
        tasks.spawn(async move {
            revision_pins::wait_until_served(&pins_api, &sender, place).await;
            run(pins_api, config, sink, pins).await;
        });
    }
    (index, ClusterWatches::new(status, tasks))
}

fn api<K>(client: &Client, scope: &Scope) -> Api<K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    match scope {
        Scope::All => Api::all(client.clone()),
        Scope::Namespace(name) => Api::namespaced(client.clone(), name),
    }
}
