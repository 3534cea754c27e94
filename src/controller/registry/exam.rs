//! Examinations: whether spec and credential of a `Registry` can work, and whether they do. A registry or a cloud may take its
//! time to answer, so they are made beside the looks, which go on with what was found last.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{Stream, StreamExt as _, stream};
use jiff::Timestamp;
use kube::runtime::reflector::ObjectRef;
use tokio::{sync::mpsc, time::Instant};

use super::{
    board::What,
    conditions::{Outcome, Side},
    credential::{self, Refused, Sources},
    proof::TEST_EVERY,
    reconcile::{LOOK_AGAIN, World},
};
use crate::api::registry::Registry;

/// Examinations at once: one that waits for a registry without an answer is not to keep the others waiting.
const AT_ONCE: usize = 16;

/// What has been found of each `Registry`, by its uid.
pub(super) struct Exams {
    known: Mutex<HashMap<String, Exam>>,
    wanted: mpsc::UnboundedSender<Arc<Registry>>,
}

#[derive(Default)]
struct Exam {
    is_under_way: bool,
    last: Option<(Version, Finding)>,
}

/// What an examination is of: another one wants another examination.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Version {
    generation: Option<i64>,
    /// The `resourceVersion` of the credential's Secret.
    credential: Option<String>,
    /// Whether the Secrets can be read.
    is_read: bool,
}

/// What an examination came to.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    host: Option<String>,
    expires_at: Option<Timestamp>,
    last_tested_at: Option<Timestamp>,
    valid: Side,
    authenticated: Option<Side>,
    /// When it is to be made again.
    again: Instant,
}

// === impl Exams ===

impl Exams {
    /// None yet, and those that are wanted.
    pub(super) fn new() -> (Self, mpsc::UnboundedReceiver<Arc<Registry>>) {
        let (wanted, asked_for) = mpsc::unbounded_channel();
        let exams = Self {
            known: Mutex::default(),
            wanted,
        };
        (exams, asked_for)
    }

    /// What was found of this version, and how long that serves. An examination that is due is asked for; its end has the
    /// `Registry` looked at again.
    fn look(&self, registry: &Arc<Registry>, version: &Version) -> (Option<Finding>, Duration) {
        let uid = registry.metadata.uid.clone().unwrap_or_default();
        let mut known = self.lock();
        let exam = known.entry(uid).or_default();
        let last = exam.last.as_ref().filter(|(of, _)| of == version);
        let finding = last.map(|(_, finding)| finding.clone());
        let now = Instant::now();
        let again = finding.as_ref().map(|finding| finding.again);
        if let Some(again) = again.filter(|again| *again > now) {
            return (finding, again - now);
        }
        if !exam.is_under_way {
            exam.is_under_way = self.wanted.send(Arc::clone(registry)).is_ok();
        }
        (finding, TEST_EVERY)
    }

    fn found(&self, registry: &Registry, version: Version, finding: Finding) {
        let uid = registry.metadata.uid.as_deref().unwrap_or_default();
        // One that is gone is forgotten.
        if let Some(exam) = self.lock().get_mut(uid) {
            exam.is_under_way = false;
            exam.last = Some((version, finding));
        }
    }

    /// Forgets the registry of this uid, which is gone.
    pub(super) fn forget(&self, uid: &str) {
        self.lock().remove(uid);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Exam>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Finding ===

impl Finding {
    /// Nothing but what is said of spec and credential.
    fn of(valid: Side, again: Duration) -> Self {
        Self {
            host: None,
            expires_at: None,
            last_tested_at: None,
            valid,
            authenticated: None,
            again: Instant::now() + again,
        }
    }

    /// Says it.
    pub(super) fn tell(self, outcome: &mut Outcome) {
        outcome.host = self.host;
        outcome.expires_at = self.expires_at;
        outcome.last_tested_at = self.last_tested_at;
        outcome.valid = self.valid;
        if let Some(authenticated) = self.authenticated {
            outcome.authenticated = authenticated;
        }
    }
}

// === impl World ===

impl World {
    /// What was found of a `Registry` as it is now; `None` while that is not known. And until when to look again.
    pub(super) fn examined(&self, registry: &Arc<Registry>) -> (Option<Finding>, Duration) {
        self.memory.exams.look(registry, &self.version(registry))
    }

    /// Makes the examinations that are wanted, as long as it is polled, and gives each `Registry` that one has ended of.
    pub(super) fn examine(
        self: Arc<Self>,
        wanted: mpsc::UnboundedReceiver<Arc<Registry>>,
    ) -> impl Stream<Item = ObjectRef<Registry>> + Send + 'static {
        let wanted = stream::unfold(wanted, |mut wanted| async move {
            let registry = wanted.recv().await?;
            Some((registry, wanted))
        });
        wanted
            .map(move |registry| {
                let world = Arc::clone(&self);
                async move {
                    let version = world.version(&registry);
                    let finding = world.finding(&registry).await;
                    world.memory.exams.found(&registry, version, finding);
                    ObjectRef::from_obj(&*registry)
                }
            })
            .buffer_unordered(AT_ONCE)
    }

    fn version(&self, registry: &Registry) -> Version {
        let named = registry.spec.credentials.as_ref();
        let secret = named.and_then(|credentials| {
            let key = ObjectRef::new(&credentials.secret_ref.name).within(&self.own_namespace);
            self.credentials.get(&key)
        });
        Version {
            generation: registry.metadata.generation,
            credential: secret.and_then(|secret| secret.metadata.resource_version.clone()),
            is_read: self.board.unread(What::Credentials).is_empty(),
        }
    }

    /// Checks spec and credential, and asks the registry where that is due.
    async fn finding(&self, registry: &Registry) -> Finding {
        if let Some(trouble) = self.board.unread(What::Credentials).into_values().next() {
            return Finding::of(Side::unknown("NotRead", trouble.text), LOOK_AGAIN);
        }
        let sources = Sources {
            credentials: &self.credentials,
            passwords: &self.memory.passwords,
            own_namespace: &self.own_namespace,
            now: Timestamp::now(),
        };
        let prepared = match credential::prepare(registry, &sources).await {
            Ok(prepared) => prepared,
            Err(refused) => return self.refused(registry, refused),
        };
        let proofs = &self.memory.proofs;
        let last = proofs.tested(&self.asked, registry, &prepared).await;
        let kept = self.has_kept(registry);
        Finding {
            authenticated: Some(proofs.side(registry, &prepared, &last, kept)),
            host: Some(prepared.host),
            expires_at: prepared.expires_at,
            last_tested_at: Some(last.at),
            valid: valid(&prepared.notes),
            again: last.again,
        }
    }

    fn refused(&self, registry: &Registry, refused: Refused) -> Finding {
        let Refused {
            host,
            reason,
            mut message,
            is_valid,
        } = refused;
        if self.has_kept(registry) {
            message.push_str(". The pull secrets stay as they are");
        }
        let said = Side::bad(reason, message);
        let finding = if is_valid {
            Finding {
                authenticated: Some(said),
                ..Finding::of(valid(&[]), LOOK_AGAIN)
            }
        } else {
            Finding::of(said, TEST_EVERY)
        };
        Finding { host, ..finding }
    }

    /// Whether pull secrets of this registry are there.
    fn has_kept(&self, registry: &Registry) -> bool {
        let name = registry.metadata.name.as_deref();
        let all = self.secrets.all();
        all.iter().any(|secret| secret.registry() == name)
    }
}

fn valid(notes: &[String]) -> Side {
    let said = match notes {
        [] => "the spec and the keys of the credential are well".to_owned(),
        notes => notes.join("; "),
    };
    Side::good("Valid", said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::registry::RegistrySpec;

    fn registry() -> Arc<Registry> {
        let mut registry = Registry::new("my-ghcr", RegistrySpec::default());
        registry.metadata.uid = Some("uid".to_owned());
        Arc::new(registry)
    }

    fn version(generation: i64) -> Version {
        Version {
            generation: Some(generation),
            credential: None,
            is_read: true,
        }
    }

    fn finding() -> Finding {
        Finding::of(valid(&[]), TEST_EVERY)
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_found_serves_until_it_is_due_and_one_examination_is_asked_for() {
        let (exams, mut wanted) = Exams::new();
        let registry = registry();
        for _ in 0..3 {
            assert!(exams.look(&registry, &version(1)).0.is_none());
        }
        assert!(wanted.try_recv().is_ok() && wanted.try_recv().is_err());
        exams.found(&registry, version(1), finding());
        let (found, serves) = exams.look(&registry, &version(1));
        assert!(found.is_some() && serves == TEST_EVERY);
        assert!(wanted.try_recv().is_err());

        tokio::time::advance(TEST_EVERY).await;
        let (found, _) = exams.look(&registry, &version(1));
        assert!(found.is_some(), "it serves while the next is made");
        assert!(wanted.try_recv().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn another_version_is_examined_at_once_and_nothing_is_said_of_it_before() {
        let (exams, mut wanted) = Exams::new();
        let registry = registry();
        exams.look(&registry, &version(1));
        let _ = wanted.try_recv();
        exams.found(&registry, version(1), finding());
        assert!(exams.look(&registry, &version(2)).0.is_none());
        assert!(wanted.try_recv().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn what_ends_after_its_registry_has_gone_leaves_nothing() {
        let (exams, _wanted) = Exams::new();
        exams.look(&registry(), &version(1));
        exams.forget("uid");
        exams.found(&registry(), version(1), finding());
        assert!(exams.lock().is_empty());
    }
}
