//! What tags were found to mean, by credential. An entry knows when its request began; whether that is fresh enough is the
//! asker's to say, so nothing here expires but failures.

use std::time::{Duration, Instant};

use smol_str::SmolStr;

use super::bounded::Bounded;
use crate::{
    admission::ports::Ask,
    domain::{
        credential::Fingerprint,
        policy::{Cause, PinStyle},
        question::{Resolution, Resolved},
    },
};

/// Answers that are kept, at about 300 bytes each.
const ENTRIES: usize = 16_384;

/// What an answer is the answer to. No member may be left out: it would answer across tenants, or across styles.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) host: SmolStr,
    repository: SmolStr,
    tag: SmolStr,
    git_sha: bool,
    who: Fingerprint,
}

/// One answer.
#[derive(Clone, Debug)]
struct Entry {
    began: Instant,
    outcome: Resolution,
}

/// All answers.
#[derive(Debug)]
pub(super) struct Answers(Bounded<Key, Entry>);

// === impl Key ===

impl Key {
    /// `own`: cotter's own identity, where it asks.
    pub(super) fn of(ask: &Ask, own: Option<Fingerprint>) -> Self {
        let given = ask.credential.as_ref();
        let who = own.or_else(|| given.map(|credential| credential.fingerprint()));
        Self {
            host: ask.host.clone(),
            repository: ask.repository.clone(),
            tag: ask.tag.clone(),
            git_sha: ask.style == PinStyle::GitSha,
            who: who.unwrap_or(Fingerprint::ANONYMOUS),
        }
    }
}

// === impl Answers ===

impl Default for Answers {
    fn default() -> Self {
        Self(Bounded::new(ENTRIES))
    }
}

impl Answers {
    /// The answer whose request began at or after `not_before`. A failure serves no longer than `negative_ttl`, and
    /// must be as fresh: a push right before the Pod is seen.
    pub(super) fn fresh(
        &self,
        key: &Key,
        not_before: Instant,
        negative_ttl: Duration,
    ) -> Option<Resolution> {
        let serves = |entry: &Entry| {
            let lives = entry.outcome.is_ok() || now() < entry.began + negative_ttl;
            (entry.began >= not_before && lives).then(|| entry.outcome.clone())
        };
        self.0.read(key, serves).flatten()
    }

    /// The last known good answer if it is not older than `max_stale`, with its age.
    pub(super) fn last_good(&self, key: &Key, max_stale: Duration) -> Option<Resolved> {
        let (began, good) = self
            .0
            .read(key, |entry| (entry.began, entry.outcome.clone().ok()))?;
        let age = now().saturating_duration_since(began);
        let good = good.filter(|_| age <= max_stale)?;
        Some(Resolved {
            stale: Some(age),
            ..good
        })
    }

    /// Keeps what a request that began at `began` found, unless a later one has found something already. What says
    /// nothing about the tag (`unavailable`) is not kept; `notFound` and `unauthorized` end an earlier good answer.
    pub(super) fn keep(&self, key: &Key, began: Instant, outcome: &Resolution) {
        let says_nothing = |cause| cause == Cause::Unavailable;
        if outcome
            .as_ref()
            .is_err_and(|failure| says_nothing(failure.cause))
        {
            return;
        }
        let entry = Entry {
            began,
            outcome: outcome.clone(),
        };
        self.0
            .insert_if(key.clone(), entry, |kept| kept.began <= began);
    }

    /// Forgets the answer of `key`.
    pub(super) fn forget(&self, key: &Key) {
        self.0.remove_if(key, |_| true);
    }

    /// Forgets failures, and the answers of hosts that `keep` does not name.
    pub(super) fn forget_but(&self, keep: impl Fn(&str) -> bool) {
        self.0
            .retain(|key, entry| entry.outcome.is_ok() && keep(&key.host));
    }
}

/// Now, by the clock that tests can stop.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
