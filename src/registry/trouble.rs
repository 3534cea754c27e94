//! Why a registry request gave nothing, and which of the policy's causes that is.

use std::{
    error::Error,
    fmt::Write as _,
    time::{Duration, Instant},
};

use hyper_util::client::legacy;

use super::{guard::Forbidden, limits::ReadError, origin::NoOrigin};
use crate::domain::{policy::Cause, question::Failure};

/// The longest detail in a log line; a chain of errors may quote what a registry sent.
const MOST_DETAIL: usize = 300;

/// A failed request. The text is for the log: it may name hosts, addresses and states, never what was sent or received.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Trouble {
    /// No such repository, tag or digest.
    #[error("{0}")]
    NotFound(String),
    /// Other credentials wanted.
    #[error("{0}")]
    Unauthorized(String),
    /// 429; not to be asked again before that moment.
    #[error("the registry limits requests")]
    Limited(Instant),
    /// It was not asked: too many look-ups of this host were under way.
    #[error("too many look-ups of this registry at a time")]
    Crowded,
    /// No HTTP answer: not resolved, not connected, not TLS, cut, or too slow.
    #[error("{0}")]
    Unreachable(String),
    /// An answer of no use.
    #[error("{0}")]
    Unavailable(String),
    /// The guard, a rule of this client or the configuration says no.
    #[error("{0}")]
    Refused(String),
}

// === impl Trouble ===

impl Trouble {
    /// The failure that the policy decides about.
    pub(super) fn into_failure(self) -> Failure {
        let cause = match self {
            Self::NotFound(_) => Cause::NotFound,
            Self::Unauthorized(_) => Cause::Unauthorized,
            Self::Limited(_) | Self::Crowded | Self::Unreachable(_) | Self::Unavailable(_) => {
                Cause::Unavailable
            }
            Self::Refused(_) => Cause::Refused,
        };
        Failure::new(cause, printable(&self.to_string()))
    }

    /// The look-up did not end in time.
    pub(super) fn timed_out(limit: Duration) -> Self {
        Self::Unreachable(format!("no answer within {} ms", limit.as_millis()))
    }

    /// `error` and its sources, as a host that could not be reached; the guard's verdict where it is among them.
    pub(super) fn from_chain(error: &(dyn Error + 'static)) -> Self {
        let (mut text, mut next) = (String::new(), Some(error));
        while let Some(error) = next {
            if let Some(forbidden) = error.downcast_ref::<Forbidden>() {
                return Self::Refused(forbidden.to_string());
            }
            next = error.source();
            // It says no more than that there is an error, and what it was doing.
            if error.is::<legacy::Error>() && next.is_some() {
                continue;
            }
            let separator = if text.is_empty() { "" } else { ": " };
            // Writing into a String cannot fail.
            let _ = write!(text, "{separator}{error}");
        }
        Self::Unreachable(text)
    }
}

impl From<Forbidden> for Trouble {
    fn from(forbidden: Forbidden) -> Self {
        Self::Refused(forbidden.to_string())
    }
}

impl From<NoOrigin> for Trouble {
    fn from(reason: NoOrigin) -> Self {
        Self::Refused(format!("the registry's URL cannot be used: {reason}"))
    }
}

impl From<ReadError> for Trouble {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::TooLong(_) => Self::Unavailable(error.to_string()),
            ReadError::Stalled | ReadError::Broken => Self::Unreachable(error.to_string()),
        }
    }
}

/// `text` without control characters, and not too long.
fn printable(text: &str) -> String {
    let shown = text.chars().take(MOST_DETAIL);
    shown
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_hold_no_control_characters() {
        let failure = Trouble::Unavailable(format!("a\r\nb\u{1b}[31m{}", "x".repeat(1_000)));
        let detail = failure.into_failure().detail;
        assert!(!detail.contains(char::is_control), "{detail:?}");
        assert!(detail.chars().count() <= MOST_DETAIL);
    }

    #[test]
    fn the_guard_is_found_in_a_chain() {
        #[derive(Debug, thiserror::Error)]
        #[error("outer")]
        struct Outer(#[source] Forbidden);

        let inner = Forbidden::Name {
            name: "x".into(),
            why: "it is no name",
        };
        let trouble = Trouble::from_chain(&Outer(inner.clone()));
        assert_eq!(trouble, Trouble::Refused(inner.to_string()));
    }
}
