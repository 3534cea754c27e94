//! Events that were refused for a right. They come again until they are written: nothing else tells that the right is
//! there.

use std::{collections::VecDeque, future::pending, time::Duration};

use tokio::time::{Instant, sleep_until};

use super::{Denied, Entry, book::Step};

/// How often one of them comes again.
const AGAIN: Duration = Duration::from_secs(15);

/// So many are kept. What is still missing after the rest is told again by whoever told it.
const MOST: usize = 64;

/// Those that wait, in the order in which they come again.
#[derive(Debug, Default)]
pub(super) struct Refused {
    kept: VecDeque<(Entry, Step, Denied)>,
    due: Option<Instant>,
}

// === impl Refused ===

impl Refused {
    /// Keeps one that was refused for the first time.
    pub(super) fn keep(&mut self, entry: Entry, step: Step, denied: Denied, now: Instant) {
        let is_kept = self.kept.iter().any(|(kept, ..)| *kept == entry);
        if self.kept.len() < MOST && !is_kept {
            self.kept.push_back((entry, step, denied));
        }
        self.due.get_or_insert(now + AGAIN);
    }

    /// Keeps one that was refused again, behind the others: they may be about another namespace, which has the right.
    pub(super) fn keep_on(&mut self, entry: Entry, step: Step, denied: Denied, now: Instant) {
        self.kept.push_back((entry, step, denied));
        self.due = Some(now + AGAIN);
    }

    /// One of them was not refused any more, so the next one is due at once.
    pub(super) fn go_on(&mut self, now: Instant) {
        self.due = (!self.kept.is_empty()).then_some(now);
    }

    /// The next one, when its time has come.
    pub(super) async fn due(&mut self) -> (Entry, Step) {
        let Some(due) = self.due else {
            return pending().await;
        };
        sleep_until(due).await;
        self.due = None;
        match self.kept.pop_front() {
            Some((entry, step, _)) => (entry, step),
            None => pending().await,
        }
    }

    /// What is told to be missing, where `told` was so far: that, as long as an Event waits for it.
    pub(super) fn denied(&self, told: Option<&Denied>) -> Option<&Denied> {
        let mut all = self.kept.iter().map(|(.., denied)| denied);
        let still = all.clone().find(|denied| Some(*denied) == told);
        still.or_else(|| all.next())
    }
}
