//! One watch: lists, follows, and starts again; the last state stays in use meanwhile.

use std::{
    fmt::Debug,
    panic::AssertUnwindSafe,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use futures_util::{FutureExt as _, StreamExt as _};
use kube::{
    Api, Resource,
    runtime::{
        WatchStreamExt as _,
        watcher::{self, Event, watcher},
    },
};
use serde::de::DeserializeOwned;
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use super::errors;
use crate::telemetry::metrics::{Metrics, Watch};

/// How long a list, or a page of it, may stay unanswered: the API server's own limit for a request is 60 s.
const LIST_PATIENCE: Duration = Duration::from_secs(70);

/// A watch that has not failed for this long works again: longer than the back-off's 30 s plus a connection attempt's 30 s.
const QUIET: Duration = Duration::from_secs(90);

/// The same watch's failures are logged once in this time.
const LOG_PAUSE: Duration = Duration::from_mins(1);

/// A panic that one object causes comes again with the next list.
const PANIC_PAUSE: Duration = Duration::from_secs(30);

/// Takes in what a watch tells.
pub(super) trait Sink: Send + 'static {
    type Object: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + 'static;

    /// A list begins. What is known stays in use.
    fn begin(&mut self);

    /// The list holds `object`.
    fn listed(&mut self, object: Self::Object);

    /// The list is complete.
    fn done(&mut self);

    /// `object` is new or changed.
    fn applied(&mut self, object: Self::Object);

    /// `object` was deleted.
    fn deleted(&mut self, object: Self::Object);
}

/// How a watch is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchStatus {
    /// What it watches, for a person.
    pub name: &'static str,
    /// Whether it has listed all there is, once. Stays `true` while the API server is away.
    pub synced: bool,
    /// What it failed with last; `None` while it works.
    pub error: Option<String>,
}

/// Where a watch tells how it is.
#[derive(Debug)]
pub(super) struct Reporter {
    watch: Watch,
    resource: &'static str,
    metrics: Arc<Metrics>,
    status: Arc<watch::Sender<Vec<WatchStatus>>>,
    index: usize,
    logged: Option<Instant>,
    failures: u64,
}

/// Watches until dropped; each start has a sink of its own.
pub(super) async fn run<S: Sink>(
    api: Api<S::Object>,
    config: watcher::Config,
    sink: impl Fn() -> S,
    mut report: Reporter,
) {
    loop {
        let started = follow(&api, &config, sink(), &mut report);
        // A watch that is gone for good would leave everything looking well.
        if AssertUnwindSafe(started).catch_unwind().await.is_err() {
            let resource = report.resource;
            report.failed(format!(
                "cannot take in {resource}: cotter panicked, which is a defect; please report it"
            ));
            sleep(PANIC_PAUSE).await;
        }
    }
}

/// Watches until a list stays unanswered.
async fn follow<S: Sink>(
    api: &Api<S::Object>,
    config: &watcher::Config,
    mut sink: S,
    report: &mut Reporter,
) {
    let mut events = pin!(watcher(api.clone(), config.clone()).default_backoff());
    let mut listing = false;
    loop {
        let patience = if listing { LIST_PATIENCE } else { QUIET };
        match timeout(patience, events.next()).await {
            Ok(Some(Ok(event))) => listing = take(&mut sink, event, listing, report),
            Ok(Some(Err(error))) => {
                listing = false;
                report.failed(errors::of_watch(&error, report.resource));
            }
            Ok(None) => return,
            Err(_) if listing => {
                let (resource, seconds) = (report.resource, LIST_PATIENCE.as_secs());
                report.failed(format!("cannot list {resource}: no answer for {seconds} s"));
                return;
            }
            Err(_) => report.works(),
        }
    }
}

/// Takes in one event; whether a list is on its way then.
fn take<S: Sink>(
    sink: &mut S,
    event: Event<S::Object>,
    listing: bool,
    report: &mut Reporter,
) -> bool {
    match event {
        // Comes before anything was asked of the API server, so it says nothing of its health.
        Event::Init => {
            sink.begin();
            return true;
        }
        Event::InitApply(object) => {
            sink.listed(object);
            return listing;
        }
        Event::InitDone => {
            sink.done();
            report.synced();
        }
        Event::Apply(object) => sink.applied(object),
        Event::Delete(object) => sink.deleted(object),
    }
    report.heard();
    false
}

// === impl Reporter ===

impl Reporter {
    pub(super) fn new(
        watch: Watch,
        resource: &'static str,
        metrics: Arc<Metrics>,
        status: Arc<watch::Sender<Vec<WatchStatus>>>,
        index: usize,
    ) -> Self {
        Self {
            watch,
            resource,
            metrics,
            status,
            index,
            logged: None,
            failures: 0,
        }
    }

    fn update(&self, change: impl FnOnce(&mut WatchStatus) -> bool) {
        self.status
            .send_if_modified(|all| all.get_mut(self.index).is_some_and(change));
    }

    fn synced(&self) {
        self.update(|status| !std::mem::replace(&mut status.synced, true));
    }

    fn heard(&mut self) {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        self.metrics.watch_synced(self.watch, now.as_secs_f64());
        self.works();
    }

    fn works(&mut self) {
        if self.failures > 0 {
            tracing::info!(
                watch = self.resource,
                failures = self.failures,
                "the watch works again"
            );
            self.failures = 0;
            self.logged = None;
            self.update(|status| status.error.take().is_some());
        }
    }

    fn failed(&mut self, text: String) {
        self.failures += 1;
        self.metrics.watch_error(self.watch);
        if self.logged.is_none_or(|at| at.elapsed() >= LOG_PAUSE) {
            self.logged = Some(Instant::now());
            tracing::warn!(
                watch = self.resource,
                failures = self.failures,
                error = text,
                "a watch failed; what was seen last stays in use"
            );
        }
        self.update(|status| {
            let changed = status.error.as_deref() != Some(&text);
            status.error = Some(text);
            changed
        });
    }
}
