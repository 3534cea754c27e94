//! How the watches are: for readiness, the log and the metrics.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use http_body_util::BodyExt as _;
use kube::Client;
use smol_str::SmolStr;
use tokio::sync::watch;

use super::errors::{Failure, Permission, Target};
use crate::telemetry::metrics::{Metrics, Watch};

/// The same watch's failures are logged once in this time.
const LOG_PAUSE: Duration = Duration::from_mins(1);

/// How often the metrics learn what the watches heard.
const TICK: Duration = Duration::from_secs(2);

/// How a watch is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchStatus {
    /// What it watches, for a person.
    pub name: &'static str,
    /// The only namespace that it watches; `None` for all.
    pub namespace: Option<SmolStr>,
    /// Whether it has listed all there is, once. Stays `true` while the API server is away.
    pub synced: bool,
    /// What it failed with last; `None` while it works.
    pub error: Option<String>,
    /// The right that it failed for, where that was the cause.
    pub missing: Option<Permission>,
}

/// All watches of one kind of reader, in the order in which they were added.
#[derive(Clone, Debug)]
pub(super) struct Board {
    status: Arc<watch::Sender<Vec<WatchStatus>>>,
    heard: Vec<(Watch, Arc<Heard>)>,
    metrics: Arc<Metrics>,
}

/// Where a watch tells how it is.
#[derive(Debug)]
pub(super) struct Reporter {
    watch: Watch,
    target: Target,
    metrics: Arc<Metrics>,
    status: Arc<watch::Sender<Vec<WatchStatus>>>,
    index: usize,
    heard: Arc<Heard>,
    logged: Option<Instant>,
    failures: u64,
    /// The right that was missing last: one that is newly missing is logged at once.
    missing: Option<Permission>,
}

/// When the API server was heard last on a watch, milliseconds since 1970; 0 for never.
#[derive(Debug, Default)]
struct Heard(AtomicU64);

// === impl Board ===

impl Board {
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self {
            status: Arc::new(watch::channel(Vec::new()).0),
            heard: Vec::new(),
            metrics,
        }
    }

    /// Adds a watch, which has not listed yet. `name` is what it watches, for a person.
    pub(super) fn add(
        &mut self,
        name: &'static str,
        watch: Watch,
        namespace: Option<&SmolStr>,
        target: Target,
    ) -> Reporter {
        let status = WatchStatus {
            name,
            namespace: namespace.cloned(),
            synced: false,
            error: None,
            missing: None,
        };
        self.status.send_modify(|all| all.push(status));
        let heard = Arc::<Heard>::default();
        self.heard.push((watch, heard.clone()));
        Reporter {
            watch,
            target,
            metrics: self.metrics.clone(),
            status: self.status.clone(),
            index: self.heard.len() - 1,
            heard,
            logged: None,
            failures: 0,
            missing: None,
        }
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Vec<WatchStatus>> {
        self.status.subscribe()
    }

    /// Keeps the metrics up to date, for ever: of the watches of one name the one that heard longest ago counts.
    pub(super) async fn tell_metrics(self) {
        loop {
            tokio::time::sleep(TICK).await;
            let status = self.status.borrow().clone();
            let mut oldest: Vec<(Watch, u64)> = Vec::new();
            for ((watch, heard), _) in self.heard.iter().zip(status).filter(|(_, s)| s.synced) {
                let at = heard.0.load(Ordering::Relaxed);
                match oldest.iter_mut().find(|(known, _)| known == watch) {
                    Some((_, known)) => *known = at.min(*known),
                    None => oldest.push((*watch, at)),
                }
            }
            for (watch, millis) in oldest {
                let at = Duration::from_millis(millis).as_secs_f64();
                self.metrics.watch_heard(watch, at);
            }
        }
    }
}

// === impl Reporter ===

impl Reporter {
    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// Its place among the statuses.
    pub(super) fn index(&self) -> usize {
        self.index
    }

    /// A client whose answers are noted: kube's watcher keeps the bookmarks to itself, which are the only sign of
    /// life of a watch without news.
    pub(super) fn client(&self, client: &Client) -> Client {
        let (client, heard) = (client.clone(), self.heard.clone());
        let namespace = client.default_namespace().to_owned();
        let service = tower::service_fn(move |request| {
            let (client, heard) = (client.clone(), heard.clone());
            async move {
                let response = client.send(request).await?;
                let fine = response.status().is_success();
                Ok::<_, kube::Error>(response.map(|body| {
                    body.map_frame(move |frame| {
                        if fine {
                            heard.note();
                        }
                        frame
                    })
                }))
            }
        });
        Client::new(service, namespace)
    }

    pub(super) fn synced(&self) {
        self.update(|status| !std::mem::replace(&mut status.synced, true));
    }

    /// The watch has done what it is for.
    pub(super) fn works(&mut self) {
        if self.failures > 0 {
            tracing::info!(
                watch = %self.target,
                failures = self.failures,
                "the watch works again"
            );
            self.failures = 0;
            self.logged = None;
            self.missing = None;
            self.update(|status| {
                status.missing = None;
                status.error.take().is_some()
            });
        }
    }

    pub(super) fn failed(&mut self, failure: Failure) {
        let Failure { text, missing } = failure;
        self.failures += 1;
        self.metrics.watch_error(self.watch);
        let is_new = missing.is_some() && missing != self.missing;
        if is_new || self.logged.is_none_or(|at| at.elapsed() >= LOG_PAUSE) {
            self.logged = Some(Instant::now());
            tracing::warn!(
                watch = %self.target,
                failures = self.failures,
                error = text,
                "a watch failed; what was seen last stays in use"
            );
        }
        self.missing.clone_from(&missing);
        self.update(|status| {
            let changed = status.error.as_deref() != Some(&text) || status.missing != missing;
            status.error = Some(text);
            status.missing = missing;
            changed
        });
    }

    /// Notes what a request failed with that is none of the watch's; `None` where one was done.
    pub(super) fn requested(&self, failure: Option<Failure>) {
        let (error, missing) = match failure {
            Some(Failure { text, missing }) => (Some(text), missing),
            None => (None, None),
        };
        self.update(|status| {
            let changed = status.error != error || status.missing != missing;
            (status.error, status.missing) = (error, missing);
            changed
        });
    }

    fn update(&self, change: impl FnOnce(&mut WatchStatus) -> bool) {
        self.status
            .send_if_modified(|all| all.get_mut(self.index).is_some_and(change));
    }
}

// === impl Heard ===

impl Heard {
    fn note(&self) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let millis = now.unwrap_or_default().as_millis();
        self.0
            .store(u64::try_from(millis).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}
