//! A host that cannot be reached is left alone for a moment, so that it does not eat the deadline of every Pod. Each
//! host has its own breaker; the clock is the caller's.

use std::time::{Duration, Instant};

/// So many look-ups in a row have to fail: fewer would let one lost packet of a busy replica close a good registry.
const FAILURES: u32 = 5;
/// The first pause, and the longest: a registry that comes back is asked again within half a minute.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The state of one host.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    failures: u32,
    /// While it is open: until when, and after which pause.
    open: Option<(Instant, Duration)>,
    probing: bool,
}

/// Leave to ask once. It has to be followed by [`Breaker::answered`], [`Breaker::failed`] or [`Breaker::left`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pass {
    is_probe: bool,
}

// === impl Breaker ===

impl Breaker {
    /// Whether the host may be asked at `now`. After a pause one ask goes through as a probe.
    pub(super) fn admit(&mut self, now: Instant) -> Option<Pass> {
        match self.open {
            None => Some(Pass { is_probe: false }),
            Some((until, _)) if now < until || self.probing => None,
            Some(_) => {
                self.probing = true;
                Some(Pass { is_probe: true })
            }
        }
    }

    /// The host answered something.
    pub(super) fn answered(&mut self) {
        *self = Self::default();
    }

    /// The host did not answer. Whether a pause begins with this.
    pub(super) fn failed(&mut self, pass: Pass, now: Instant) -> bool {
        self.failures = self.failures.saturating_add(1);
        let pause = match self.open {
            Some((_, pause)) if pass.is_probe => (pause * 2).min(LONGEST_PAUSE),
            None if self.failures >= FAILURES => FIRST_PAUSE,
            _ => return false,
        };
        self.probing = false;
        self.open = Some((now + pause, pause));
        true
    }

    /// The ask ended without having tried the host.
    pub(super) fn left(&mut self, pass: Pass) {
        if pass.is_probe {
            self.probing = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(now: Instant) -> Breaker {
        let mut breaker = Breaker::default();
        for _ in 0..FAILURES {
            fail(&mut breaker, now);
        }
        breaker
    }

    fn fail(breaker: &mut Breaker, now: Instant) {
        let pass = breaker.admit(now).unwrap();
        breaker.failed(pass, now);
    }

    #[test]
    fn opens_after_failures_in_a_row() {
        let now = Instant::now();
        let mut breaker = Breaker::default();
        for _ in 0..10 {
            for _ in 1..FAILURES {
                fail(&mut breaker, now);
            }
            breaker.answered();
        }
        assert!(breaker.admit(now).is_some());
        assert!(opened(now).admit(now).is_none());
    }

    #[test]
    fn lets_one_probe_through_after_the_pause() {
        let now = Instant::now();
        let mut breaker = opened(now);
        assert!(breaker.admit(now + FIRST_PAUSE / 2).is_none());
        assert!(breaker.admit(now + FIRST_PAUSE).is_some());
        assert!(breaker.admit(now + FIRST_PAUSE).is_none(), "a second probe");
        breaker.answered();
        assert!(breaker.admit(now + FIRST_PAUSE).is_some());
    }

    #[test]
    fn pauses_twice_as_long_up_to_a_limit() {
        let mut now = Instant::now();
        let mut breaker = opened(now);
        for seconds in [1, 2, 4, 8, 16, 30, 30] {
            let pause = Duration::from_secs(seconds);
            let just_before = now + pause.saturating_sub(Duration::from_millis(1));
            assert!(breaker.admit(just_before).is_none(), "{seconds} s");
            now += pause;
            fail(&mut breaker, now);
        }
    }

    #[test]
    fn a_probe_that_never_tried_frees_its_place() {
        let now = Instant::now();
        let mut breaker = opened(now);
        let pass = breaker.admit(now + FIRST_PAUSE).unwrap();
        breaker.left(pass);
        assert!(breaker.admit(now + FIRST_PAUSE).is_some());
    }

    #[test]
    fn failures_of_asks_that_were_under_way_do_not_lengthen_the_pause() {
        let now = Instant::now();
        let mut breaker = Breaker::default();
        let pass = breaker.admit(now).unwrap();
        for _ in 0..FAILURES {
            fail(&mut breaker, now);
        }
        assert!(!breaker.failed(pass, now + FIRST_PAUSE / 2));
        assert!(breaker.admit(now + FIRST_PAUSE).is_some());
    }
}
