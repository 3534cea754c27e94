//! Starts the watches that feed the index.

use std::sync::Arc;

use kube::{Client, runtime::watcher};
use tokio::task::JoinSet;

use super::{
    SiblingIndex,
    revisions::{List, Scope},
};
use crate::{
    api::labels::pinned_pods,
    cluster::{
        errors::Target,
        live::{ClusterWatches, PAGE},
        pods::Pods,
        revision_pins::RevisionPins,
        scope::{self, WatchScope},
        served,
        status::Board,
        watch::run,
    },
    telemetry::metrics::{Metrics, Watch},
};

/// Starts to learn what siblings run in the namespaces of `scope`. Needs a tokio runtime, returns at once, and never
/// ends by itself: failures are told by the status, the metrics and the log.
///
/// Permissions: `list` and `watch` on pods and on revisionpins.cotter.dev. Without the latter, or without that kind,
/// the digests of a revision are kept only as long as a Pod of it.
#[must_use]
pub fn spawn(
    client: &Client,
    scope: &WatchScope,
    metrics: &Arc<Metrics>,
) -> (Arc<SiblingIndex>, ClusterWatches) {
    let index = Arc::new(SiblingIndex::new(metrics.clone()));
    let parts = scope.parts();
    let lists = parts
        .iter()
        .map(|part| part.clone().map_or(Scope::All, Scope::Namespace))
        .flat_map(|scope| [List::Pods(scope.clone()), List::Pins(scope)]);
    index.update(|revisions| revisions.wait_for(lists.collect()));
    let mut board = Board::new(metrics.clone());
    let mut tasks = JoinSet::new();
    let config = watcher::Config::default().page_size(PAGE);
    for part in parts {
        let namespace = part.as_ref();
        let scope = part.clone().map_or(Scope::All, Scope::Namespace);
        let target = Target::all("pods", namespace);
        let report = board.add("pinned pods", Watch::Pods, namespace, target);
        let api = scope::api(report.client(client), part.as_deref());
        let selected = config.clone().labels(&pinned_pods());
        let (of, to) = (scope.clone(), index.clone());
        tasks.spawn(run(
            api,
            selected,
            move || Pods::new(to.clone(), of.clone()),
            report,
        ));
        let target = Target::all("revisionpins.cotter.dev", namespace);
        let mut report = board.add("revision pins", Watch::RevisionPins, namespace, target);
        let api = scope::api(report.client(client), part.as_deref());
        let (of, to, config) = (scope, index.clone(), config.clone());
        tasks.spawn(async move {
            served::wait(
                &api,
                &mut report,
                "revisions without Pods are not remembered",
            )
            .await;
            run(
                api,
                config,
                move || RevisionPins::new(to.clone(), of.clone()),
                report,
            )
            .await;
        });
    }
    (index, ClusterWatches::new(board, tasks))
}
