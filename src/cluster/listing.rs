//! The pull secrets of a namespace, listed once, for a command.

use std::{sync::Arc, time::Duration};

use futures_util::future::try_join;
use kube::{Api, Client, api::ListParams};
use tokio::time::timeout;

use super::{
    errors::{Target, of_request},
    live::PAGE,
    objects::{SecretObject, identity, revision},
    pull_secrets::selector,
};
use crate::domain::{
    docker_config::SecretType,
    pull_secret::{NamespaceSecrets, PullSecret},
};

/// The longest that the API server may take with one answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// Why there is no list, with what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ListError(pub(super) String);

/// Those of one type, each with its revision, and the revision of the list.
pub(super) type OfType = (u64, Vec<(u64, Arc<PullSecret>)>);

/// All pull secrets of `namespace`, as the API server has them now.
///
/// # Errors
/// [`ListError`]
pub async fn pull_secrets(client: &Client, namespace: &str) -> Result<NamespaceSecrets, ListError> {
    let both = try_join(
        of_type(client, namespace, SecretType::DockerConfigJson),
        of_type(client, namespace, SecretType::DockerCfg),
    );
    match timeout(PATIENCE, both).await {
        Ok(Ok(((_, json), (_, cfg)))) => {
            let secrets = json.into_iter().chain(cfg).map(|(_, secret)| secret);
            Ok(NamespaceSecrets::new(secrets))
        }
        Ok(Err(error)) => {
            let target = Target::all("secrets", Some(&namespace.into()));
            Err(ListError(of_request(&error, "list", &target).text))
        }
        Err(_) => {
            let waited = PATIENCE.as_secs();
            Err(ListError(format!(
                "cannot list secrets in namespace {namespace}: the API server gave no answer within {waited} s"
            )))
        }
    }
}

pub(super) async fn of_type(
    client: &Client,
    namespace: &str,
    kind: SecretType,
) -> kube::Result<OfType> {
    let api: Api<SecretObject> = Api::namespaced(client.clone(), namespace);
    let mut params = ListParams::default().fields(selector(kind)).limit(PAGE);
    let mut secrets = Vec::new();
    loop {
        let page = api.list(&params).await?;
        for object in &page.items {
            if object.kind == Some(kind) {
                let (_, name, revision) = identity(object);
                let secret = PullSecret::read(&name, kind, &object.data);
                secrets.push((revision, Arc::new(secret)));
            }
        }
        let next = page.metadata.continue_.filter(|token| !token.is_empty());
        if next.is_none() {
            let revision = revision(page.metadata.resource_version.as_deref());
            return Ok((revision, secrets));
        }
        params.continue_token = next;
    }
}
