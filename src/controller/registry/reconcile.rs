//! One look at one `Registry`: its spec and its credential, what the registry says to it, the pull secrets, the status.

use std::{sync::Arc, time::Duration};

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

use super::{
    Tell,
    census::{self, Census},
    conditions::{Outcome, Side},
    credential::{self, Refused, Sources},
    ecr::Passwords,
    objects::{CredentialSecret, KeptSecret},
    proof::{Proofs, Proven, TEST_EVERY},
    sync::Sync,
};
use crate::{
    api::registry::Registry,
    controller::trouble::{self, Trouble},
    registry,
    telemetry::metrics::Metrics,
};

/// Between two counts of Pods, which all registries share: a count lists every Pod of the cluster.
const COUNT_EVERY: Duration = TEST_EVERY;

/// How often it is looked whether Pods still name what is to go, and whether what stands in the way has gone.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Between two looks that nothing but the clock asks for.
const SHORTEST: Duration = Duration::from_millis(100);

/// What all looks share.
pub(super) struct World {
    pub(super) client: Client,
    pub(super) own_namespace: String,
    pub(super) registries: registry::client::Client,
    pub(super) namespaces: Store<PartialObjectMeta<Namespace>>,
    pub(super) secrets: Store<KeptSecret>,
    pub(super) credentials: Store<CredentialSecret>,
    pub(super) proofs: Arc<Proofs>,
    pub(super) passwords: Arc<Passwords>,
    pub(super) counted: Turn<Option<(Instant, Arc<Census>)>>,
    pub(super) tell: Arc<dyn Tell>,
    pub(super) metrics: Arc<Metrics>,
}

impl World {
    pub(super) async fn reconcile(&self, registry: Arc<Registry>) -> Result<Action, Trouble> {
        self.are_listed().await;
        let desired = self.desired(&registry);
        let mut outcome = Outcome::unknown(desired.len());
        let next_test = self.authenticate(&registry, &mut outcome).await;
        let proven = self.proofs.proven(&registry);
        let next_pass = self.sync(&registry, &desired, proven, &mut outcome).await;
        outcome.pods = self.pods(&registry, &desired).await;
        self.write(&registry, &outcome).await?;
        Ok(Action::requeue(next_test.min(next_pass).max(SHORTEST)))
    }

    /// What is not listed yet would be taken for missing. A watch that is gone ends the controller, and this with it.
    async fn are_listed(&self) {
        let _ = self.namespaces.wait_until_ready().await;
        let _ = self.secrets.wait_until_ready().await;
        let _ = self.credentials.wait_until_ready().await;
    }

    /// The namespaces that are to have a pull secret, in the order of their names.
    fn desired(&self, registry: &Registry) -> Vec<String> {
        let all = self.namespaces.state();
        let wanted = all.iter().filter_map(|namespace| {
            let meta = namespace.meta();
            let name = meta.name.as_deref()?;
            let labels = meta.labels.clone().unwrap_or_default();
            let is_wanted = meta.deletion_timestamp.is_none()
                && registry.spec.namespaces.matches(name, &labels);
            is_wanted.then(|| name.to_owned())
        });
        let mut names: Vec<_> = wanted.collect();
        names.sort();
        names
    }

    /// Checks spec and credential, and asks the registry where that is due; until the next test.
    async fn authenticate(&self, registry: &Registry, outcome: &mut Outcome) -> Duration {
        let sources = Sources {
            credentials: &self.credentials,
            passwords: &self.passwords,
            own_namespace: &self.own_namespace,
            now: Timestamp::now(),
        };
        let prepared = match credential::prepare(registry, &sources).await {
            Ok(prepared) => prepared,
            Err(refused) => return Self::refused(refused, outcome),
        };
        outcome.host = Some(prepared.host.clone());
        outcome.expires_at = prepared.expires_at;
        outcome.valid = Side::good("Valid", prepared.notes.join("; "));
        let last = self
            .proofs
            .tested(&self.registries, registry, &prepared)
            .await;
        let kept = self.has_kept(registry);
        outcome.last_tested_at = Some(last.at);
        outcome.authenticated = self.proofs.side(registry, &prepared, &last, kept);
        last.again.saturating_duration_since(Instant::now())
    }

    fn refused(refused: Refused, outcome: &mut Outcome) -> Duration {
        let Refused {
            host,
            reason,
            message,
            is_valid,
        } = refused;
        outcome.host = host;
        if !is_valid {
            outcome.valid = Side::bad(reason, message);
            return TEST_EVERY;
        }
        outcome.valid = Side::good("Valid", "");
        outcome.authenticated = Side::bad(reason, message);
        LOOK_AGAIN
    }

    /// Whether pull secrets of this registry are there.
    fn has_kept(&self, registry: &Registry) -> bool {
        let name = registry.metadata.name.as_deref();
        let all = self.secrets.state();
        all.iter().any(|secret| secret.registry() == name)
    }

    /// Brings the pull secrets where they are wanted; until the next look at them.
    async fn sync(
        &self,
        registry: &Registry,
        desired: &[String],
        proven: Option<Arc<Proven>>,
        outcome: &mut Outcome,
    ) -> Duration {
        let content = proven.as_ref().map(|proven| proven.0.as_deref());
        if content == Some(None) {
            outcome.synced = Side::good("NoPullSecret", "a Public registry needs no pull secret");
            outcome.in_sync = desired.len();
            return TEST_EVERY;
        }
        let sync = Sync {
            client: &self.client,
            secrets: &self.secrets,
            registry,
        };
        let content = content.flatten().map(Vec::as_slice);
        let synced = sync.run(desired, content).await;
        outcome.in_sync = synced.in_sync;
        outcome.synced = synced.side(registry, desired.len(), content.is_some());
        let pause = self.proofs.after_pass(registry, synced.troubles.is_empty());
        if synced.still_named.is_empty() && synced.conflicts.is_empty() {
            pause
        } else {
            pause.min(LOOK_AGAIN)
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
        let name = registry.metadata.name.as_deref().unwrap_or_default();
        let expires = outcome.expires_at.map(Timestamp::as_second);
        self.metrics
            .objects
            .stands(name, outcome.is_ready(), expires);
        if registry.status.as_ref() == Some(&status) {
            return Ok(());
        }
        let api: Api<Registry> = Api::all(self.client.clone());
        let patch = Patch::Merge(json!({"status": status}));
        match api
            .patch_status(name, &PatchParams::default(), &patch)
            .await
        {
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
}
