//! What the watches say, told where an operator looks: readiness, Events and metrics.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use crate::{
    cluster::{
        ClusterWatches, Permission, WatchStatus,
        events::{About, Events, What},
    },
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
        let mut told = BTreeMap::new();
        loop {
            let now = statuses.borrow_and_update().clone();
            for ((_, state), handle) in states(&now).into_iter().zip(&handles) {
                match state {
                    State::Passes => handle.pass(),
                    State::PassesWith(flaw) => handle.pass_with(flaw),
                    State::WaitsFor(reason) => handle.wait_for(reason),
                }
            }
            missing.tell(&now, &mut told);
            match tokio::time::timeout(AGAIN, statuses.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return,
                Err(_) => told.clear(),
            }
        }
    }
}

impl Missing {
    /// Tells what is missing `now` and was not among `told`, and takes back what is no longer.
    pub(super) fn tell(&self, now: &[WatchStatus], told: &mut BTreeMap<Permission, String>) {
        let mut missing = BTreeMap::new();
        for watch in now {
            if let (Some(right), Some(error)) = (&watch.missing, &watch.error) {
                missing.insert(right.clone(), error.clone());
            }
        }
        for right in told.keys().filter(|right| !missing.contains_key(right)) {
            self.note(right, false);
        }
        for (right, error) in &missing {
            if told.contains_key(right) {
                continue;
            }
            self.note(right, true);
            if let Some(own) = &self.own {
                self.events.send(own, MISSING, error);
            }
        }
        *told = missing;
    }

    fn note(&self, right: &Permission, missing: bool) {
        let Permission { verb, target } = right;
        let namespace = target.namespace.as_deref().unwrap_or_default();
        self.metrics
            .missing_permission(verb, target.resource, namespace, missing);
    }
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
