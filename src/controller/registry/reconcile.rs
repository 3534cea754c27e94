//! One look at one `Registry`: its spec and its credential, what the registry says to it, the pull secrets, the status.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api, Client, Resource as _,
    api::{Patch, PatchParams},
    core::PartialObjectMeta,
    runtime::{controller::Action, reflector::Store},
};
use serde_json::json;
use tokio::{sync::Mutex as Turn, time::Instant};
use zeroize::Zeroizing;

use super::{
    Tell,
    census::{self, Census},
    conditions::{Outcome, Side},
    credential::{self, Prepared},
    live_test::{self, Tested},
    objects::{ContentHash, CredentialSecret, KeptSecret},
    sync::{Sync, Synced},
};
use crate::{
    api::registry::{Probe, Registry},
    controller::trouble::{self, Trouble},
    domain::policy::Cause,
    registry,
};

/// How often a credential is tested, give or take a tenth, so that many registries are not asked at once.
const TEST_EVERY: Duration = Duration::from_mins(10);

/// After a failure: so long, doubled each time, at most [`TEST_EVERY`].
const FIRST_RETRY: Duration = Duration::from_secs(5);

/// Between two counts of Pods, which all registries share: a count lists every Pod of the cluster.
const COUNT_EVERY: Duration = TEST_EVERY;

/// How often it is looked whether Pods still name what is to go, and whether what stands in the way has gone.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// How many namespaces a message names.
const NAMED: usize = 5;

/// What all looks share.
pub(super) struct World {
    pub(super) client: Client,
    pub(super) own_namespace: String,
    pub(super) registries: registry::client::Client,
    pub(super) namespaces: Store<PartialObjectMeta<Namespace>>,
    pub(super) secrets: Store<KeptSecret>,
    pub(super) credentials: Store<CredentialSecret>,
    pub(super) memory: Mutex<HashMap<String, Memory>>,
    pub(super) counted: Turn<Option<(Instant, Arc<Census>)>>,
    pub(super) tell: Arc<dyn Tell>,
}

/// What is remembered of one `Registry`, by its uid.
#[derive(Default)]
pub(super) struct Memory {
    /// What the pull secrets are to hold: the last content that passed a test.
    proven: Option<Arc<Proven>>,
    last: Option<LastTest>,
    /// Tests, and passes over the namespaces, that failed one after the other.
    failed_tests: u32,
    failed_passes: u32,
}

/// A content that passed a test; `None` for a Public registry.
struct Proven(Option<Zeroizing<Vec<u8>>>);

/// The last test.
#[derive(Clone)]
struct LastTest {
    of: TestedWith,
    at: Timestamp,
    again: Instant,
    tested: Tested,
}

/// What a test was made with: another content, host or probe wants another test.
#[derive(Clone, PartialEq, Eq)]
struct TestedWith {
    content: ContentHash,
    host: String,
    probe: Option<Probe>,
}

impl World {
    pub(super) async fn reconcile(&self, registry: Arc<Registry>) -> Result<Action, Trouble> {
        self.is_listed().await;
        let desired = self.desired(&registry);
        let prepared = credential::prepare(
            &registry,
            &self.credentials,
            &self.own_namespace,
            Timestamp::now(),
        );
        let mut outcome = Outcome {
            host: None,
            valid: Side::unknown("NotChecked", ""),
            authenticated: Side::unknown("NotTested", "there is nothing to test with yet"),
            synced: Side::unknown("Waiting", "waits for a credential that works"),
            expires_at: None,
            last_tested_at: None,
            desired: desired.len(),
            in_sync: 0,
            pods: None,
        };
        let mut next = TEST_EVERY;
        match prepared {
            Ok(prepared) => {
                outcome.host = Some(prepared.host.clone());
                outcome.expires_at = prepared.expires_at;
                outcome.valid = Side::good("Valid", prepared.notes.join("; "));
                let last = self.tested(&registry, &prepared).await;
                next = last.again.saturating_duration_since(Instant::now());
                outcome.last_tested_at = Some(last.at);
                outcome.authenticated = self.authenticated(&registry, &prepared, &last.tested);
            }
            Err(refused) => {
                outcome.host = refused.host;
                outcome.valid = Side::bad(refused.reason, refused.message);
            }
        }
        let proven = self.memory(&registry, |memory| memory.proven.clone());
        let is_public = proven.as_ref().is_some_and(|proven| proven.0.is_none());
        if is_public {
            outcome.synced = Side::good("NoPullSecret", "a Public registry needs no pull secret");
            outcome.in_sync = desired.len();
        } else {
            let content = proven.as_ref().and_then(|proven| proven.0.as_deref());
            let sync = Sync {
                client: &self.client,
                secrets: &self.secrets,
                registry: &registry,
            };
            let synced = sync.run(&desired, content.map(Vec::as_slice)).await;
            outcome.in_sync = synced.in_sync;
            outcome.synced = side(&registry, &synced, desired.len(), proven.is_some());
            next = next.min(self.retry(&registry, &synced));
        }
        outcome.pods = self.pods(&registry, &desired).await;
        self.write(&registry, &outcome).await?;
        Ok(Action::requeue(next.max(Duration::from_millis(100))))
    }

    /// What is not listed yet would be taken for missing. A watch that is gone ends the controller, and this with it.
    async fn is_listed(&self) {
        let _ = self.namespaces.wait_until_ready().await;
        let _ = self.secrets.wait_until_ready().await;
        let _ = self.credentials.wait_until_ready().await;
    }

    /// The namespaces that are to have a pull secret, in the order of their names.
    fn desired(&self, registry: &Registry) -> Vec<String> {
        let all = self.namespaces.state();
        let wanted = |namespace: &&Arc<PartialObjectMeta<Namespace>>| {
            let meta = namespace.meta();
            let name = meta.name.as_deref().unwrap_or_default();
            let labels = meta.labels.clone().unwrap_or_default();
            meta.deletion_timestamp.is_none() && registry.spec.namespaces.matches(name, &labels)
        };
        let mut names: Vec<_> = all
            .iter()
            .filter(wanted)
            .filter_map(|namespace| namespace.meta().name.clone())
            .collect();
        names.sort();
        names
    }

    /// The last test, or a new one where it is due.
    async fn tested(&self, registry: &Registry, prepared: &Prepared) -> LastTest {
        let with = TestedWith {
            content: ContentHash::of(prepared.content.as_deref().map_or(&[], Vec::as_slice)),
            host: prepared.host.clone(),
            probe: prepared.probe.clone(),
        };
        let last = self.memory(registry, |memory| memory.last.clone());
        if let Some(last) = last.filter(|last| last.of == with && last.again > Instant::now()) {
            return last;
        }
        let credential = prepared.credential.clone();
        let probe = prepared.probe.as_ref();
        let tested = live_test::test(&self.registries, &prepared.host, credential, probe).await;
        let passed = tested.cause.is_none();
        self.memory(registry, |memory| {
            memory.failed_tests = if passed { 0 } else { memory.failed_tests + 1 };
            if passed {
                memory.proven = Some(Arc::new(Proven(prepared.content.clone())));
            }
            let last = LastTest {
                of: with,
                at: Timestamp::now(),
                again: Instant::now() + pause(memory.failed_tests, registry),
                tested,
            };
            memory.last = Some(last.clone());
            last
        })
    }

    fn authenticated(&self, registry: &Registry, prepared: &Prepared, tested: &Tested) -> Side {
        let Some(cause) = tested.cause else {
            return Side::good("Accepted", tested.message.clone());
        };
        let proven = self.memory(registry, |memory| memory.proven.clone());
        let so_far = match &proven {
            Some(proven) if proven.0 == prepared.content => {
                "it worked before, so the pull secrets stay as they are. "
            }
            Some(_) => "the new credential is not used, the pull secrets keep the one before. ",
            // What another replica had proven is not known here, and nothing is written in its place.
            None if self.has_kept(registry) => "the pull secrets stay as they are. ",
            None => "",
        };
        let reason = match cause {
            _ if !so_far.is_empty() => "Degraded",
            Cause::Unauthorized => "Refused",
            Cause::Unavailable => "Unreachable",
            Cause::NotFound => "ProbeNotFound",
            _ => "NotAllowed",
        };
        Side::bad(reason, format!("{so_far}{}", tested.message))
    }

    /// Whether pull secrets of this registry are there.
    fn has_kept(&self, registry: &Registry) -> bool {
        let name = registry.metadata.name.as_deref();
        let all = self.secrets.state();
        all.iter().any(|secret| secret.registry() == name)
    }

    /// When to look again for what could not be done.
    fn retry(&self, registry: &Registry, synced: &Synced) -> Duration {
        let waits = !synced.troubles.is_empty();
        let pause = self.memory(registry, |memory| {
            memory.failed_passes = if waits { memory.failed_passes + 1 } else { 0 };
            pause(memory.failed_passes, registry)
        });
        let is_left = !synced.still_named.is_empty() || !synced.conflicts.is_empty();
        match (waits, is_left) {
            (true, _) => pause,
            (false, true) => LOOK_AGAIN,
            (false, false) => TEST_EVERY * 2,
        }
    }

    /// Pods that name a pull secret of this registry; `None` where they cannot be counted.
    async fn pods(&self, registry: &Registry, desired: &[String]) -> Option<u32> {
        let census = {
            let mut counted = self.counted.lock().await;
            match &*counted {
                Some((at, census)) if at.elapsed() < COUNT_EVERY => Arc::clone(census),
                _ => {
                    let census = Arc::new(census::take(&self.client).await.ok()?);
                    *counted = Some((Instant::now(), Arc::clone(&census)));
                    census
                }
            }
        };
        let name = registry.pull_secret_name();
        let of = |namespace: &String| census.get(&(namespace.clone(), name.to_owned()));
        Some(desired.iter().filter_map(of).sum())
    }

    async fn write(&self, registry: &Registry, outcome: &Outcome) -> Result<(), Trouble> {
        let status = outcome.status(registry, Timestamp::now());
        if registry.status.as_ref() == Some(&status) {
            return Ok(());
        }
        let name = registry.metadata.name.as_deref().unwrap_or_default();
        let api: Api<Registry> = Api::all(self.client.clone());
        let patch = Patch::Merge(json!({"status": status}));
        let written = api
            .patch_status(name, &PatchParams::default(), &patch)
            .await;
        match written {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.code == 404 => return Ok(()),
            Err(error) => return Err(trouble::of(&error, "patch", "registries/status", "")),
        }
        for (kind, side) in outcome.turns(registry) {
            let note = format!("{kind}: {}", side.message);
            let is_warning = side.holds == Some(false);
            self.tell.tell(registry, is_warning, side.reason, &note);
        }
        Ok(())
    }

    fn memory<T>(&self, registry: &Registry, look: impl FnOnce(&mut Memory) -> T) -> T {
        let uid = registry.metadata.uid.clone().unwrap_or_default();
        look(self.memories().entry(uid).or_default())
    }

    /// Forgets the registries that are gone.
    pub(super) fn forget(&self, known: &[Arc<Registry>]) {
        let uids: Vec<_> = known
            .iter()
            .filter_map(|one| one.metadata.uid.as_ref())
            .collect();
        self.memories().retain(|uid, _| uids.contains(&uid));
    }

    fn memories(&self) -> MutexGuard<'_, HashMap<String, Memory>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long until the next test, after so many failures; registries of other names wait a little longer or shorter.
fn pause(failures: u32, registry: &Registry) -> Duration {
    let pause = match failures {
        0 => TEST_EVERY,
        many => FIRST_RETRY
            .saturating_mul(2_u32.saturating_pow(many.min(10) - 1))
            .min(TEST_EVERY),
    };
    let name = registry.metadata.name.as_deref().unwrap_or_default();
    let jitter: u32 = name.bytes().fold(7, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(byte.into())
    });
    pause.mul_f64(0.9 + 0.2 * f64::from(jitter % 1000) / 1000.0)
}

fn side(registry: &Registry, synced: &Synced, desired: usize, is_proven: bool) -> Side {
    let name = registry.pull_secret_name();
    if let Some(trouble) = synced.troubles.first() {
        let more = synced.troubles.len() - 1;
        let more = if more > 0 {
            format!(" (and {more} more)")
        } else {
            String::new()
        };
        return Side::bad("Failed", format!("{trouble}{more}"));
    }
    if !synced.conflicts.is_empty() {
        return Side::bad(
            "Conflict",
            format!(
                "a Secret {name} that is not this Registry's stands in {}: delete it, or choose another spec.pullSecret.name",
                named(&synced.conflicts)
            ),
        );
    }
    if !is_proven && synced.in_sync < desired {
        return Side::unknown("Waiting", "waits for a credential that works");
    }
    if !synced.still_named.is_empty() {
        return Side::good(
            "Synced",
            format!(
                "{name} stays in {}, which get it no more, until no Pod names it",
                named(&synced.still_named)
            ),
        );
    }
    Side::good(
        "Synced",
        format!("{name} is in {} of {desired} namespaces", synced.in_sync),
    )
}

fn named(namespaces: &[String]) -> String {
    let first: Vec<_> = namespaces.iter().take(NAMED).map(String::as_str).collect();
    match namespaces.len().saturating_sub(NAMED) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}
