//! Applying one pull secret with the rights of the person who runs a command.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use kube::{
    Api, Client,
    api::{Patch, PatchParams},
};
use serde_json::json;
use tokio::time::timeout;

use super::{
    errors::{Target, of_request},
    objects::SecretObject,
};
use crate::domain::{docker_config::SecretType, secret_manifest::SecretManifest};

/// Who applies.
const MANAGER: &str = "cotter";

/// The longest that the API server may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why the Secret was not applied, with what to do. The text shows no value of it.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// Others have set what is applied.
    #[error(
        "secret {name} in namespace {namespace} is kept by others: {said}; use another --name, or take it over with \
         --force-conflicts"
    )]
    Conflict {
        /// The Secret's name.
        name: String,
        /// Its namespace.
        namespace: String,
        /// The API server's words.
        said: String,
    },
    /// Anything else.
    #[error("{0}")]
    Refused(String),
}

/// A server-side apply of `manifest` into `namespace`. `force` takes over fields of other managers.
///
/// # Errors
/// [`ApplyError`]
pub async fn apply(
    client: &Client,
    namespace: &str,
    manifest: &SecretManifest,
    force: bool,
) -> Result<(), ApplyError> {
    let name = manifest.name();
    let secret = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": { "name": name, "namespace": namespace },
        "type": "kubernetes.io/dockerconfigjson",
        "data": { SecretType::DockerConfigJson.data_key(): BASE64_STANDARD.encode(manifest.content()) },
    });
    let mut params = PatchParams::apply(MANAGER);
    params.force = force;
    let api: Api<SecretObject> = Api::namespaced(client.clone(), namespace);
    let patch = Patch::Apply(&secret);
    match timeout(PATIENCE, api.patch(name, &params, &patch)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(kube::Error::Api(status))) if status.code == 409 => Err(ApplyError::Conflict {
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            said: status.message.clone(),
        }),
        Ok(Err(error)) => {
            let target = Target::one("secrets", name, Some(namespace));
            Err(ApplyError::Refused(
                of_request(&error, "patch", &target).text,
            ))
        }
        Err(_) => Err(ApplyError::Refused(format!(
            "cannot patch secrets/{name} in namespace {namespace}: the API server gave no answer within {} s",
            PATIENCE.as_secs()
        ))),
    }
}
