//! The pull secrets of one `Registry`: put where they are wanted, put back where they were changed, taken away where they
//! are not wanted any more and no Pod names them.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use futures_util::{StreamExt as _, stream};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::{
    Api, Client, Resource as _,
    api::{DeleteParams, Patch, PatchParams, Preconditions},
    runtime::reflector::{ObjectRef, Store},
};
use serde_json::{Value, json};

use super::{
    census,
    conditions::Side,
    objects::{ContentHash, KeptSecret},
};
use crate::{
    api::{
        labels,
        registry::{Deletion, Registry},
    },
    controller::trouble::{self, Trouble},
    domain::docker_config::SecretType,
};

/// Who writes pull secrets, as the API server notes it in `managedFields`.
const MANAGER: &str = "cotter-registry";

/// Writes under way at once: so many that a namespace does not wait for a thousand others, and few enough that an API
/// server's share for one client (API Priority and Fairness) is not filled.
const AT_ONCE: usize = 16;

/// What is to be done in one namespace.
enum Step {
    /// `takes_over`: it is ours, so whatever was changed is put back.
    Apply {
        namespace: String,
        takes_over: bool,
    },
    Remove(Box<KeptSecret>),
}

/// What a pass came to.
#[derive(Debug, Default)]
pub(super) struct Synced {
    /// Namespaces whose pull secret is as it should be.
    pub(super) in_sync: usize,
    /// Namespaces in which somebody else keeps a Secret of that name.
    pub(super) conflicts: Vec<String>,
    /// Namespaces that are left and whose Pods still name the pull secret.
    pub(super) still_named: Vec<String>,
    /// What failed.
    pub(super) troubles: Vec<Trouble>,
}

/// How many namespaces a message names.
const NAMED: usize = 5;

// === impl Synced ===

impl Synced {
    /// How the pull secrets stand. `is_proven`: it is known what they are to hold.
    pub(super) fn side(&self, registry: &Registry, desired: usize, is_proven: bool) -> Side {
        let (name, in_sync) = (registry.pull_secret_name(), self.in_sync);
        if let Some(trouble) = self.troubles.first() {
            let more = match self.troubles.len() - 1 {
                0 => String::new(),
                more => format!(" (and {more} more)"),
            };
            return Side::bad("Failed", format!("{trouble}{more}"));
        }
        if !self.conflicts.is_empty() {
            let said = format!(
                "a Secret {name} that is not this Registry's stands in {}: delete it, or choose another \
                 spec.pullSecret.name",
                named(&self.conflicts)
            );
            return Side::bad("Conflict", said);
        }
        if !is_proven && in_sync < desired {
            return Side::unknown("Waiting", "waits for a credential that works");
        }
        let mut said = format!("{name} is in {in_sync} of {desired} namespaces");
        if !self.still_named.is_empty() {
            said = format!(
                "{said}; it stays in {}, which get it no more, until no Pod names it",
                named(&self.still_named)
            );
        }
        Side::good("Synced", said)
    }
}

fn named(namespaces: &[String]) -> String {
    let first: Vec<_> = namespaces.iter().take(NAMED).map(String::as_str).collect();
    match namespaces.len().saturating_sub(NAMED) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

/// What one step came to.
enum Done {
    InSync,
    Removed,
    Conflict(String),
    StillNamed(String),
    Failed(Trouble),
}

/// The pull secrets of one `Registry`.
pub(super) struct Sync<'a> {
    pub(super) client: &'a Client,
    pub(super) secrets: &'a Store<KeptSecret>,
    pub(super) registry: &'a Registry,
}

impl Sync<'_> {
    /// Brings `content` into the namespaces of `desired`. Without a content, nothing is written and nothing changed.
    pub(super) async fn run(&self, desired: &[String], content: Option<&[u8]>) -> Synced {
        let mut synced = Synced::default();
        let steps = self.steps(desired, content, &mut synced);
        let steps = stream::iter(steps).map(|step| self.take(step, content));
        let mut done = steps.buffer_unordered(AT_ONCE);
        while let Some(done) = done.next().await {
            match done {
                Done::InSync => synced.in_sync += 1,
                Done::Removed => {}
                Done::Conflict(namespace) => synced.conflicts.push(namespace),
                Done::StillNamed(namespace) => synced.still_named.push(namespace),
                Done::Failed(trouble) => synced.troubles.push(trouble),
            }
        }
        synced.conflicts.sort();
        synced.still_named.sort();
        synced
    }

    fn name(&self) -> &str {
        self.registry.metadata.name.as_deref().unwrap_or_default()
    }

    fn steps(&self, desired: &[String], content: Option<&[u8]>, synced: &mut Synced) -> Vec<Step> {
        let wanted = content.map(ContentHash::of);
        let secret_name = self.registry.pull_secret_name();
        let is_owned = self.registry.spec.deletion == Deletion::Delete;
        let mut steps = Vec::new();
        for namespace in desired {
            let key = ObjectRef::new(secret_name).within(namespace);
            let (is_ours, is_right) = match self.secrets.get(&key) {
                Some(secret) if secret.registry() != Some(self.name()) => {
                    synced.conflicts.push(namespace.clone());
                    continue;
                }
                Some(secret) => {
                    let same = secret.content == wanted && secret.is_owned == is_owned;
                    (true, same || wanted.is_none())
                }
                None => (false, false),
            };
            if is_right {
                synced.in_sync += 1;
            } else if wanted.is_some() {
                steps.push(Step::Apply {
                    namespace: namespace.clone(),
                    takes_over: is_ours,
                });
            }
        }
        let is_left = |secret: &KeptSecret| {
            let meta = secret.meta();
            let namespace = meta.namespace.as_deref().unwrap_or_default();
            meta.name.as_deref() != Some(secret_name)
                || !desired.iter().any(|desired| desired == namespace)
        };
        let kept = self.secrets.state();
        let ours = kept
            .iter()
            .filter(|secret| secret.registry() == Some(self.name()));
        let left = ours.filter(|secret| is_left(secret));
        steps.extend(left.map(|secret| Step::Remove(Box::new((**secret).clone()))));
        steps
    }

    async fn take(&self, step: Step, content: Option<&[u8]>) -> Done {
        match step {
            Step::Apply {
                namespace,
                takes_over,
            } => {
                let content = content.unwrap_or_default();
                self.apply(&namespace, content, takes_over).await
            }
            Step::Remove(secret) => self.remove(&secret).await,
        }
    }

    async fn apply(&self, namespace: &str, content: &[u8], takes_over: bool) -> Done {
        let name = self.registry.pull_secret_name();
        let mut params = PatchParams::apply(MANAGER);
        params.force = takes_over;
        let secret = self.secret(namespace, content);
        let api: Api<KeptSecret> = Api::namespaced(self.client.clone(), namespace);
        match api.patch(name, &params, &Patch::Apply(&secret)).await {
            Ok(_) => Done::InSync,
            Err(kube::Error::Api(status)) if status.code == 409 && !takes_over => {
                Done::Conflict(namespace.to_owned())
            }
            Err(error) => Done::Failed(trouble::of(&error, "patch", "secrets", namespace)),
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
        let meta = secret.meta();
        let namespace = meta.namespace.as_deref().unwrap_or_default();
        let name = meta.name.as_deref().unwrap_or_default();
        match census::names(self.client, namespace, name).await {
            Ok(true) => return Done::StillNamed(namespace.to_owned()),
            Ok(false) => {}
            Err(error) => return Done::Failed(trouble::of(&error, "list", "pods", namespace)),
        }
        let params = DeleteParams {
            preconditions: Some(Preconditions {
                uid: meta.uid.clone(),
                resource_version: None,
            }),
            ..DeleteParams::default()
        };
        let api: Api<KeptSecret> = Api::namespaced(self.client.clone(), namespace);
        match api.delete(name, &params).await {
            Ok(_) => Done::Removed,
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Done::Removed,
            Err(error) => Done::Failed(trouble::of(&error, "delete", "secrets", namespace)),
        }
    }
}
