//! The registry credentials of a Pod or a namespace, searched exactly as the kubelet searches them.

use std::{cmp::Reverse, sync::Arc};

use smol_str::SmolStr;

use super::{
    credential::Credential,
    pull_secret::PullSecret,
    registry_key::{RegistryKey, Target},
};

/// The prepared key under which Docker Hub's credentials stand by convention.
const DEFAULT_REGISTRY: &str = "index.docker.io";

/// One `auths` entry of a pull secret, prepared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The prepared key.
    pub key: RegistryKey,
    /// The key as the secret spells it.
    pub server: SmolStr,
    /// What the kubelet sends.
    pub credential: Arc<Credential>,
}

/// An entry that matches an image, and the secret that it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match<'a> {
    /// The pull secret's name.
    pub secret: &'a SmolStr,
    /// The matching entry.
    pub entry: &'a Entry,
}

/// Entries in the kubelet's order: keys in reverse lexicographic order, equal keys in the order of the secrets.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    entries: Vec<(SmolStr, Entry)>,
}

impl Keyring {
    /// The keyring of `secrets`, in the order of the Pod's `imagePullSecrets`. Secrets that the kubelet could not
    /// read add nothing here; that they break every pull is for the caller to say.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a PullSecret>) -> Self {
        let mut entries: Vec<(SmolStr, Entry)> = secrets
            .into_iter()
            .flat_map(|secret| {
                secret
                    .entries()
                    .iter()
                    .map(|e| (secret.name().clone(), e.clone()))
            })
            .collect();
        entries.sort_by(|(_, a), (_, b)| Reverse(&a.key).cmp(&Reverse(&b.key)));
        Self { entries }
    }

    /// The entries that the kubelet would try for the normalised repository name `lookup_name`
    /// (`docker.io/library/nginx`), in its order.
    #[must_use]
    pub fn lookup(&self, lookup_name: &str) -> Vec<Match<'_>> {
        if self.entries.is_empty() {
            return Vec::new();
        }
        let direct: Vec<_> = match Target::parse(lookup_name) {
            Some(target) => self.select(|e| e.key.matches_target(&target)).collect(),
            None => Vec::new(),
        };
        if direct.is_empty() && is_on_default_registry(lookup_name) {
            self.select(|entry| entry.key.as_str() == DEFAULT_REGISTRY)
                .collect()
        } else {
            direct
        }
    }

    fn select(&self, wanted: impl Fn(&Entry) -> bool) -> impl Iterator<Item = Match<'_>> {
        self.entries
            .iter()
            .filter(move |(_, entry)| wanted(entry))
            .map(|(secret, entry)| Match { secret, entry })
    }
}

/// The kubelet's own test for Docker Hub, on a name that need not be normalised.
fn is_on_default_registry(lookup_name: &str) -> bool {
    match lookup_name.split_once('/') {
        None => !lookup_name.is_empty(),
        Some(("docker.io" | "index.docker.io", _)) => true,
        Some((first, _)) => !first.is_empty() && !first.contains(['.', ':']),
    }
}
