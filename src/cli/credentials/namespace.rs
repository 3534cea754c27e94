//! The pull secrets of a namespace, or of manifests: what the kubelet would try for a Pod that cotter has injected them
//! into.

use std::path::Path;

use kube::Client;

use super::{Origin, Way};
use crate::{
    cluster::{listing, manifests::Manifests},
    domain::{
        keyring::{Keyring, Match},
        pull_secret::{NamespaceSecrets, PullSecret},
        reference::Reference,
    },
};

/// Pull secrets, as a keyring.
#[derive(Debug, Default)]
pub struct PullSecrets {
    keyring: Keyring,
    notices: Vec<String>,
}

// === impl PullSecrets ===

impl PullSecrets {
    /// The pull secrets of manifests: a file, or a directory of `*.yaml`, `*.yml` and `*.json`. Those of all namespaces
    /// count, by namespace and name.
    ///
    /// # Errors
    /// If a file cannot be read, or is no manifest.
    pub fn of_manifests(path: &Path) -> anyhow::Result<Self> {
        let Manifests {
            namespaces,
            notices,
        } = Manifests::at(path)?;
        let mut namespaces: Vec<_> = namespaces.into_iter().collect();
        namespaces.sort_by(|(a, _), (b, _)| a.cmp(b));
        let all = namespaces.iter().flat_map(|(_, secrets)| secrets.iter());
        Ok(Self {
            keyring: Keyring::new(all.map(|secret| &**secret)),
            notices,
        })
    }

    /// The pull secrets of a namespace, as the API server has them now.
    ///
    /// # Errors
    /// If the API server does not list them.
    pub async fn of_cluster(client: &Client, namespace: &str) -> anyhow::Result<Self> {
        let secrets = listing::pull_secrets(client, namespace).await?;
        Ok(Self::of_namespace(namespace, &secrets))
    }

    /// The pull secrets of a namespace that are known already.
    #[must_use]
    pub fn of_namespace(namespace: &str, secrets: &NamespaceSecrets) -> Self {
        let broken = |secret: &PullSecret| {
            let (name, error) = (secret.name(), secret.broken()?);
            Some(format!(
                "Secret {namespace}/{name} breaks every pull of the Pods that name it: {error}"
            ))
        };
        Self {
            keyring: secrets.keyring().clone(),
            notices: secrets.iter().filter_map(|secret| broken(secret)).collect(),
        }
    }

    /// What was left out, or is of no use, a line each.
    #[must_use]
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// The ways to ask for an image: the secrets that match, in the kubelet's order, at last anonymous.
    #[must_use]
    pub fn ways(&self, image: &Reference) -> Vec<Way> {
        let way = |found: Match<'_>| Way {
            origin: Origin::PullSecret {
                secret: found.secret.clone(),
                key: found.entry.server.clone(),
            },
            credential: Some(found.entry.credential.clone()),
        };
        let matches = self.keyring.lookup(image.lookup_name());
        let mut ways: Vec<Way> = matches.into_iter().map(way).collect();
        ways.push(Way::anonymous());
        ways
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRETS: &str = r#"
kind: Secret
metadata: { name: wide, namespace: shop }
type: kubernetes.io/dockerconfigjson
stringData: { .dockerconfigjson: '{"auths":{"ghcr.io":{"username":"w","password":"p"}}}' }
---
kind: Secret
metadata: { name: narrow, namespace: shop }
type: kubernetes.io/dockerconfigjson
stringData: { .dockerconfigjson: '{"auths":{"https://ghcr.io/acme/":{"username":"n","password":"p"}}}' }
---
kind: Secret
metadata: { name: broken, namespace: shop }
type: kubernetes.io/dockerconfigjson
stringData: { .dockerconfigjson: '{"auths":5}' }
"#;

    fn secrets() -> PullSecrets {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secrets.yaml");
        std::fs::write(&path, SECRETS).unwrap();
        PullSecrets::of_manifests(&path).unwrap()
    }

    fn ways(image: &str) -> Vec<String> {
        let ways = secrets().ways(&Reference::parse(image).unwrap());
        let shown = |way: &Way| {
            let user = way.user().unwrap_or_default();
            format!("{} {user}", way.origin).trim_end().to_owned()
        };
        ways.iter().map(shown).collect()
    }

    #[test]
    fn the_narrower_key_is_tried_first_and_nobody_last() {
        assert_eq!(
            ways("ghcr.io/acme/app:dev"),
            [
                "pull secret narrow, key https://ghcr.io/acme/ n",
                "pull secret wide, key ghcr.io w",
                "anonymous"
            ]
        );
    }

    #[test]
    fn an_image_of_another_host_is_asked_for_anonymously() {
        assert_eq!(ways("nginx"), ["anonymous"]);
    }

    #[test]
    fn a_secret_that_the_kubelet_cannot_read_is_told() {
        let secrets = secrets();
        let [notice] = secrets.notices() else {
            panic!("{:?}", secrets.notices());
        };
        assert!(
            notice.contains("Secret shop/broken breaks every pull"),
            "{notice}"
        );
    }

    #[test]
    fn a_path_that_is_not_there_is_named() {
        let error = PullSecrets::of_manifests(Path::new("/nonexistent/s.yaml")).unwrap_err();
        let said = error.to_string();
        assert!(
            said.starts_with("/nonexistent/s.yaml: cannot be read: "),
            "{said}"
        );
    }
}
