//! `Registry` objects and the Secrets with their credentials, with the rights of the person who runs a command.

mod errors;

use std::future::Future;

use kube::{
    Api, Client,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, PropagationPolicy},
};
use serde_json::{Value, json};
use tokio::time::timeout;

pub use self::errors::ObjectError;
use self::errors::of;
use super::{errors::Target, listing::PATIENCE, live::PAGE};
use crate::{
    api::{
        credential_secret::CredentialSecret,
        labels::DELETE_IN_USE,
        registry::{Deletion, Registry},
    },
    domain::nearest,
};

/// Who writes, as the API server notes it in `managedFields`.
const MANAGER: &str = "cotter";

const REGISTRIES: &str = "registries.cotter.dev";

/// Reads and writes them.
#[derive(Clone)]
pub struct RegistryObjects {
    client: Client,
    /// Cotter's own namespace.
    own_namespace: String,
}

/// All `Registry` objects, by their names.
///
/// # Errors
/// [`ObjectError`]
pub async fn list(client: &Client) -> Result<Vec<Registry>, ObjectError> {
    let api = Api::<Registry>::all(client.clone());
    let target = Target::all(REGISTRIES, None);
    let mut params = ListParams::default().limit(PAGE);
    let mut all = Vec::new();
    loop {
        let page = ask(api.list(&params), "list", &target).await?;
        all.extend(page.items);
        params.continue_token = page.metadata.continue_.filter(|token| !token.is_empty());
        if params.continue_token.is_none() {
            all.sort_by(|a, b| a.metadata.name.cmp(&b.metadata.name));
            return Ok(all);
        }
    }
}

// === impl RegistryObjects ===

impl RegistryObjects {
    /// Of the cluster of `client`; credentials are in `own_namespace`.
    #[must_use]
    pub fn new(client: Client, own_namespace: &str) -> Self {
        Self {
            client,
            own_namespace: own_namespace.to_owned(),
        }
    }

    /// The one of this name.
    ///
    /// # Errors
    /// [`ObjectError`]; where there is none, with the one that is spelled alike.
    pub async fn get(&self, name: &str) -> Result<Registry, ObjectError> {
        if let Some(registry) = self.find(name).await? {
            return Ok(registry);
        }
        let all = list(&self.client).await.unwrap_or_default();
        let names = all.iter().filter_map(|one| one.metadata.name.as_deref());
        Err(ObjectError::NotFound {
            name: name.to_owned(),
            nearest: nearest::misspelt(name, &names.collect::<Vec<_>>()).map(str::to_owned),
        })
    }

    /// The one of this name, if there is one.
    ///
    /// # Errors
    /// [`ObjectError`]
    pub async fn find(&self, name: &str) -> Result<Option<Registry>, ObjectError> {
        let target = Target::one(REGISTRIES, name, None);
        match ask(self.registries().get(name), "get", &target).await {
            Err(ObjectError::Missing(_)) => Ok(None),
            other => other.map(Some),
        }
    }

    /// Creates one.
    ///
    /// # Errors
    /// [`ObjectError`]
    pub async fn create(&self, registry: &Registry) -> Result<Registry, ObjectError> {
        let name = registry.metadata.name.as_deref().unwrap_or_default();
        let target = Target::one(REGISTRIES, name, None);
        let api = self.registries();
        ask(api.create(&written(), registry), "create", &target).await
    }

    /// Has its pull secrets stay when it is deleted.
    ///
    /// # Errors
    /// [`ObjectError`]
    pub async fn retain(&self, name: &str) -> Result<(), ObjectError> {
        let spec = json!({"spec": {"deletion": Deletion::Retain}});
        self.patch(name, &spec).await
    }

    /// Lets it be deleted although Pods need it.
    ///
    /// # Errors
    /// [`ObjectError`]
    pub async fn allow_deletion_in_use(&self, name: &str) -> Result<(), ObjectError> {
        let metadata = json!({"metadata": {"annotations": {DELETE_IN_USE: "true"}}});
        self.patch(name, &metadata).await
    }

    /// Deletes it. `orphans`: what it owns stays.
    ///
    /// # Errors
    /// [`ObjectError`]
    pub async fn delete(&self, name: &str, orphans: bool) -> Result<(), ObjectError> {
        let target = Target::one(REGISTRIES, name, None);
        let params = DeleteParams {
            propagation_policy: orphans.then_some(PropagationPolicy::Orphan),
            ..DeleteParams::default()
        };
        ask(self.registries().delete(name, &params), "delete", &target).await?;
        Ok(())
    }

    /// A Secret with a credential, if there is one.
    ///
    /// # Errors
    /// [`ObjectError`]
    pub async fn secret(&self, name: &str) -> Result<Option<CredentialSecret>, ObjectError> {
        let target = self.secret_target(name);
        match ask(self.secrets().get(name), "get", &target).await {
            Err(ObjectError::Missing(_)) => Ok(None),
            other => other.map(Some),
        }
    }

    /// Creates a Secret with a credential.
    ///
    /// # Errors
    /// [`ObjectError`]
    pub async fn create_secret(&self, secret: &CredentialSecret) -> Result<(), ObjectError> {
        let target = self.secret_target(secret.metadata.name.as_deref().unwrap_or_default());
        let api = self.secrets();
        ask(api.create(&written(), secret), "create", &target).await?;
        Ok(())
    }

    /// Changes keys of a Secret, `null` taking one away, and nothing else of it; refused if it is not at `version` any more.
    ///
    /// # Errors
    /// [`ObjectError`]
    pub async fn change_secret(
        &self,
        name: &str,
        version: &str,
        data: &Value,
    ) -> Result<(), ObjectError> {
        let target = self.secret_target(name);
        let change = json!({"metadata": {"resourceVersion": version}, "data": data});
        let (params, patch) = (managed(), Patch::Merge(&change));
        let api = self.secrets();
        ask(api.patch(name, &params, &patch), "patch", &target).await?;
        Ok(())
    }

    /// Deletes a Secret with a credential; it is fine if there is none.
    ///
    /// # Errors
    /// [`ObjectError`]
    pub async fn delete_secret(&self, name: &str) -> Result<(), ObjectError> {
        let target = self.secret_target(name);
        let params = DeleteParams::default();
        match ask(self.secrets().delete(name, &params), "delete", &target).await {
            Ok(_) | Err(ObjectError::Missing(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn patch(&self, name: &str, change: &Value) -> Result<(), ObjectError> {
        let target = Target::one(REGISTRIES, name, None);
        let (params, patch) = (managed(), Patch::Merge(change));
        let api = self.registries();
        ask(api.patch(name, &params, &patch), "patch", &target).await?;
        Ok(())
    }

    fn secret_target(&self, name: &str) -> Target {
        Target::one("secrets", name, Some(&self.own_namespace))
    }

    fn registries(&self) -> Api<Registry> {
        Api::all(self.client.clone())
    }

    fn secrets(&self) -> Api<CredentialSecret> {
        Api::namespaced(self.client.clone(), &self.own_namespace)
    }
}

/// A request with an end.
async fn ask<T>(
    request: impl Future<Output = kube::Result<T>>,
    verb: &'static str,
    target: &Target,
) -> Result<T, ObjectError> {
    match timeout(PATIENCE, request).await {
        Ok(answer) => answer.map_err(|error| of(&error, verb, target)),
        Err(_) => Err(ObjectError::Failed(format!(
            "cannot {verb} {target}: the API server gave no answer within {} s",
            PATIENCE.as_secs()
        ))),
    }
}

fn written() -> PostParams {
    PostParams {
        field_manager: Some(MANAGER.to_owned()),
        ..PostParams::default()
    }
}

fn managed() -> PatchParams {
    PatchParams {
        field_manager: Some(MANAGER.to_owned()),
        ..PatchParams::default()
    }
}
