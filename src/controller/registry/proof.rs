//! What is proven of a credential: when it was tested last, with what, and what passed.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::{
    conditions::Side,
    credential::Prepared,
    live_test::{self, Tested},
    objects::ContentHash,
};
use crate::{
    api::registry::{Probe, Registry},
    domain::policy::Cause,
    registry::client::Client,
};

/// How often a credential is tested, give or take a tenth, so that many registries are not asked at once.
pub(super) const TEST_EVERY: Duration = Duration::from_mins(10);

/// After a failure: so long, doubled each time, at most [`TEST_EVERY`].
const FIRST_RETRY: Duration = Duration::from_secs(5);

/// What is remembered of each `Registry`, by its uid.
#[derive(Default)]
pub(super) struct Proofs(Mutex<HashMap<String, Memory>>);

#[derive(Default)]
struct Memory {
    /// What the pull secrets are to hold: the last content that passed a test.
    proven: Option<Arc<Proven>>,
    last: Option<LastTest>,
    /// Tests that failed one after the other.
    failed_tests: u32,
}

/// A content that passed a test; `None` for a Public registry.
pub(super) struct Proven(pub(super) Option<Zeroizing<Vec<u8>>>);

/// The last test.
#[derive(Clone)]
pub(super) struct LastTest {
    with: TestedWith,
    pub(super) at: Timestamp,
    /// When the next one is due.
    pub(super) again: Instant,
    tested: Tested,
}

/// What a test was made with: another content, host or probe wants another test.
#[derive(Clone, PartialEq, Eq)]
struct TestedWith {
    content: ContentHash,
    host: String,
    probe: Option<Probe>,
}

// === impl Proofs ===

impl Proofs {
    /// The content that the pull secrets are to hold, where one is known.
    pub(super) fn proven(&self, registry: &Registry) -> Option<Arc<Proven>> {
        self.memory(registry, |memory| memory.proven.clone())
    }

    /// The last test, or a new one where it is due.
    pub(super) async fn tested(
        &self,
        client: &Client,
        registry: &Registry,
        prepared: &Prepared,
    ) -> LastTest {
        let content = prepared.content.as_deref().map_or(&[][..], Vec::as_slice);
        let with = TestedWith {
            content: ContentHash::of(content),
            host: prepared.host.clone(),
            probe: prepared.probe.clone(),
        };
        let last = self.memory(registry, |memory| memory.last.clone());
        if let Some(last) = last.filter(|last| last.with == with && last.again > Instant::now()) {
            return last;
        }
        let (credential, probe) = (prepared.credential.clone(), prepared.probe.as_ref());
        let tested = live_test::test(client, &prepared.host, credential, probe).await;
        let passed = tested.cause.is_none();
        self.memory(registry, |memory| {
            memory.failed_tests = failures(memory.failed_tests, passed);
            if passed {
                memory.proven = Some(Arc::new(Proven(prepared.content.clone())));
            }
            let last = LastTest {
                with,
                at: now(),
                again: Instant::now() + pause(memory.failed_tests, registry),
                tested,
            };
            memory.last = Some(last.clone());
            last
        })
    }

    /// How the last test stands beside what was proven. `has_kept`: pull secrets are there.
    pub(super) fn side(
        &self,
        registry: &Registry,
        prepared: &Prepared,
        last: &LastTest,
        has_kept: bool,
    ) -> Side {
        let Tested { cause, message } = &last.tested;
        let Some(cause) = cause else {
            return Side::good("Accepted", message.clone());
        };
        let so_far = match self.proven(registry) {
            Some(proven) if proven.0 == prepared.content => {
                "it worked before, so the pull secrets stay as they are"
            }
            Some(_) => "the new credential is not used, the pull secrets keep the one before",
            // What another replica had proven is not known here, and nothing is written in its place.
            None if has_kept => "the pull secrets stay as they are",
            None => "",
        };
        let reason = match cause {
            _ if !so_far.is_empty() => "Degraded",
            Cause::Unauthorized => "Refused",
            Cause::Unavailable => "Unreachable",
            Cause::NotFound => "ProbeNotFound",
            _ => "NotAllowed",
        };
        let message = match so_far {
            "" => message.clone(),
            _ => format!("{so_far}. {}", live_test::sentence(message)),
        };
        Side::bad(reason, message)
    }

    /// Forgets the registry of this uid, which is gone.
    pub(super) fn forget(&self, uid: &str) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(uid);
    }

    fn memory<T>(&self, registry: &Registry, look: impl FnOnce(&mut Memory) -> T) -> T {
        let uid = registry.metadata.uid.clone().unwrap_or_default();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        look(all.entry(uid).or_default())
    }
}

/// Now, in whole seconds, as the API has it in all its times.
pub(super) fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

fn failures(so_far: u32, passed: bool) -> u32 {
    if passed { 0 } else { so_far.saturating_add(1) }
}

/// How long until the next try, after so many failures; registries of other names wait a little longer or shorter.
fn pause(failures: u32, registry: &Registry) -> Duration {
    let pause = match failures {
        0 => TEST_EVERY,
        many => FIRST_RETRY
            .saturating_mul(2_u32.saturating_pow(many.min(10) - 1))
            .min(TEST_EVERY),
    };
    let name = registry.metadata.name.as_deref().unwrap_or_default();
    let spread = name.bytes().fold(7_u32, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(byte.into())
    });
    pause.mul_f64(0.9 + 0.2 * f64::from(spread % 1000) / 1000.0)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::api::registry::RegistrySpec;

    #[rstest]
    #[case::never(0, 600)]
    #[case::once(1, 5)]
    #[case::twice(2, 10)]
    #[case::often(6, 160)]
    #[case::for_hours(100, 600)]
    fn failures_are_tried_again_less_and_less_often(#[case] failures: u32, #[case] seconds: u64) {
        let registry = Registry::new("my-ghcr", RegistrySpec::default());
        let expected = Duration::from_secs(seconds);
        let pause = pause(failures, &registry);
        let spread = pause.as_secs_f64() / expected.as_secs_f64();
        assert!((0.9..=1.1).contains(&spread), "{pause:?}");
    }

    #[test]
    fn two_registries_are_not_asked_at_the_same_time() {
        let pauses = ["a", "b", "my-ghcr"]
            .map(|name| pause(0, &Registry::new(name, RegistrySpec::default())));
        assert!(
            pauses[0] != pauses[1] && pauses[1] != pauses[2],
            "{pauses:?}"
        );
    }
}
