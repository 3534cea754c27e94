//! Which connections have waited long enough. Looks now and then instead of arming a timer for each request, which
//! would cost every answer for the sake of a few.

use std::{
    sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// What one connection does, told by its parts. They all run in the connection's task or its streams', so no order
/// between the fields matters.
#[derive(Debug, Default)]
pub(super) struct Meter {
    /// Requests begun.
    begun: AtomicU64,
    /// Requests begun and not answered.
    open: AtomicU32,
    /// Whether bytes came that belong to no request yet.
    unclaimed: AtomicBool,
    /// Whether answers ask the caller to take another connection.
    leaving: AtomicBool,
}

/// Counts a request as open until it is dropped.
#[derive(Debug)]
pub(super) struct Open<'a>(&'a Meter);

/// What to do with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Keep it.
    Fine,
    /// The head of a request, or of the first one, does not get finished.
    Stalled,
    /// Nothing was asked for too long.
    Idle,
}

/// Judges one connection from time to time.
#[derive(Debug)]
pub(super) struct Watchdog {
    begun: u64,
    /// Whether the last look found part of a request's head. A new connection owes its first one.
    owed: bool,
    quiet: Duration,
    idle: Duration,
}

// === impl Meter ===

impl Meter {
    pub(super) fn read(&self) {
        self.unclaimed.store(true, Relaxed);
    }

    pub(super) fn begin(&self) -> Open<'_> {
        self.begun.fetch_add(1, Relaxed);
        self.open.fetch_add(1, Relaxed);
        Open(self)
    }

    pub(super) fn leave(&self) {
        self.leaving.store(true, Relaxed);
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.leaving.load(Relaxed)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.unclaimed.store(false, Relaxed);
        self.0.open.fetch_sub(1, Relaxed);
    }
}

// === impl Watchdog ===

impl Watchdog {
    /// For a new connection that may be without a request for `idle`.
    pub(super) fn new(idle: Duration) -> Self {
        Self {
            begun: 0,
            owed: true,
            quiet: Duration::ZERO,
            idle,
        }
    }

    /// Looks at the connection, `since` after the last look. A head has between one and two such times to arrive.
    /// In HTTP/2 bytes between requests mean nothing (`heads` is false), and only the first request is owed.
    pub(super) fn look(&mut self, meter: &Meter, since: Duration, heads: bool) -> Verdict {
        let begun = meter.begun.load(Relaxed);
        let open = meter.open.load(Relaxed) > 0;
        let owes = begun == 0 || (heads && !open && meter.unclaimed.load(Relaxed));
        let moved = open || begun != self.begun;
        self.begun = begun;
        let before = std::mem::replace(&mut self.owed, owes);
        if moved {
            self.quiet = Duration::ZERO;
            return Verdict::Fine;
        }
        self.quiet += since;
        if before && owes {
            Verdict::Stalled
        } else if self.quiet >= self.idle {
            Verdict::Idle
        } else {
            Verdict::Fine
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: Duration = Duration::from_secs(10);

    fn looks(watchdog: &mut Watchdog, meter: &Meter, number: usize) -> Vec<Verdict> {
        (0..number)
            .map(|_| watchdog.look(meter, TICK, true))
            .collect()
    }

    #[test]
    fn a_connection_without_a_first_request_is_stalled() {
        let (mut watchdog, meter) = (Watchdog::new(3 * TICK), Meter::default());
        assert_eq!(watchdog.look(&meter, TICK, true), Verdict::Stalled);
        let mut watchdog = Watchdog::new(3 * TICK);
        assert_eq!(watchdog.look(&meter, TICK, false), Verdict::Stalled);
    }

    #[test]
    fn half_a_head_is_stalled_after_a_full_look() {
        let (mut watchdog, meter) = (Watchdog::new(9 * TICK), Meter::default());
        meter.read();
        drop(meter.begin());
        assert_eq!(looks(&mut watchdog, &meter, 2), [Verdict::Fine; 2]);
        meter.read();
        assert_eq!(
            looks(&mut watchdog, &meter, 2),
            [Verdict::Fine, Verdict::Stalled]
        );
    }

    #[test]
    fn bytes_between_requests_mean_nothing_in_http2() {
        let (mut watchdog, meter) = (Watchdog::new(9 * TICK), Meter::default());
        drop(meter.begin());
        meter.read();
        for _ in 0..4 {
            assert_eq!(watchdog.look(&meter, TICK, false), Verdict::Fine);
        }
    }

    #[test]
    fn a_kept_connection_is_idle_in_the_end() {
        let (mut watchdog, meter) = (Watchdog::new(2 * TICK), Meter::default());
        drop(meter.begin());
        let verdicts = looks(&mut watchdog, &meter, 3);
        assert_eq!(verdicts, [Verdict::Fine, Verdict::Fine, Verdict::Idle]);
        drop(meter.begin());
        assert_eq!(looks(&mut watchdog, &meter, 2), [Verdict::Fine; 2]);
    }

    #[test]
    fn an_open_request_is_never_idle() {
        let (mut watchdog, meter) = (Watchdog::new(TICK), Meter::default());
        meter.read();
        let open = meter.begin();
        meter.read();
        assert_eq!(looks(&mut watchdog, &meter, 5), [Verdict::Fine; 5]);
        drop(open);
        assert_eq!(looks(&mut watchdog, &meter, 1), [Verdict::Idle]);
    }
}
