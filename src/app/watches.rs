//! What the watches say, and what writes lack, told where an operator looks: readiness, Events and metrics.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use smol_str::SmolStr;
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

use crate::{
    cluster::{
        ClusterWatches, Permission, Target, WatchStatus,
        events::{About, Denied, Events, What},
    },
    controller::trouble::{Right, Trouble},
    telemetry::{
        metrics::Metrics,
        readiness::{Handle, Readiness},
    },
};

const MISSING: What = What::warning("MissingPermission", "Watch");

/// An Event is gone after an hour; what is still missing is told again before.
const AGAIN: Duration = Duration::from_mins(10);

/// Where missing rights are told.
#[derive(Clone)]
pub(super) struct Missing {
    pub(super) events: Events,
    /// What the Events are about; `None` outside of a Pod, where the log has to do.
    pub(super) own: Option<About>,
    pub(super) metrics: Arc<Metrics>,
}

/// Tells of missing rights, each by itself.
pub(super) struct Teller {
    missing: Missing,
    told: Told,
}

/// When each missing right was told last.
#[derive(Default)]
struct Told(BTreeMap<Permission, Instant>);

/// How a check of readiness stands.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Passes,
    PassesWith(String),
    WaitsFor(String),
}

/// Registers the checks of these watches, and returns what keeps them for ever; the watches run as long as that does.
pub(super) fn tell(
    watches: ClusterWatches,
    readiness: &Readiness,
    missing: Missing,
) -> impl Future<Output = ()> + use<> {
    let checks = states(&watches.status()).into_iter();
    let handles: Vec<Handle> = checks.map(|(name, _)| readiness.check(name)).collect();
    async move {
        let mut statuses = watches.subscribe();
        let mut teller = missing.teller();
        loop {
            let now = statuses.borrow_and_update().clone();
            for ((_, state), handle) in states(&now).into_iter().zip(&handles) {
                state.tell(handle);
            }
            teller.tell(&denied(&now));
            if !Teller::turns(&mut statuses).await {
                return;
            }
        }
    }
}

impl Missing {
    /// Tells what these watches miss, as long as they run, and in `check`, which passes all the same, what they fail
    /// with.
    pub(super) async fn follow(self, statuses: watch::Receiver<Vec<WatchStatus>>, check: Handle) {
        let state = |now: &[WatchStatus]| {
            let errors: Vec<_> = now.iter().filter_map(|w| w.error.clone()).collect();
            if errors.is_empty() {
                State::Passes
            } else {
                State::PassesWith(errors.join("; "))
            }
        };
        self.of_statuses(statuses, check, state).await;
    }

    /// Tells in `check` how one watch stands, and what it misses, as long as it runs.
    pub(super) async fn of_watch(self, statuses: watch::Receiver<Vec<WatchStatus>>, check: Handle) {
        let state = |now: &[WatchStatus]| now.first().map_or(State::Passes, state);
        self.of_statuses(statuses, check, state).await;
    }

    /// Tells in `check` what `state` makes of these watches, and what they miss, as long as they run.
    async fn of_statuses(
        self,
        mut statuses: watch::Receiver<Vec<WatchStatus>>,
        check: Handle,
        state: impl Fn(&[WatchStatus]) -> State,
    ) {
        let mut teller = self.teller();
        loop {
            let now = statuses.borrow_and_update().clone();
            state(&now).tell(&check);
            teller.tell(&denied(&now));
            if !Teller::turns(&mut statuses).await {
                return;
            }
        }
    }

    /// Tells what an election or a record fails with, as [`Missing::of`] does.
    pub(super) async fn of_trouble(
        self,
        trouble: watch::Receiver<Option<Trouble>>,
        check: Handle,
        by_namespace: bool,
    ) {
        let read = |trouble: Option<Trouble>| trouble.map(said).into_iter().collect();
        self.of(trouble, check, by_namespace, read).await;
    }

    /// Tells what all these fail with, as [`Missing::of`] does.
    pub(super) async fn of_troubles(
        self,
        troubles: watch::Receiver<Vec<Trouble>>,
        check: Handle,
        by_namespace: bool,
    ) {
        let read = |troubles: Vec<Trouble>| troubles.into_iter().map(said).collect();
        self.of(troubles, check, by_namespace, read).await;
    }

    /// Tells what Events lack, as [`Missing::of`] does.
    pub(super) async fn of_events(self, check: Handle, by_namespace: bool) {
        let read = |denied: Option<Denied>| {
            let said = denied.map(|Denied { right, text }| (text, Some(right)));
            said.into_iter().collect()
        };
        let denied = self.events.denied();
        self.of(denied, check, by_namespace, read).await;
    }

    /// Tells what else fails in `check`, which passes all the same, and what it misses. `by_namespace`: whether
    /// metrics name its namespace, which has to be one that the operator listed.
    async fn of<T: Clone>(
        self,
        mut trouble: watch::Receiver<T>,
        check: Handle,
        by_namespace: bool,
        read: impl Fn(T) -> Vec<(String, Option<Permission>)>,
    ) {
        let mut teller = self.teller();
        loop {
            let now = read(trouble.borrow_and_update().clone());
            let mut texts: Vec<_> = now.iter().map(|(text, _)| text.as_str()).collect();
            texts.dedup();
            if texts.is_empty() {
                check.pass();
            } else {
                check.pass_with(texts.join("; "));
            }
            let denied = now.into_iter().filter_map(|(text, right)| {
                let mut right = right?;
                right.target.namespace = right.target.namespace.filter(|_| by_namespace);
                Some((right, text))
            });
            teller.tell(&denied.collect());
            if !Teller::turns(&mut trouble).await {
                return;
            }
        }
    }

    /// Tells of rights, each when it is newly missing, and now and then as long as it is.
    pub(super) fn teller(&self) -> Teller {
        Teller {
            missing: self.clone(),
            told: Told::default(),
        }
    }
}

// === impl State ===

impl State {
    fn tell(self, handle: &Handle) {
        match self {
            Self::Passes => handle.pass(),
            Self::PassesWith(flaw) => handle.pass_with(flaw),
            Self::WaitsFor(reason) => handle.wait_for(reason),
        }
    }
}

// === impl Teller ===

impl Teller {
    /// Tells what is missing now, and takes back what is no longer.
    pub(super) fn tell(&mut self, now: &BTreeMap<Permission, String>) {
        let (granted, news) = self.told.take(now, Instant::now());
        for right in granted {
            self.note(&right, false);
        }
        for right in news {
            self.note(&right, true);
            if let (Some(own), Some(error)) = (&self.missing.own, now.get(&right)) {
                self.missing.events.send(own, MISSING, error);
            }
        }
    }

    /// Waits until something has changed or is to be told again; `false` where nothing will any more.
    async fn turns<T>(changes: &mut watch::Receiver<T>) -> bool {
        !matches!(timeout(AGAIN, changes.changed()).await, Ok(Err(_)))
    }

    fn note(&self, right: &Permission, missing: bool) {
        let Permission { verb, target } = right;
        let namespace = target.namespace.as_deref().unwrap_or_default();
        let metrics = &self.missing.metrics;
        metrics.missing_permission(verb, target.resource, namespace, missing);
    }
}

// === impl Told ===

impl Told {
    /// The rights that are granted again, and those that are to be told.
    fn take(
        &mut self,
        now: &BTreeMap<Permission, String>,
        at: Instant,
    ) -> (Vec<Permission>, Vec<Permission>) {
        let mut granted = Vec::new();
        self.0.retain(|right, _| {
            let is_missing = now.contains_key(right);
            if !is_missing {
                granted.push(right.clone());
            }
            is_missing
        });
        let mut news = Vec::new();
        for right in now.keys() {
            let told = self.0.get(right);
            if told.is_none_or(|told| at.duration_since(*told) >= AGAIN) {
                self.0.insert(right.clone(), at);
                news.push(right.clone());
            }
        }
        (granted, news)
    }
}

fn said(trouble: Trouble) -> (String, Option<Permission>) {
    let permission = |right: Right| Permission {
        verb: right.verb,
        target: Target {
            resource: right.resource,
            name: None,
            namespace: Some(right.namespace.into()).filter(|name: &SmolStr| !name.is_empty()),
        },
    };
    (trouble.text, trouble.missing.map(permission))
}

/// What is missing of these watches.
pub(super) fn denied(watches: &[WatchStatus]) -> BTreeMap<Permission, String> {
    let denied = |watch: &WatchStatus| Some((watch.missing.clone()?, watch.error.clone()?));
    watches.iter().filter_map(denied).collect()
}

/// The checks: one for each watch of all namespaces, and one for each namespace that has watches of its own.
fn states(watches: &[WatchStatus]) -> Vec<(String, State)> {
    let mut namespaces: BTreeMap<&str, Vec<&WatchStatus>> = BTreeMap::new();
    let mut checks = Vec::new();
    for watch in watches {
        match &watch.namespace {
            Some(namespace) => namespaces.entry(namespace).or_default().push(watch),
            None => checks.push((watch.name.to_owned(), state(watch))),
        }
    }
    let is_complete = |watches: &Vec<&WatchStatus>| watches.iter().all(|watch| watch.synced);
    let one_is_complete = namespaces.values().any(is_complete);
    for (namespace, watches) in namespaces {
        let state = of_namespace(&watches, one_is_complete);
        checks.push((format!("namespace {namespace}"), state));
    }
    checks
}

fn state(watch: &WatchStatus) -> State {
    match (watch.synced, &watch.error) {
        (true, None) => State::Passes,
        (true, Some(error)) => State::PassesWith(error.clone()),
        (false, None) => State::WaitsFor("not listed yet".to_owned()),
        (false, Some(error)) => State::WaitsFor(error.clone()),
    }
}

/// A namespace that cotter has no rights in is not waited for, as long as there is another one that it serves.
fn of_namespace(watches: &[&WatchStatus], one_is_complete: bool) -> State {
    let waits = watches.iter().filter(|watch| !watch.synced);
    let (forbidden, slow): (Vec<_>, Vec<_>) = waits.partition(|watch| watch.missing.is_some());
    let said = |watches: &[&&WatchStatus]| -> String {
        let said = watches.iter().map(|watch| match &watch.error {
            Some(error) => error.clone(),
            None => format!("{} not listed yet", watch.name),
        });
        said.collect::<Vec<_>>().join("; ")
    };
    if !forbidden.is_empty() {
        let text = said(&forbidden);
        return if one_is_complete {
            State::PassesWith(text)
        } else {
            State::WaitsFor(text)
        };
    }
    if !slow.is_empty() {
        return State::WaitsFor(said(&slow));
    }
    let failing: Vec<_> = watches.iter().filter(|w| w.error.is_some()).collect();
    if failing.is_empty() {
        State::Passes
    } else {
        State::PassesWith(said(&failing))
    }
}

#[cfg(test)]
#[path = "watches/tests.rs"]
mod tests;
