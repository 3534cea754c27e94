//! 429: a registry that limits a credential is not asked with it again before the time it names.

use std::time::{Duration, Instant};

use http::{HeaderMap, header::RETRY_AFTER};
use jiff::{Timestamp, fmt::rfc2822};
use smol_str::SmolStr;

use super::bounded::Bounded;
use crate::domain::credential::Fingerprint;

/// Where the time cannot be read: GHCR sends `880.092µs` for a limit per minute. About the life of one admission.
const DEFAULT: Duration = Duration::from_secs(5);
/// A registry that names hours would otherwise stop admissions for as long; containers/image has the same cap.
const LONGEST: Duration = Duration::from_mins(1);
/// Pairs of host and credential that are remembered.
const ENTRIES: usize = 4096;

/// Until when which credential is limited at which registry.
#[derive(Debug)]
pub(super) struct Blocked(Bounded<(SmolStr, Fingerprint), Instant>);

// === impl Blocked ===

impl Default for Blocked {
    fn default() -> Self {
        Self(Bounded::new(ENTRIES))
    }
}

impl Blocked {
    /// Whether `host` still limits this credential.
    pub(super) fn holds(&self, host: &SmolStr, who: Fingerprint, now: Instant) -> bool {
        let until = self.0.read(&(host.clone(), who), |until| *until);
        until.is_some_and(|until| now < until)
    }

    /// Remembers a 429.
    pub(super) fn note(&self, host: &SmolStr, who: Fingerprint, until: Instant) {
        self.0.insert((host.clone(), who), until);
    }
}

/// How long the headers of a 429 ask to wait, at most [`LONGEST`]: `Retry-After` in seconds or as a date.
pub(super) fn pause(headers: &HeaderMap, wall: Timestamp) -> Duration {
    let text = headers
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok());
    let wait = text.and_then(|text| {
        let seconds = text.trim().parse().map(Duration::from_secs).ok();
        seconds.or_else(|| until_date(text.trim(), wall))
    });
    wait.unwrap_or(DEFAULT).min(LONGEST)
}

fn until_date(text: &str, wall: Timestamp) -> Option<Duration> {
    let date = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(Duration::try_from(date.duration_since(wall)).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::seconds("7", 7)]
    #[case::zero("0", 0)]
    #[case::capped("21600", 60)]
    #[case::too_big_for_a_number("99999999999999999999999", 5)]
    #[case::ghcr("880.092µs", 5)]
    #[case::date("Sun, 06 Nov 1994 08:49:37 GMT", 30)]
    #[case::date_passed("Sun, 06 Nov 1994 08:40:00 GMT", 0)]
    #[case::negative("-1", 5)]
    #[case::empty("", 5)]
    fn reads_retry_after(#[case] text: &str, #[case] seconds: u64) {
        let wall: Timestamp = "1994-11-06T08:49:07Z".parse().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(
            RETRY_AFTER,
            http::HeaderValue::from_bytes(text.as_bytes()).unwrap(),
        );
        assert_eq!(pause(&headers, wall), Duration::from_secs(seconds));
    }

    #[test]
    fn one_credential_is_limited_not_the_others() {
        let (blocked, host, now) = (Blocked::default(), SmolStr::new("ghcr.io"), Instant::now());
        let alice = crate::domain::credential::Credential::new("alice", "a").fingerprint();
        blocked.note(&host, alice, now + DEFAULT);
        assert!(blocked.holds(&host, alice, now));
        assert!(!blocked.holds(&host, Fingerprint::ANONYMOUS, now));
        assert!(!blocked.holds(&host, alice, now + DEFAULT));
    }
}
