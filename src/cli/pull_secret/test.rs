//! Whether a pull secret opens an image.

use std::sync::Arc;

use crate::{
    cli::{asking::RegistryArgs, credentials::namespace::PullSecrets, proof, terminal},
    domain::{
        docker_config::SecretType,
        pull_secret::{NamespaceSecrets, PullSecret},
        secret_manifest::SecretManifest,
    },
};

/// Asks for `image` with what the secret holds for it. Never anonymously, which would say nothing about the secret.
///
/// # Errors
/// If the image is none, or the settings cannot be used.
pub(super) async fn passes(
    image: &str,
    manifest: &SecretManifest,
    registries: &RegistryArgs,
) -> anyhow::Result<bool> {
    let reference = proof::image(image)?;
    let content = manifest.content();
    let secret = PullSecret::read(manifest.name(), SecretType::DockerConfigJson, content);
    let secrets = NamespaceSecrets::new([Arc::new(secret)]);
    let mut ways = PullSecrets::of_namespace("", &secrets).ways(&reference);
    ways.retain(|way| way.credential.as_ref().is_some_and(|c| !c.is_empty()));
    if ways.is_empty() {
        let (host, _) = reference.endpoint();
        terminal::warn(&format!(
            "the test failed: no key of the secret matches {image}; the server has to be {host}, or the image another"
        ))?;
        return Ok(false);
    }
    proof::opens(&reference, ways, registries).await
}
