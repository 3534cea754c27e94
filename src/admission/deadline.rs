//! The one deadline of an admission.

use std::time::{Duration, Instant};

/// The API server rounds the time that is left up to a whole second (facts §3.1), so up to a second of it does not
/// exist; the rest is for the way back.
const ROUNDED_UP: Duration = Duration::from_millis(1_200);
/// Below this nothing could be asked.
const SHORTEST: Duration = Duration::from_millis(300);
/// Ports end by the deadline themselves, with the last good answer where they have one; this is for one that hangs.
const GRACE: Duration = Duration::from_millis(50);

/// When the answer to a review has to be on its way. `timeout` is the query parameter of that name, `longest` the
/// configured bound.
#[must_use]
pub fn deadline(arrived: Instant, timeout: Option<Duration>, longest: Duration) -> Instant {
    let asked = timeout.map_or(longest, |timeout| timeout.saturating_sub(ROUNDED_UP));
    arrived + asked.min(longest).max(SHORTEST)
}

/// What `asked` answers; `None` if it has not by the deadline.
pub(super) async fn within<T>(deadline: Instant, asked: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout_at((deadline + GRACE).into(), asked)
        .await
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::the_configured_bound(Some(10_000), 5_000)]
    #[case::less_than_the_bound(Some(3_000), 1_800)]
    #[case::never_less_than_the_shortest(Some(1_000), 300)]
    #[case::no_parameter(None, 5_000)]
    fn is(#[case] timeout: Option<u64>, #[case] expected: u64) {
        let (now, longest) = (Instant::now(), Duration::from_secs(5));
        let found = deadline(now, timeout.map(Duration::from_millis), longest);
        assert_eq!(found - now, Duration::from_millis(expected));
    }
}
