//! Pull secrets as the kubelet reads them, and all those of one namespace.

use std::{collections::BTreeMap, sync::Arc};

use smol_str::SmolStr;

use super::{
    docker_config::{self, DockerConfigError, SecretType},
    keyring::{Entry, Keyring},
};

/// A Secret of one of the two pull secret types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullSecret {
    name: SmolStr,
    entries: Result<Vec<Entry>, DockerConfigError>,
}

/// The pull secrets of one namespace.
#[derive(Clone, Debug, Default)]
pub struct NamespaceSecrets {
    secrets: BTreeMap<SmolStr, Arc<PullSecret>>,
    keyring: Keyring,
}

impl PullSecret {
    /// Reads a Secret's data: the value under the type's own key, or nothing where it is absent or empty (the
    /// kubelet ignores such a secret).
    #[must_use]
    pub fn read(name: &str, kind: SecretType, data: &[u8]) -> Self {
        let entries = if data.is_empty() {
            Ok(Vec::new())
        } else {
            docker_config::read(kind, data)
        };
        Self {
            name: name.into(),
            entries,
        }
    }

    /// The Secret's name.
    #[must_use]
    pub fn name(&self) -> &SmolStr {
        &self.name
    }

    /// Its entries; none if the kubelet could not read it.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        self.entries.as_deref().unwrap_or_default()
    }

    /// Why the kubelet could not read it: then every pull of a Pod that names it fails.
    #[must_use]
    pub fn broken(&self) -> Option<&DockerConfigError> {
        self.entries.as_ref().err()
    }
}

impl NamespaceSecrets {
    /// All pull secrets of a namespace.
    pub fn new(secrets: impl IntoIterator<Item = Arc<PullSecret>>) -> Self {
        let named = |secret: Arc<PullSecret>| (secret.name().clone(), secret);
        let secrets: BTreeMap<_, _> = secrets.into_iter().map(named).collect();
        let keyring = Keyring::new(secrets.values().map(|secret| &**secret));
        Self { secrets, keyring }
    }

    /// The secret of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<PullSecret>> {
        self.secrets.get(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<PullSecret>> {
        self.secrets.values()
    }

    /// The keyring of all readable ones; equal keys in the order of the secrets' names.
    #[must_use]
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }
}
