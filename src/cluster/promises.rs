//! Pull secrets that are on their way to a namespace that was just made, as `Registry` objects promise them: its first Pods
//! may be faster than whoever writes them.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use kube::{Api, Client, runtime::watcher};
use smol_str::SmolStr;
use tokio::{task::JoinSet, time::Instant};

use super::{
    errors::Target,
    live::{ClusterWatches, PAGE},
    served,
    status::Board,
    watch::{Sink, run},
};
use crate::{
    api::registry::{Kind, Namespaces, Registry},
    domain::selector::Labels,
    telemetry::metrics::{Metrics, Watch},
};

/// How long a namespace is new. Whoever writes pull secrets needs a second, and some more after a change of the leader.
pub(super) const NEW: Duration = Duration::from_secs(30);

/// What is promised, and to whom.
#[derive(Debug, Default)]
pub(super) struct Promises {
    kept: RwLock<HashMap<SmolStr, Promise>>,
    newborns: RwLock<HashMap<SmolStr, Newborn>>,
}

/// The pull secrets of one `Registry` whose credential works.
#[derive(Debug)]
struct Promise {
    secret: SmolStr,
    namespaces: Namespaces,
}

#[derive(Debug)]
struct Newborn {
    labels: Labels,
    until: Instant,
}

/// Takes in what the watch of `Registry` objects tells.
struct Registries {
    promises: Arc<Promises>,
    listed: HashSet<SmolStr>,
}

// === impl Promises ===

impl Promises {
    /// A namespace was made a moment ago.
    pub(super) fn born(&self, namespace: &SmolStr, labels: Labels) {
        let now = Instant::now();
        let mut newborns = self
            .newborns
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        newborns.retain(|_, newborn| newborn.until > now);
        let until = now + NEW;
        newborns
            .entry(namespace.clone())
            .and_modify(|newborn| newborn.labels.clone_from(&labels))
            .or_insert(Newborn { labels, until });
    }

    /// The names of the pull secrets that a new namespace is to get; none for one that is not new.
    pub(super) fn of(&self, namespace: &str) -> Vec<SmolStr> {
        let newborns = self.newborns.read().unwrap_or_else(PoisonError::into_inner);
        let newborn = newborns.get(namespace);
        let Some(newborn) = newborn.filter(|newborn| newborn.until > Instant::now()) else {
            return Vec::new();
        };
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let meant = kept
            .values()
            .filter(|promise| promise.namespaces.matches(namespace, &newborn.labels));
        meant.map(|promise| promise.secret.clone()).collect()
    }

    fn keep(&self, registry: &Registry) {
        let name = name(registry);
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if registry.spec.kind == Kind::Public || !registry.is_authenticated() {
            kept.remove(&name);
            return;
        }
        let promise = Promise {
            secret: registry.pull_secret_name().into(),
            namespaces: registry.spec.namespaces.clone(),
        };
        kept.insert(name, promise);
    }

    fn drop_all_but(&self, listed: Option<&HashSet<SmolStr>>, gone: Option<&SmolStr>) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|name, _| {
            listed.is_none_or(|listed| listed.contains(name)) && gone != Some(name)
        });
    }
}

fn name(registry: &Registry) -> SmolStr {
    registry.metadata.name.as_deref().unwrap_or_default().into()
}

// === impl Registries ===

impl Sink for Registries {
    type Object = Registry;

    fn begin(&mut self) {
        self.listed = HashSet::new();
    }

    fn listed(&mut self, registry: Registry) {
        self.listed.insert(name(&registry));
        self.promises.keep(&registry);
    }

    fn done(&mut self) {
        let listed = std::mem::take(&mut self.listed);
        self.promises.drop_all_but(Some(&listed), None);
    }

    fn applied(&mut self, registry: Registry) {
        self.promises.keep(&registry);
    }

    fn deleted(&mut self, registry: Registry) {
        self.promises.drop_all_but(None, Some(&name(&registry)));
    }
}

/// Starts to watch `Registry` objects. Needs a tokio runtime, returns at once, and never ends by itself.
///
/// Permissions: `list` and `watch` on registries.cotter.dev. Without them the first Pods of a namespace may be faster than
/// their pull secret.
pub(super) fn spawn(
    client: &Client,
    promises: &Arc<Promises>,
    metrics: &Arc<Metrics>,
) -> ClusterWatches {
    let mut board = Board::new(metrics.clone());
    let mut tasks = JoinSet::new();
    let target = Target::all("registries.cotter.dev", None);
    let mut report = board.add("registries", Watch::Registries, None, target);
    let api = Api::all(report.client(client));
    let config = watcher::Config::default().page_size(PAGE);
    let promises = Arc::clone(promises);
    let lost = "the first Pods of a namespace may be faster than their pull secret";
    tasks.spawn(async move {
        served::wait(&api, &mut report, lost).await;
        let sink = move || Registries {
            promises: Arc::clone(&promises),
            listed: HashSet::new(),
        };
        run(api, config, sink, report).await;
    });
    ClusterWatches::new(board, tasks)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    fn registry(status: &Value) -> Registry {
        let conditions = json!([{"type": "Authenticated", "status": status, "reason": "x", "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z"}]);
        let registry = json!({"apiVersion": "cotter.dev/v1alpha1", "kind": "Registry", "metadata": {"name": "my-ghcr"},
            "spec": {"type": "GHCR", "pullSecret": {"name": "regcred"}, "namespaces": {
                "names": ["shop"], "selector": {"matchLabels": {"team": "a"}}}},
            "status": {"conditions": conditions}});
        serde_json::from_value(registry).unwrap()
    }

    fn labels(team: &str) -> Labels {
        [("team".to_owned(), team.to_owned())].into()
    }

    #[rstest]
    #[case::by_name("shop", "b", "True", 1)]
    #[case::by_labels("other", "a", "True", 1)]
    #[case::neither("other", "b", "True", 0)]
    #[case::not_proven("shop", "a", "False", 0)]
    #[tokio::test]
    async fn a_new_namespace_is_promised_what_works(
        #[case] namespace: &str,
        #[case] team: &str,
        #[case] status: &str,
        #[case] expected: usize,
    ) {
        let promises = Promises::default();
        promises.keep(&registry(&json!(status)));
        assert!(promises.of(namespace).is_empty(), "it is not new");
        promises.born(&namespace.into(), labels(team));
        assert_eq!(promises.of(namespace).len(), expected);
    }

    #[tokio::test(start_paused = true)]
    async fn a_namespace_is_new_for_a_while_only() {
        let promises = Promises::default();
        promises.keep(&registry(&json!("True")));
        promises.born(&"shop".into(), Labels::new());
        tokio::time::advance(NEW.mul_f64(0.9)).await;
        assert_eq!(promises.of("shop"), ["regcred"]);
        promises.born(&"shop".into(), Labels::new());
        tokio::time::advance(NEW.mul_f64(0.2)).await;
        assert!(promises.of("shop").is_empty());
    }

    #[tokio::test]
    async fn what_is_gone_promises_nothing() {
        let promises = Promises::default();
        promises.born(&"shop".into(), Labels::new());
        promises.keep(&registry(&json!("True")));
        promises.drop_all_but(None, Some(&"my-ghcr".into()));
        assert!(promises.of("shop").is_empty());
    }
}
