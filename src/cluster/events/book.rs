//! Which Events were written lately, so that what repeats is counted.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

use super::Entry;

/// The same Event is written again, with its count, at most once in this time.
const REPEAT: Duration = Duration::from_mins(5);

/// The API server forgets an Event an hour after it was written last.
pub(super) const LIFE: Duration = Duration::from_mins(50);

/// Events whose repetitions are counted.
pub(super) const MOST: usize = 1024;

/// What was written lately.
#[derive(Debug, Default)]
pub(super) struct Book {
    pub(super) known: HashMap<Entry, Written>,
}

#[derive(Debug)]
pub(super) struct Written {
    name: String,
    count: i32,
    at: Instant,
}

/// What is to be done with an Event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Create,
    /// It stands under this name and has happened so often.
    Repeat(String, i32),
    /// It was written a moment ago.
    Hold,
}

// === impl Book ===

impl Book {
    pub(super) fn step(&mut self, entry: &Entry, now: Instant) -> Step {
        let lives = |written: &Written| now.duration_since(written.at) < LIFE;
        self.known.retain(|_, written| lives(written));
        let Some(written) = self.known.get_mut(entry) else {
            return Step::Create;
        };
        written.count = written.count.saturating_add(1);
        if now.duration_since(written.at) < REPEAT {
            return Step::Hold;
        }
        written.at = now;
        Step::Repeat(written.name.clone(), written.count)
    }

    pub(super) fn written(&mut self, entry: Entry, name: String, now: Instant) {
        if self.known.len() < MOST || self.known.contains_key(&entry) {
            let written = Written {
                name,
                count: 1,
                at: now,
            };
            self.known.insert(entry, written);
        }
    }
}
