//! What the siblings of a Pod run: learned from pinned Pods, kept in `RevisionPin`s, and from this replica's own
//! answers until the watch shows them.

mod memory;
mod revisions;
mod spawn;

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
    atomic::{AtomicBool, Ordering},
};

use tokio::{sync::watch, time::Instant};

use crate::{
    admission::stickiness::Siblings,
    api::revision_pin::Learned,
    domain::{
        digest::Digest,
        revision::{OwnerRevision, SlotPin},
    },
    telemetry::metrics::Metrics,
};

pub use spawn::spawn;

use memory::Memory;
pub(super) use revisions::{PinName, PodSeen, Revisions, Scope, Slots};

/// The index. Reading it waits neither for the API server nor for a list that is taken in.
#[derive(Debug)]
pub struct SiblingIndex {
    revisions: RwLock<Revisions>,
    memory: Mutex<Memory>,
    /// Whether anything was ever learned; until then nobody has to ask.
    is_used: AtomicBool,
    news: watch::Sender<()>,
    metrics: Arc<Metrics>,
}

impl SiblingIndex {
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self {
            revisions: RwLock::default(),
            memory: Mutex::default(),
            is_used: AtomicBool::new(false),
            news: watch::Sender::new(()),
            metrics,
        }
    }

    /// Takes revisions whose Pods run what no `RevisionPin` records, `most` of them; none until all lists are in.
    /// They come again when their Pods change.
    #[must_use]
    pub fn take_unrecorded(&self, most: usize) -> Vec<Learned> {
        self.write().take_unrecorded(most)
    }

    /// Lets revisions that were taken and are still not recorded come again.
    pub fn look_again(&self) {
        self.write().look_again();
    }

    /// Told when there may be more of [`SiblingIndex::take_unrecorded`].
    #[must_use]
    pub fn news(&self) -> watch::Receiver<()> {
        self.news.subscribe()
    }

    /// Takes in what a watch says.
    pub(super) fn update(&self, change: impl FnOnce(&mut Revisions)) {
        let ((pods, pins), has_unrecorded) = {
            let mut revisions = self.write();
            change(&mut revisions);
            (revisions.numbers(), revisions.has_unrecorded())
        };
        if pods + pins > 0 {
            self.is_used.store(true, Ordering::Relaxed);
        }
        self.metrics.siblings(pods);
        self.metrics.revision_pins(pins);
        if has_unrecorded {
            self.news.send_replace(());
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Revisions> {
        self.revisions
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Revisions> {
        self.revisions
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Siblings for SiblingIndex {
    /// What the oldest Pod runs; else what was answered a moment ago; else what is recorded.
    fn digest(&self, revision: &OwnerRevision, slot: &str, text: &str) -> Option<Digest> {
        let recorded = {
            let revisions = self.read();
            if let Some(digest) = revisions.of_pods(revision, slot, text) {
                return Some(digest);
            }
            revisions.of_pin(revision, slot, text)
        };
        let answered = self.memory().digest(revision, slot, text, Instant::now());
        answered.or(recorded)
    }

    fn remember(&self, revision: OwnerRevision, pins: Vec<SlotPin>) {
        self.memory().remember(revision, pins, Instant::now());
        self.is_used.store(true, Ordering::Relaxed);
    }

    fn is_empty(&self) -> bool {
        !self.is_used.load(Ordering::Relaxed)
    }
}
