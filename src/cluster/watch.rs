//! One watch: lists, follows, and starts again; the last state stays in use meanwhile.

use std::{fmt::Debug, panic::AssertUnwindSafe, pin::pin, time::Duration};

use futures_util::{FutureExt as _, StreamExt as _};
use kube::{
    Api, Resource,
    runtime::{
        WatchStreamExt as _,
        watcher::{self, Event, watcher},
    },
};
use serde::de::DeserializeOwned;
use tokio::time::{sleep, timeout};

use super::{
    errors::{Failure, of_watch},
    status::Reporter,
};

/// How long a list, or a page of it, may stay unanswered: the API server's own limit for a request is 60 s.
pub(super) const LIST_PATIENCE: Duration = Duration::from_secs(70);

/// A watch that has not failed for this long works again: longer than the back-off's 30 s plus a connection attempt's 30 s.
const QUIET: Duration = Duration::from_secs(90);

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
            let text = format!(
                "cannot take in {}: cotter panicked, which is a defect; please report it",
                report.target()
            );
            report.failed(Failure::of_text(text));
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
                report.failed(of_watch(&error, report.target()));
            }
            Ok(None) => return,
            Err(_) if listing => {
                let failure = unanswered(report);
                report.failed(failure);
                return;
            }
            Err(_) => report.works(),
        }
    }
}

/// What a list failed with that stayed unanswered.
pub(super) fn unanswered(report: &Reporter) -> Failure {
    let (target, seconds) = (report.target(), LIST_PATIENCE.as_secs());
    Failure::of_text(format!("cannot list {target}: no answer for {seconds} s"))
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
    report.works();
    false
}
