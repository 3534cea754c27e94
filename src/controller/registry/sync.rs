//! The pull secrets of one `Registry`: put where they are wanted, put back where they were changed, taken away where they
//! are not wanted any more and no Pod names them.

use std::sync::Arc;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use futures_util::{StreamExt as _, stream};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::{
    Api, Client, Resource as _,
    api::{DeleteParams, Patch, PatchParams, Preconditions},
};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::{
    census,
    objects::{ContentHash, KeptSecret, MANAGER},
    pace::Paces,
    places::Places,
    rivals::Rivals,
    synced::Synced,
    watches::Known,
};
use crate::{
    api::{
        labels,
        registry::{Deletion, Registry},
    },
    controller::trouble::{self, Trouble},
    domain::{docker_config::SecretType, selector::Labels},
};

/// Writes under way at once, of all registries: so many that a namespace does not wait for a thousand others, and few enough
/// that an API server's share for one client (API Priority and Fairness) is not filled.
pub(super) const AT_ONCE: usize = 32;

/// Of these, those of one registry.
const OF_ONE: usize = 16;

/// How a pull secret stands in one namespace.
enum Place {
    Right,
    /// Somebody else's, or another Registry's.
    Taken(Option<String>),
    Missing,
    /// Ours, and not as it should be.
    Wrong(Arc<KeptSecret>),
}

/// What is to be done in one namespace.
enum Step {
    /// `over`: it is ours, so whatever was changed is put back.
    Apply {
        namespace: String,
        over: Option<Arc<KeptSecret>>,
    },
    Remove(Arc<KeptSecret>),
}

/// What one step came to.
enum Done {
    InSync,
    Removed,
    Conflict(String),
    StillNamed(String),
    Failed(String, Trouble),
}

/// The pull secrets of one `Registry`.
pub(super) struct Sync<'a> {
    pub(super) client: &'a Client,
    pub(super) secrets: &'a Known<KeptSecret>,
    pub(super) registry: &'a Registry,
    pub(super) rivals: Rivals<'a>,
    pub(super) places: &'a Places,
    pub(super) paces: &'a Paces,
    pub(super) writes: &'a Semaphore,
}

impl Sync<'_> {
    /// Brings `content` into the namespaces that want it. Without a content, nothing is written and nothing changed.
    pub(super) async fn run(&self, content: Option<&[u8]>) -> Synced {
        let mut synced = Synced::default();
        let steps = self.steps(content, &mut synced);
        let steps = stream::iter(steps).map(|step| self.take(step, content));
        let mut done = steps.buffer_unordered(OF_ONE);
        while let Some(done) = done.next().await {
            match done {
                Done::InSync => synced.in_sync += 1,
                Done::Removed => {}
                Done::Conflict(namespace) => synced.conflicts.push((namespace, None)),
                Done::StillNamed(namespace) => synced.still_named.push(namespace),
                Done::Failed(namespace, trouble) => {
                    self.paces.failed(self.uid(), &namespace, trouble.clone());
                }
            }
        }
        synced.conflicts.sort();
        synced.still_named.sort();
        synced.contested = self.paces.contested(self.uid());
        synced.troubles = self.paces.troubles(self.uid());
        synced
    }

    fn name(&self) -> &str {
        self.registry.metadata.name.as_deref().unwrap_or_default()
    }

    fn uid(&self) -> &str {
        self.registry.metadata.uid.as_deref().unwrap_or_default()
    }

    /// The steps that are due. What needs none is counted at once.
    fn steps(&self, content: Option<&[u8]>, synced: &mut Synced) -> Vec<Step> {
        let left = self.left();
        let is_left = |namespace: &str| {
            let in_it = |secret: &Arc<KeptSecret>| secret.namespace() == namespace;
            left.iter().any(in_it)
        };
        let is_wanted = |namespace: &str| self.places.wanted.contains_key(namespace);
        self.paces.retain(self.uid(), |namespace| {
            is_wanted(namespace) || is_left(namespace)
        });
        let wanted = content.map(ContentHash::of);
        let mut steps = Vec::new();
        for (namespace, labels) in &self.places.wanted {
            let over = match self.place(namespace, labels, wanted) {
                Place::Right => {
                    self.paces.is_right(self.uid(), namespace);
                    synced.in_sync += 1;
                    continue;
                }
                Place::Taken(by) => {
                    self.paces.is_right(self.uid(), namespace);
                    synced.conflicts.push((namespace.clone(), by));
                    continue;
                }
                Place::Missing => None,
                Place::Wrong(secret) => Some(secret),
            };
            if wanted.is_some_and(|wanted| self.paces.may_write(self.uid(), namespace, wanted)) {
                let namespace = namespace.clone();
                steps.push(Step::Apply { namespace, over });
            }
        }
        let due = |secret: &Arc<KeptSecret>| self.paces.may_try(self.uid(), secret.namespace());
        steps.extend(left.into_iter().filter(due).map(Step::Remove));
        steps
    }

    fn place(&self, namespace: &str, labels: &Labels, wanted: Option<ContentHash>) -> Place {
        let Some(secret) = self
            .secrets
            .get(namespace, self.registry.pull_secret_name())
        else {
            return match self.rivals.first(namespace, labels) {
                Some(other) => Place::Taken(Some(other.to_owned())),
                None => Place::Missing,
            };
        };
        match secret.registry() {
            Some(own) if own == self.name() => {}
            Some(other) if self.rivals.is_there(other) => {
                return Place::Taken(Some(other.to_owned()));
            }
            // The Registry that had it is gone, and so nobody looks after it.
            Some(_) if secret.is_cotters => return Place::Wrong(secret),
            _ => return Place::Taken(None),
        }
        let owner = (self.registry.spec.deletion == Deletion::Delete).then(|| self.uid());
        let is_right = secret.content == wanted && secret.goes_with(owner);
        if is_right || wanted.is_none() {
            Place::Right
        } else {
            Place::Wrong(secret)
        }
    }

    /// The pull secrets that are not wanted any more.
    fn left(&self) -> Vec<Arc<KeptSecret>> {
        let mut kept = self.secrets.all();
        kept.retain(|secret| {
            let is_renamed = secret.name() != self.registry.pull_secret_name();
            secret.registry() == Some(self.name())
                && (is_renamed || self.places.is_left(secret.namespace()))
        });
        kept
    }

    async fn take(&self, step: Step, content: Option<&[u8]>) -> Done {
        // Closed by nobody.
        let _turn = self.writes.acquire().await;
        match step {
            Step::Apply { namespace, over } => {
                let content = content.unwrap_or_default();
                self.apply(namespace, content, over.as_deref()).await
            }
            Step::Remove(secret) => self.remove(&secret).await,
        }
    }

    async fn apply(&self, namespace: String, content: &[u8], over: Option<&KeptSecret>) -> Done {
        let name = self.registry.pull_secret_name();
        let mut params = PatchParams::apply(MANAGER);
        params.force = over.is_some();
        let secret = self.secret(&namespace, content);
        let api: Api<KeptSecret> = Api::namespaced(self.client.clone(), &namespace);
        let wanted = ContentHash::of(content);
        match api.patch(name, &params, &Patch::Apply(&secret)).await {
            Ok(made) if made.content == Some(wanted) => {
                let revision = made.meta().resource_version.as_deref().unwrap_or_default();
                let by = over.and_then(|over| over.changed_by.as_deref());
                let place = (self.uid(), &*namespace);
                tracing::debug!(
                    registry = self.name(),
                    namespace,
                    secret = name,
                    "pull secret written"
                );
                self.paces.wrote(place, wanted, revision, by);
                Done::InSync
            }
            Ok(_) => {
                let said = format!(
                    "the Secret {name} in namespace {namespace} was written and holds something else: look for a mutating \
                     webhook that changes Secrets"
                );
                Done::Failed(namespace, Trouble::from(said))
            }
            Err(kube::Error::Api(status)) if status.code == 409 && over.is_none() => {
                Done::Conflict(namespace)
            }
            Err(error) => {
                let trouble = trouble::of(&error, "patch", "secrets", &namespace);
                Done::Failed(namespace, trouble)
            }
        }
    }

    fn secret(&self, namespace: &str, content: &[u8]) -> Value {
        let mut metadata = json!({
            "name": self.registry.pull_secret_name(),
            "namespace": namespace,
            "labels": {labels::REGISTRY: self.name(), "app.kubernetes.io/managed-by": "cotter"},
        });
        let owner = self.registry.owner_ref(&()).map(|owner| OwnerReference {
            block_owner_deletion: None,
            controller: None,
            ..owner
        });
        if let (Deletion::Delete, Some(owner), Some(metadata)) =
            (self.registry.spec.deletion, owner, metadata.as_object_mut())
        {
            metadata.insert("ownerReferences".to_owned(), json!([owner]));
        }
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": metadata,
            "type": "kubernetes.io/dockerconfigjson",
            "data": {SecretType::DockerConfigJson.data_key(): BASE64_STANDARD.encode(content)},
        })
    }

    /// A Pod that names a pull secret may be started anew on another node, and pulls again then.
    async fn remove(&self, secret: &KeptSecret) -> Done {
        let (namespace, name) = (secret.namespace(), secret.name());
        let failed = |error, verb, resource| {
            let trouble = trouble::of(&error, verb, resource, namespace);
            Done::Failed(namespace.to_owned(), trouble)
        };
        match census::names(self.client, namespace, name).await {
            Ok(true) => return Done::StillNamed(namespace.to_owned()),
            Ok(false) => {}
            Err(error) => return failed(error, "list", "pods"),
        }
        let params = DeleteParams {
            preconditions: Some(Preconditions {
                uid: secret.meta().uid.clone(),
                resource_version: None,
            }),
            ..DeleteParams::default()
        };
        let api: Api<KeptSecret> = Api::namespaced(self.client.clone(), namespace);
        match api.delete(name, &params).await {
            Ok(_) => {
                tracing::debug!(
                    registry = self.name(),
                    namespace,
                    secret = name,
                    "pull secret removed"
                );
                Done::Removed
            }
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Done::Removed,
            Err(error) => failed(error, "delete", "secrets"),
        }
    }
}
