//! How the controller's watches stand, and which rights it misses.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{Stream, stream};
use kube::runtime::watcher::{self, Event};
use smol_str::SmolStr;
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

use crate::controller::trouble::{self, Right, Trouble};

/// How long the first lists are waited for: the API server's own limit for a request is 60 s.
const PATIENCE: Duration = Duration::from_secs(70);

/// A watch that has not failed for this long works again: longer than the back-off's 30 s plus a connection attempt's 30 s.
const QUIET: Duration = Duration::from_secs(90);

/// The same watch's failures are logged once in this time.
const LOG_PAUSE: Duration = Duration::from_mins(1);

/// What is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum What {
    Registries,
    Namespaces,
    PullSecrets,
    Credentials,
}

/// One watch: of what, and the only namespace that it is about, if it is about one.
pub(super) type Key = (What, Option<SmolStr>);

/// How all watches stand, and what the looks at registries failed with.
pub(super) struct Board {
    state: Mutex<State>,
    /// What fails now.
    told: Arc<watch::Sender<Vec<Trouble>>>,
    /// Has news when a watch has listed, or has lost or got a right.
    turned: watch::Sender<()>,
}

#[derive(Default)]
struct State {
    watches: BTreeMap<Key, Standing>,
    looks: BTreeMap<String, Vec<Trouble>>,
}

#[derive(Default)]
struct Standing {
    listed: bool,
    failing: Option<(Trouble, Instant)>,
}

/// Where one watch tells how it is.
pub(super) struct Reporter {
    board: Arc<Board>,
    key: Key,
    works: bool,
    logged: Option<Instant>,
}

// === impl What ===

impl What {
    fn resource(self) -> &'static str {
        match self {
            Self::Registries => "registries.cotter.dev",
            Self::Namespaces => "namespaces",
            Self::PullSecrets | Self::Credentials => "secrets",
        }
    }

    /// Namespaces are in none, even where one of them is watched alone.
    fn namespace(self, part: Option<&SmolStr>) -> &str {
        match self {
            Self::Namespaces | Self::Registries => "",
            Self::PullSecrets | Self::Credentials => part.map_or("", SmolStr::as_str),
        }
    }
}

// === impl Board ===

impl Board {
    pub(super) fn new(told: Arc<watch::Sender<Vec<Trouble>>>) -> Self {
        Self {
            state: Mutex::default(),
            told,
            turned: watch::Sender::default(),
        }
    }

    /// Adds a watch, which has not listed yet.
    pub(super) fn add(self: &Arc<Self>, what: What, part: Option<&SmolStr>) -> Reporter {
        let key = (what, part.cloned());
        self.lock().watches.insert(key.clone(), Standing::default());
        Reporter {
            board: Arc::clone(self),
            key,
            works: false,
            logged: None,
        }
    }

    /// Waits until every watch has listed or failed.
    pub(super) async fn settled(&self) {
        let mut turned = self.turned.subscribe();
        let settled = async {
            while !self.lock().watches.values().all(Standing::is_settled) {
                if turned.changed().await.is_err() {
                    return;
                }
            }
        };
        let _ = timeout(PATIENCE, settled).await;
    }

    /// The watches of one kind that have never listed, with why: what they are about is not known.
    pub(super) fn unread(&self, what: What) -> HashMap<Option<SmolStr>, Trouble> {
        let state = self.lock();
        let of_it = state.watches.iter().filter(|(key, _)| key.0 == what);
        let unread = of_it.filter(|(_, standing)| !standing.listed);
        let why = |(key, standing): (&Key, &Standing)| {
            let trouble = match &standing.failing {
                Some((trouble, _)) => trouble.clone(),
                None => Trouble::from(format!("{} are not listed yet", what.resource())),
            };
            (key.1.clone(), trouble)
        };
        unread.map(why).collect()
    }

    /// What a look at the Registry of this uid failed with; nothing takes back what was said before.
    pub(super) fn looked(&self, uid: &str, troubles: Vec<Trouble>) {
        self.change(|state| {
            if troubles.is_empty() {
                state.looks.remove(uid);
            } else {
                state.looks.insert(uid.to_owned(), troubles);
            }
        });
    }

    /// Looks now and then which watches have not failed for long; a watch without news says nothing when it works again.
    pub(super) async fn follow(&self) {
        loop {
            sleep(QUIET / 6).await;
            self.change(|state| {
                for standing in state.watches.values_mut() {
                    let is_over = |at: &Instant| standing.listed && at.elapsed() >= QUIET;
                    if standing.failing.as_ref().is_some_and(|(_, at)| is_over(at)) {
                        standing.failing = None;
                    }
                }
            });
        }
    }

    /// Tells when a look may come to something else than before.
    pub(super) fn turns(&self) -> impl Stream<Item = ()> + Send + 'static + use<> {
        stream::unfold(self.turned.subscribe(), |mut turned| async move {
            turned.changed().await.ok()?;
            Some(((), turned))
        })
    }

    /// Every Registry is to be looked at again.
    pub(super) fn turn(&self) {
        self.turned.send_replace(());
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        let before = state.readable();
        change(&mut state);
        let turned = state.readable() != before;
        let troubles = state.troubles();
        drop(state);
        if turned {
            self.turn();
        }
        self.told.send_if_modified(|told| {
            let is_new = *told != troubles;
            *told = troubles;
            is_new
        });
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl State ===

impl State {
    fn readable(&self) -> Vec<(bool, bool, Option<Right>)> {
        let readable = |standing: &Standing| {
            let failing = standing.failing.as_ref();
            let missing = failing.and_then(|(trouble, _)| trouble.missing.clone());
            (standing.listed, standing.is_settled(), missing)
        };
        self.watches.values().map(readable).collect()
    }

    fn troubles(&self) -> Vec<Trouble> {
        let failing = self.watches.values().filter_map(|s| s.failing.as_ref());
        let watches = failing.map(|(trouble, _)| trouble);
        watches
            .chain(self.looks.values().flatten())
            .cloned()
            .collect()
    }
}

// === impl Standing ===

impl Standing {
    fn is_settled(&self) -> bool {
        self.listed || self.failing.is_some()
    }
}

// === impl Reporter ===

impl Reporter {
    /// Notes what the watch tells.
    pub(super) fn heard<K>(&mut self, news: &watcher::Result<Event<K>>) {
        match news {
            // Come before the API server has answered, or before it has told all.
            Ok(Event::Init | Event::InitApply(_)) => {}
            Ok(_) if self.works => {}
            Ok(event) => {
                self.works = true;
                let has_listed = matches!(event, Event::InitDone);
                self.change(|standing| {
                    standing.listed |= has_listed;
                    standing.failing = None;
                });
            }
            Err(error) => {
                self.works = false;
                let (what, part) = &self.key;
                let namespace = what.namespace(part.as_ref());
                let mut trouble = trouble::of_watch(error, what.resource(), namespace);
                if let (What::Namespaces, Some(part)) = (what, part) {
                    trouble.text = format!("namespace {part}: {}", trouble.text);
                }
                self.log(&trouble);
                self.change(|standing| standing.failing = Some((trouble, Instant::now())));
            }
        }
    }

    fn log(&mut self, trouble: &Trouble) {
        if self.logged.is_none_or(|at| at.elapsed() >= LOG_PAUSE) {
            self.logged = Some(Instant::now());
            tracing::warn!(
                "a watch for Registry objects failed; what was seen last stays in use: {trouble}"
            );
        }
    }

    fn change(&self, change: impl FnOnce(&mut Standing)) {
        self.board.change(|state| {
            if let Some(standing) = state.watches.get_mut(&self.key) {
                change(standing);
            }
        });
    }
}
