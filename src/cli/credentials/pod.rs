//! The pull secrets of a Pod: those of its ServiceAccount, and those that cotter would inject.

use std::sync::Arc;

use anyhow::bail;
use smol_str::SmolStr;

use super::{Origin, Way};
use crate::{
    cluster::pod_secrets::PodSecrets,
    domain::{
        credentials::{Candidate, PodCredentials},
        pull_secret::NamespaceSecrets,
        reference::Reference,
    },
};

/// What the kubelet has for a Pod that names no pull secret itself.
#[derive(Clone, Debug)]
pub struct PodKeyring {
    credentials: PodCredentials,
    secrets: Arc<NamespaceSecrets>,
    injects: bool,
    namespace: String,
}

// === impl PodKeyring ===

impl PodKeyring {
    /// The keyring of a new Pod of `namespace`. `injects`: cotter adds what matches.
    #[must_use]
    pub fn new(namespace: &str, read: PodSecrets, injects: bool) -> Self {
        let PodSecrets {
            account, secrets, ..
        } = read;
        let (names, secrets) = (account.pull_secrets, Arc::new(secrets));
        let mountable = account.enforces_mountable.then(|| names.clone());
        let names = names.iter().map(SmolStr::as_str);
        Self {
            credentials: PodCredentials::new(names, Arc::clone(&secrets), mountable),
            secrets,
            injects,
            namespace: namespace.to_owned(),
        }
    }

    /// What a person should know of these secrets, a line each.
    #[must_use]
    pub fn notices(&self) -> Vec<String> {
        let namespace = &self.namespace;
        let missing = self.credentials.missing().iter().map(|name| {
            format!("the ServiceAccount names the pull secret {name}, which is not in namespace {namespace}")
        });
        let broken = self
            .secrets
            .iter()
            .filter(|secret| secret.broken().is_some());
        let unused = broken.filter(|secret| !self.credentials.is_own(secret.name()));
        let unused = unused.map(|secret| {
            let name = secret.name();
            format!("Secret {namespace}/{name} is of no use: the kubelet cannot read it, and cotter never injects it")
        });
        missing.chain(unused).collect()
    }

    /// The ways that the kubelet tries, in its order.
    ///
    /// # Errors
    /// If a pull secret of the ServiceAccount breaks every pull of the Pod.
    pub fn ways(&self, image: &Reference) -> anyhow::Result<Vec<Way>> {
        if let Some(secret) = self.credentials.broken().next() {
            let (namespace, name) = (&self.namespace, secret.name());
            let why = secret.broken().map(ToString::to_string).unwrap_or_default();
            bail!(
                "the ServiceAccount names Secret {namespace}/{name}, which the kubelet cannot read ({why}): every pull of \
                 its Pods fails"
            );
        }
        let candidates = self
            .credentials
            .candidates(image.lookup_name(), self.injects);
        Ok(candidates
            .list
            .into_iter()
            .map(|one| self.way(one))
            .collect())
    }

    fn way(&self, candidate: Candidate) -> Way {
        let Candidate {
            secret,
            key,
            credential,
        } = candidate;
        let (Some(secret), Some(key)) = (secret, key) else {
            return Way::anonymous();
        };
        let entries = self.secrets.get(&secret).map(|secret| secret.entries());
        let mut entries = entries.unwrap_or_default().iter();
        let spelled =
            entries.find(|one| one.key == key && Some(&one.credential) == credential.as_ref());
        let key = spelled.map_or_else(|| key.as_str().into(), |one| one.server.clone());
        Way {
            origin: Origin::PullSecret { secret, key },
            credential,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        admission::ports::ServiceAccount,
        domain::{docker_config::SecretType, pull_secret::PullSecret},
    };

    fn secret(name: &str, config: &str) -> Arc<PullSecret> {
        let read = PullSecret::read(name, SecretType::DockerConfigJson, config.as_bytes());
        Arc::new(read)
    }

    fn of(names: &[&str], injects: bool) -> PodKeyring {
        let secrets = [
            secret(
                "hub",
                r#"{"auths":{"https://index.docker.io/v1/":{"username":"h","password":"p"}}}"#,
            ),
            secret(
                "narrow",
                r#"{"auths":{"ghcr.io/acme/":{"username":"n","password":"p"}}}"#,
            ),
            secret(
                "wide",
                r#"{"auths":{"ghcr.io":{"username":"w","password":"p"}}}"#,
            ),
            secret("broken", r#"{"auths":5}"#),
        ];
        let account = ServiceAccount {
            pull_secrets: names.iter().map(SmolStr::new).collect(),
            enforces_mountable: false,
        };
        let read = PodSecrets {
            account,
            secrets: NamespaceSecrets::new(secrets),
            ..PodSecrets::default()
        };
        PodKeyring::new("shop", read, injects)
    }

    fn ways(keyring: &PodKeyring, image: &str) -> Vec<String> {
        let ways = keyring.ways(&Reference::parse(image).unwrap()).unwrap();
        ways.iter().map(|way| way.origin.to_string()).collect()
    }

    const NARROW: &str = "pull secret narrow, key ghcr.io/acme/";
    const WIDE: &str = "pull secret wide, key ghcr.io";

    #[test]
    fn what_the_account_names_is_all_that_is_tried_where_it_matches() {
        assert_eq!(ways(&of(&["wide"], true), "ghcr.io/acme/app"), [WIDE]);
        assert_eq!(
            ways(&of(&["wide", "narrow"], true), "ghcr.io/acme/app"),
            [NARROW, WIDE]
        );
    }

    #[test]
    fn what_is_injected_is_tried_where_the_account_has_nothing() {
        let expected = [NARROW, WIDE, "anonymous"];
        assert_eq!(ways(&of(&["hub"], true), "ghcr.io/acme/app"), expected);
        assert_eq!(
            ways(&of(&["hub"], false), "ghcr.io/acme/app"),
            ["anonymous"]
        );
        let hub = "pull secret hub, key https://index.docker.io/v1/";
        assert_eq!(ways(&of(&["hub"], false), "nginx"), [hub]);
    }

    #[test]
    fn a_secret_of_the_account_that_cannot_be_read_ends_everything() {
        let error = of(&["broken", "wide"], true).ways(&Reference::parse("ghcr.io/a").unwrap());
        let said = error.unwrap_err().to_string();
        assert!(
            said.contains("Secret shop/broken") && said.contains("every pull"),
            "{said}"
        );
    }

    #[test]
    fn missing_and_useless_secrets_are_told() {
        let notices = of(&["gone"], true).notices();
        assert!(
            notices[0].contains("names the pull secret gone"),
            "{notices:?}"
        );
        assert!(
            notices[1].contains("Secret shop/broken is of no use"),
            "{notices:?}"
        );
    }
}
