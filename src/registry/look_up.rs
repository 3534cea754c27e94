//! One look-up: the mirrors of the registry in their order, each with a share of the time, and the registry itself at last.
//! A mirror is asked with a credential of cotter's own, never with one that is for the registry.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, timeout_at};

use super::{
    client::{Inner, Open},
    flight::Pilot,
    manifest,
    reading::Place,
    settings::Mirror,
    setup::Setup,
    trouble::Trouble,
};
use crate::{
    admission::ports::Ask,
    domain::{
        policy::{Cause, PinStyle},
        question::{Resolution, Resolved},
    },
};

/// A mirror is asked if it has at least this long; the shortest admission has 300 ms. Less would say of a good mirror that
/// it cannot be reached.
const LEAST: Duration = Duration::from_millis(100);

/// How often the log says of a mirror that it does not answer. Every Pod would say it anew.
const REMIND: Duration = Duration::from_mins(1);

/// How long one of those that a look-up asks has.
#[derive(Clone, Copy, Debug)]
struct Span {
    began: Instant,
    limit: Instant,
}

/// When the log last said that a mirror does not answer.
#[derive(Debug, Default)]
pub(super) struct Said(Mutex<Option<Instant>>);

// === impl Inner ===

impl Inner {
    /// What the tag means by the first mirror that knows it, else by the registry itself. What fails is the registry's answer:
    /// a mirror need not have everything.
    pub(super) async fn look_up(
        &self,
        setup: &Arc<Setup>,
        ask: &Ask,
        start: Instant,
        pilot: &Pilot<Resolution>,
    ) -> Result<Resolved, Trouble> {
        let limit = start + setup.settings.timeout;
        let waited_for = limit.min(ask.deadline.into());
        let mirrors = &setup.profile(&ask.host).host.mirrors;
        let mut began = start;
        for (mirror, after) in mirrors.iter().zip((1..=mirrors.len()).rev()) {
            let share = share(waited_for.saturating_duration_since(began), after);
            if share < LEAST {
                break;
            }
            let span = Span {
                began,
                limit: began + share,
            };
            let asked = match self.place_at(mirror, &ask.repository) {
                Ok(place) => self.attempt(setup, ask, place, span, limit, pilot).await,
                Err(trouble) => Err(trouble),
            };
            match asked {
                Ok(resolved) => return Ok(resolved),
                Err(trouble) => self.note(setup, mirror, ask, trouble),
            }
            began = Instant::now();
        }
        let span = Span { began, limit };
        self.attempt(setup, ask, Place::of(ask), span, limit, pilot)
            .await
    }

    /// Asks at one place within `span`. A git-SHA tag may be looked for until `limit`: there is an answer already.
    async fn attempt(
        &self,
        setup: &Arc<Setup>,
        ask: &Ask,
        place: Place,
        span: Span,
        limit: Instant,
        pilot: &Pilot<Resolution>,
    ) -> Result<Resolved, Trouble> {
        let Open {
            exchange,
            leave,
            _place,
        } = self.open(setup, place, span.limit).await?;
        let is_late = span.began.elapsed() > span.whole() / 2;
        let asked = manifest::resolve(&exchange, &ask.tag, Some(&pilot.began));
        let digest = match timeout_at(span.limit, asked).await {
            Ok(digest) => digest,
            // Who waited for a place most of the time says nothing about the host.
            Err(_) if is_late => Err(Trouble::Crowded),
            Err(_) => Err(Trouble::timed_out(span.whole())),
        };
        leave.report(&exchange.host, &digest);
        let mut resolved = Resolved {
            digest: digest?,
            sha_tag: None,
            stale: None,
        };
        if ask.style == PinStyle::GitSha {
            pilot.so_far(Ok(resolved.clone()));
            let tag = self.revisions.tag_of(&exchange, &resolved.digest);
            match timeout_at(limit, tag).await {
                Ok(Ok(tag)) => resolved.sha_tag = tag,
                Ok(Err(trouble)) => {
                    let (host, repository) = (&exchange.host, &exchange.repository);
                    tracing::debug!(%host, %repository, reason = trouble.into_failure().detail, "registry.revision");
                }
                Err(_) => {}
            }
        }
        Ok(resolved)
    }

    /// A repository at a mirror, with cotter's own login there, or else the credential of cotter's own that is for it: the
    /// first that matches, as the kubelet would choose.
    fn place_at(&self, mirror: &Mirror, repository: &str) -> Result<Place, Trouble> {
        let repository = mirror.repository(repository);
        let keyring = self.mirror_keyring.load();
        let matches = keyring.lookup(&format!("{}/{repository}", mirror.host));
        let first = matches.first().map(|found| &found.entry.credential);
        let held = self.held_for_mirror(&mirror.host)?;
        Ok(Place {
            host: mirror.host.clone(),
            repository,
            credential: held.or_else(|| first.cloned()),
        })
    }

    fn note(&self, setup: &Setup, mirror: &Mirror, ask: &Ask, trouble: Trouble) {
        let failure = trouble.into_failure();
        let (cause, reason) = (failure.cause.as_str(), failure.detail);
        let (host, repository, mirror) = (&ask.host, &ask.repository, &mirror.host);
        let known = self.host(mirror, setup.settings.per_registry);
        if failure.cause != Cause::NotFound && known.said.is_due(Instant::now()) {
            tracing::warn!(%mirror, %host, %repository, cause, reason, "registry.mirror");
        } else {
            tracing::debug!(%mirror, %host, %repository, cause, reason, "registry.mirror");
        }
    }
}

/// What the first of those who are left may take of `time`, when so many come `after` it: an equal part. What it leaves goes
/// to the others.
fn share(time: Duration, after: usize) -> Duration {
    let all = u32::try_from(after).unwrap_or(u32::MAX).saturating_add(1);
    time / all
}

// === impl Span ===

impl Span {
    fn whole(&self) -> Duration {
        self.limit.saturating_duration_since(self.began)
    }
}

// === impl Said ===

impl Said {
    /// Whether it is to be said now; then it is said.
    fn is_due(&self, now: Instant) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = last.is_none_or(|last| now.saturating_duration_since(last) >= REMIND);
        if is_due {
            *last = Some(now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const SECOND: Duration = Duration::from_secs(1);

    #[rstest]
    #[case::a_mirror_and_the_registry(4, 1, 2)]
    #[case::first_of_three_mirrors(4, 3, 1)]
    #[case::the_registry_alone(4, 0, 4)]
    #[case::no_time(0, 1, 0)]
    fn shares(#[case] seconds: u32, #[case] after: usize, #[case] expected: u32) {
        assert_eq!(share(seconds * SECOND, after), expected * SECOND);
    }

    #[test]
    fn dead_mirrors_leave_the_registry_its_part() {
        for mirrors in 1..=5 {
            let mut left = 6 * SECOND;
            for after in (1..=mirrors).rev() {
                left -= share(left, after);
            }
            let parts = u32::try_from(mirrors + 1).unwrap();
            assert_eq!(left, 6 * SECOND / parts, "{mirrors} mirrors");
        }
    }

    #[test]
    fn a_mirror_that_answers_at_once_leaves_its_part_to_the_next() {
        let first = share(6 * SECOND, 2);
        assert_eq!(share(6 * SECOND, 1), first + SECOND);
    }

    #[test]
    fn a_dead_mirror_is_said_once_a_minute() {
        let (said, now) = (Said::default(), Instant::now());
        let due = [0, 1, 59, 60, 61, 119, 120].map(|seconds| said.is_due(now + seconds * SECOND));
        assert_eq!(due, [true, false, false, true, false, false, true]);
    }

    #[rstest]
    #[case::host("harbor.internal", "harbor.internal", "library/nginx")]
    #[case::port("harbor.internal:8443", "harbor.internal:8443", "library/nginx")]
    #[case::path("harbor.internal/hub", "harbor.internal", "hub/library/nginx")]
    #[case::long_path("harbor.internal/a/b", "harbor.internal", "a/b/library/nginx")]
    fn where_a_repository_is(#[case] text: &str, #[case] host: &str, #[case] expected: &str) {
        let mirror = Mirror::named(text);
        assert_eq!(mirror.host, host);
        assert_eq!(mirror.repository("library/nginx"), expected);
    }
}
