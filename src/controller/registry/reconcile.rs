//! One look at one `Registry`: its spec and its credential, what the registry says to it, the pull secrets, the status.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use kube::{
    Api, Client,
    api::{Patch, PatchParams},
    runtime::{controller::Action, reflector::Store},
};
use serde_json::{Value, json};
use smol_str::SmolStr;
use tokio::{sync::Semaphore, time::Instant};

use super::{
    Tell,
    board::Board,
    conditions::{Outcome, Side},
    memory::Memory,
    objects::{CredentialSecret, KeptSecret},
    places::Places,
    proof::{self, TEST_EVERY},
    rivals::Rivals,
    sync::Sync,
    watches::{Known, KnownNamespaces},
};
use crate::{
    api::registry::{Kind, Registry, RegistryStatus},
    controller::trouble::{self, Trouble},
    registry,
    telemetry::metrics::Metrics,
};

/// How often it is looked whether Pods still name what is to go, whether what stands in the way has gone, and whether what is
/// missing has come.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Between two looks that nothing but the clock asks for.
const SHORTEST: Duration = Duration::from_millis(100);

/// What all looks share.
pub(super) struct World {
    pub(super) client: Client,
    pub(super) own_namespace: String,
    /// The namespaces that are looked after; `None` stands for all.
    pub(super) parts: Vec<Option<SmolStr>>,
    pub(super) asked: registry::client::Client,
    pub(super) known: Store<Registry>,
    pub(super) namespaces: KnownNamespaces,
    pub(super) secrets: Known<KeptSecret>,
    pub(super) credentials: Store<CredentialSecret>,
    pub(super) writes: Semaphore,
    pub(super) board: Arc<Board>,
    pub(super) memory: Arc<Memory>,
    pub(super) tell: Arc<dyn Tell>,
    pub(super) metrics: Arc<Metrics>,
}

impl World {
    pub(super) async fn reconcile(&self, registry: Arc<Registry>) -> Result<Action, Trouble> {
        // What is not listed yet would be taken for missing.
        self.board.settled().await;
        let places = Places::of(&registry, &self.namespaces, &self.board, &self.parts);
        let mut outcome = Outcome::unknown(places.desired);
        let (finding, next_exam) = self.examined(&registry);
        let next_pass = self.sync(&registry, &places, &mut outcome).await;
        let mut next = next_exam.min(next_pass);
        // What is said waits for the verdict on what is there now.
        if let Some(finding) = finding {
            finding.tell(&mut outcome);
            next = next.min(self.tell(&registry, &outcome).await?);
        }
        Ok(Action::requeue(next.max(SHORTEST)))
    }

    /// Brings the pull secrets where they are wanted; until the next look at them.
    async fn sync(&self, registry: &Registry, places: &Places, outcome: &mut Outcome) -> Duration {
        let proven = self.memory.proofs.proven(registry);
        let content = proven.as_ref().map(|proven| proven.0.as_deref());
        if content == Some(None) {
            outcome.synced = Side::good("NoPullSecret", "a Public registry needs no pull secret");
            outcome.in_sync = places.desired;
            return TEST_EVERY;
        }
        let content = content.flatten().map(Vec::as_slice);
        let sync = Sync {
            client: &self.client,
            secrets: &self.secrets,
            registry,
            rivals: Rivals::of(registry, &self.known),
            places,
            paces: &self.memory.paces,
            writes: &self.writes,
        };
        let synced = sync.run(content).await;
        outcome.in_sync = synced.in_sync;
        outcome.synced = synced.side(registry, places, content.is_some());
        let uid = registry.metadata.uid.as_deref().unwrap_or_default();
        let mut troubles = synced.troubles;
        outcome.pods = self.pods(registry, places, &mut troubles).await;
        let is_waiting =
            !(synced.still_named.is_empty() && synced.conflicts.is_empty() && troubles.is_empty());
        self.board.looked(uid, troubles);
        let next = self.memory.paces.next(uid);
        let paced = next.map(|next| next.saturating_duration_since(Instant::now()));
        let looked = is_waiting.then_some(LOOK_AGAIN);
        paced.into_iter().chain(looked).min().unwrap_or(TEST_EVERY)
    }

    /// Pods that name a pull secret of this registry; `None` where they cannot be counted.
    async fn pods(
        &self,
        registry: &Registry,
        places: &Places,
        troubles: &mut Vec<Trouble>,
    ) -> Option<u32> {
        let counted = self.memory.counted(&self.client, &self.parts).await;
        troubles.extend(counted.troubles.iter().cloned());
        if counted.troubles.len() == self.parts.len() {
            return None;
        }
        let name = registry.pull_secret_name();
        let of = |namespace: &String| counted.census.get(&(namespace.clone(), name.to_owned()));
        Some(places.wanted.keys().filter_map(of).sum())
    }

    /// Says how it stands; until it is to be said again. Counts alone are said now and then.
    async fn tell(&self, registry: &Registry, outcome: &Outcome) -> Result<Duration, Trouble> {
        let registry = &self.memory.statuses.latest(registry);
        let status = outcome.status(registry, proof::now());
        let name = registry.metadata.name.as_deref().unwrap_or_default();
        // What cotter renews by itself ends all the time.
        let expires = outcome
            .expires_at
            .filter(|_| registry.spec.kind != Kind::Ecr);
        let expires = expires.map(Timestamp::as_second);
        self.metrics
            .objects
            .stands(name, outcome.is_ready(), expires);
        if registry.status.as_ref() == Some(&status) {
            return Ok(TEST_EVERY);
        }
        let turns = outcome.turns(registry);
        let pause = self.memory.statuses.pause(registry);
        if turns.is_empty() && !pause.is_zero() {
            return Ok(pause);
        }
        self.write(name, &status).await?;
        self.memory.statuses.wrote(registry, status);
        for (kind, side) in turns {
            let note = format!("{kind}: {}", side.message);
            let is_warning = side.holds == Some(false);
            if is_warning {
                tracing::warn!(registry = name, reason = side.reason, "{note}");
            } else {
                tracing::info!(registry = name, reason = side.reason, "{note}");
            }
            self.tell.tell(registry, is_warning, side.reason, &note);
        }
        Ok(TEST_EVERY)
    }

    async fn write(&self, name: &str, status: &RegistryStatus) -> Result<(), Trouble> {
        let api: Api<Registry> = Api::all(self.client.clone());
        let patch = Patch::Merge(json!({"status": merged(status)}));
        let params = PatchParams::default();
        match api.patch_status(name, &params, &patch).await {
            Ok(_) => Ok(()),
            // It has just gone.
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            Err(error) => Err(trouble::of(&error, "patch", "registries/status", "")),
        }
    }
}

/// The status as a merge patch: what it does not name any more goes.
fn merged(status: &RegistryStatus) -> Value {
    let mut merged = json!({"host": null, "expiresAt": null, "lastTestedAt": null, "pods": null});
    if let (Some(merged), Value::Object(status)) = (merged.as_object_mut(), json!(status)) {
        merged.extend(status);
    }
    merged
}
