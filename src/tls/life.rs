//! When a certificate is valid, and when it is time for the next.

use std::{fmt, time::Duration};

use jiff::Timestamp;
use rcgen::{CertificateParams, date_time_ymd};
use x509_parser::certificate::Validity;

/// Certificates begin this long before they are made, for callers whose clocks are behind.
const BACKDATED: Duration = Duration::from_hours(1);

/// One moment on two clocks: certificates are judged by the calendar, and what has to last is timed by a clock that
/// nobody sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// By the calendar.
    pub wall: Timestamp,
    /// Since some moment before, which is the same for all that are compared.
    pub ticks: Duration,
}

/// How long things take to be known everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// How long what is new has to have been seen before anything relies on it: the API server and every replica have
    /// heard of it by then.
    pub overlap: Duration,
    /// How long an authority that is not wanted stays in a bundle. Longer than a rolling update of the replicas takes
    /// to agree on what is wanted.
    pub stranger: Duration,
    /// How often the clock is looked at: what waits for a moment waits this much longer at most.
    pub tick: Duration,
}

/// Why a certificate needs to be made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// It is not there, or is no certificate and key that belong together.
    Damaged,
    /// It is no authority.
    NotAnAuthority,
    /// It begins in the future.
    NotYetValid,
    /// It has ended.
    Expired,
    /// Two thirds of its life are over.
    Due,
    /// Another authority signed it.
    Foreign,
    /// It does not name every host that it is for.
    Names,
}

/// From when until when a certificate is valid, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Life {
    from: i64,
    until: i64,
}

// === impl Timing ===

impl Default for Timing {
    fn default() -> Self {
        Self {
            overlap: Duration::from_mins(1),
            stranger: Duration::from_mins(10),
            tick: Duration::from_secs(5),
        }
    }
}

// === impl Life ===

impl Life {
    /// Begins at `now`, backdated, and lasts for `length` from `now`.
    pub(super) fn starting(now: Timestamp, length: Duration) -> Self {
        let now = now.as_second();
        Self {
            from: now.saturating_sub_unsigned(BACKDATED.as_secs()),
            until: now.saturating_add_unsigned(length.as_secs()),
        }
    }

    /// The life as a parsed certificate states it.
    pub(super) fn of(validity: &Validity) -> Self {
        Self {
            from: validity.not_before.timestamp(),
            until: validity.not_after.timestamp(),
        }
    }

    /// The part of this life that lies in `other`'s.
    pub(super) fn within(self, other: Self) -> Self {
        Self {
            from: self.from.max(other.from),
            until: self.until.min(other.until),
        }
    }

    /// Writes the life into the parameters of a certificate to be.
    pub(super) fn write(self, params: &mut CertificateParams) {
        let at = |second: i64| {
            date_time_ymd(1970, 1, 1) + Duration::from_secs(u64::try_from(second).unwrap_or(0))
        };
        params.not_before = at(self.from);
        params.not_after = at(self.until);
    }

    /// When it ends, in seconds since 1970.
    pub(super) fn until(self) -> i64 {
        self.until
    }

    /// Whether it is time for the next certificate at `now`. The time by which it was backdated is no part of what
    /// it has to live: a short life would be over before it began.
    pub(super) fn renewal(self, now: Timestamp) -> Option<Renewal> {
        let now = now.as_second();
        let lived = self.until.saturating_sub(self.from);
        let third = lived.saturating_sub_unsigned(BACKDATED.as_secs()).max(0) / 3;
        if now < self.from {
            Some(Renewal::NotYetValid)
        } else if now >= self.until {
            Some(Renewal::Expired)
        } else if now >= self.until.saturating_sub(third) {
            Some(Renewal::Due)
        } else {
            None
        }
    }
}

// === impl Renewal ===

impl Renewal {
    /// Whether what it is said of cannot be used at all.
    pub(super) fn is_final(self) -> bool {
        self != Self::Due
    }
}

impl fmt::Display for Renewal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Damaged => "missing or damaged",
            Self::NotAnAuthority => "not an authority",
            Self::NotYetValid => "not valid yet",
            Self::Expired => "expired",
            Self::Due => "two thirds of its life are over",
            Self::Foreign => "signed by another authority",
            Self::Names => "does not name every host",
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::a_year(365 * 24 * 60)]
    #[case::ten_minutes(10)]
    fn a_life_is_due_after_two_thirds_however_short_it_is(#[case] minutes: u64) {
        let begun = Timestamp::from_second(1_800_000_000).unwrap();
        let life = Life::starting(begun, Duration::from_mins(minutes));
        let after = |seconds| life.renewal(begun + Duration::from_secs(seconds));
        assert_eq!(after(minutes * 40 - 1), None);
        assert_eq!(after(minutes * 40), Some(Renewal::Due));
        assert_eq!(after(minutes * 60), Some(Renewal::Expired));
    }
}
