//! When the next write is due: soon, spread among replicas, and more and more seldom where it does not last.

use std::time::Duration;

use tokio::time::Instant;

use super::resolver;

/// Replicas that see the same trouble at once spread their writes over this time; the first one mends it for all.
const SPREAD: Duration = Duration::from_millis(400);

/// The longest wait before what failed or was undone is tried again.
const LONGEST: Duration = Duration::from_secs(30);

/// Repairs that come at once; who undoes them further is answered later and later.
const FREE_REPAIRS: u32 = 4;

/// After so long without a repair, the next one comes at once again.
const FORGIVEN: Duration = Duration::from_mins(1);

/// Failures in a row after which it is no longer somebody else who was faster.
const MANY: u32 = 5;

#[derive(Debug, Default)]
pub(super) struct Pace {
    due: Option<Instant>,
    failures: u32,
    /// Repairs with less than [`FORGIVEN`] between them, the last of them when.
    repairs: u32,
    last: Option<Instant>,
}

// === impl Pace ===

impl Pace {
    /// Nothing is to be written.
    pub(super) fn rest(&mut self) {
        self.due = None;
        self.failures = 0;
    }

    /// When to look again, if a write is wanted.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Whether a write that is wanted should be done now; sets when, if nothing was wanted before.
    pub(super) fn is_due(&mut self) -> bool {
        let now = Instant::now();
        if self.last.is_some_and(|last| now - last > FORGIVEN) {
            self.repairs = 0;
        }
        let spread = longer(SPREAD, self.repairs.saturating_sub(FREE_REPAIRS));
        let due = *self.due.get_or_insert_with(|| now + jitter(spread));
        now >= due
    }

    /// It was written; `repaired`: what others had broken.
    pub(super) fn written(&mut self, repaired: bool) {
        self.failures = 0;
        if repaired {
            self.repairs = self.repairs.saturating_add(1);
            self.last = Some(Instant::now());
        }
        // The watch tells of it within milliseconds, and then nothing is wanted any more.
        self.due = Some(Instant::now() + Duration::from_secs(1));
    }

    /// Somebody else wrote first.
    pub(super) fn conflicted(&mut self) {
        self.due = Some(Instant::now() + jitter(longer(SPREAD, self.failures)));
        self.failures = self.failures.saturating_add(1);
    }

    /// It could not be written.
    pub(super) fn failed(&mut self) {
        let wait = longer(Duration::from_millis(500), self.failures);
        self.failures = self.failures.saturating_add(1);
        self.due = Some(Instant::now() + wait + jitter(SPREAD));
    }

    /// Whether conflicts never end.
    pub(super) fn is_refused(&self) -> bool {
        self.failures > MANY
    }
}

/// `wait`, doubled so often, up to [`LONGEST`].
fn longer(wait: Duration, times: u32) -> Duration {
    (wait * 2_u32.saturating_pow(times.min(10))).min(LONGEST)
}

/// A random part of `length`.
fn jitter(length: Duration) -> Duration {
    let mut random = [0; 1];
    // Without a random number, the longest.
    let filled = resolver::provider().secure_random.fill(&mut random);
    let [part] = if filled.is_ok() { random } else { [u8::MAX] };
    length * u32::from(part) / 255
}

#[cfg(test)]
mod tests {
    use tokio::time::{advance, sleep_until};

    use super::*;

    /// How long a write waits that is wanted from now on.
    async fn wait(pace: &mut Pace) -> Duration {
        let begun = Instant::now();
        while !pace.is_due() {
            sleep_until(pace.due().unwrap()).await;
        }
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn repairs_come_at_once_until_they_are_undone_again_and_again() {
        let mut pace = Pace::default();
        for _ in 0..=FREE_REPAIRS {
            assert!(wait(&mut pace).await <= SPREAD);
            pace.written(true);
            pace.rest();
        }
        let mut longest = Duration::ZERO;
        for _ in 0..40 {
            longest = longest.max(wait(&mut pace).await);
            pace.written(true);
            pace.rest();
        }
        assert!(longest > 4 * SPREAD && longest <= LONGEST, "{longest:?}");
        advance(FORGIVEN + SPREAD).await;
        assert!(wait(&mut pace).await <= SPREAD);
    }

    #[tokio::test(start_paused = true)]
    async fn ordinary_writes_never_wait_longer() {
        let mut pace = Pace::default();
        for _ in 0..50 {
            assert!(wait(&mut pace).await <= SPREAD);
            pace.written(false);
            pace.rest();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn failures_are_tried_again_less_and_less_often() {
        let mut pace = Pace::default();
        let mut waits = Vec::new();
        for _ in 0..12 {
            pace.failed();
            waits.push(wait(&mut pace).await);
        }
        assert!(waits[0] < Duration::from_secs(1));
        assert!(
            waits[11] >= LONGEST && waits[11] <= LONGEST + SPREAD,
            "{waits:?}"
        );
        assert!(pace.is_refused());
        pace.rest();
        assert!(!pace.is_refused());
    }
}
