//! The pull secrets that a new Pod of a namespace has, and those that cotter may add to it; read once, for a command.

use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;
use std::fmt::Debug;

use super::{
    errors::{Target, of_request},
    listing::{self, ListError},
    objects::{AccountObject, NamespaceObject},
};
use crate::{
    admission::ports::{Namespace, ServiceAccount},
    domain::pull_secret::NamespaceSecrets,
};

/// What the API server has now.
#[derive(Clone, Debug, Default)]
pub struct PodSecrets {
    /// What the namespace chose.
    pub namespace: Namespace,
    /// What the Pod's account says of pull secrets; a Pod that names none gets these.
    pub account: ServiceAccount,
    /// All pull secrets of the namespace.
    pub secrets: NamespaceSecrets,
}

// === impl PodSecrets ===

impl PodSecrets {
    /// Reads the namespace, the account and the pull secrets.
    ///
    /// # Errors
    /// [`ListError`] if one of them cannot be read, or is not there.
    pub async fn read(client: &Client, namespace: &str, account: &str) -> Result<Self, ListError> {
        let of_namespace = Api::<NamespaceObject>::all(client.clone());
        let target = Target::one("namespaces", namespace, None);
        let choice = get(&of_namespace, namespace, &target).await?.choice;
        let accounts = Api::<AccountObject>::namespaced(client.clone(), namespace);
        let target = Target::one("serviceaccounts", account, Some(namespace));
        let account = get(&accounts, account, &target).await?.account;
        Ok(Self {
            namespace: choice,
            account,
            secrets: listing::pull_secrets(client, namespace).await?,
        })
    }
}

async fn get<K>(api: &Api<K>, name: &str, target: &Target) -> Result<K, ListError>
where
    K: Clone + Debug + DeserializeOwned + Resource<DynamicType = ()>,
{
    match tokio::time::timeout(listing::PATIENCE, api.get(name)).await {
        Ok(Ok(object)) => Ok(object),
        Ok(Err(error)) => Err(ListError(of_request(&error, "get", target).text)),
        Err(_) => Err(ListError(format!(
            "cannot get {target}: the API server does not answer"
        ))),
    }
}
