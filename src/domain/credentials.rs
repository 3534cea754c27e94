//! Which credentials a Pod's images are resolved with: those that the kubelet will use, in its order (design §2.4).

use std::sync::Arc;

use smol_str::SmolStr;

use super::{
    credential::Credential,
    keyring::Keyring,
    object::Spec,
    pull_secret::{NamespaceSecrets, PullSecret},
    registry_key::RegistryKey,
};

/// The pull secrets that matter for one Pod.
#[derive(Clone, Debug, Default)]
pub struct PodCredentials {
    /// Those that the Pod names, in its order, as far as they exist.
    own: Vec<Arc<PullSecret>>,
    /// The names on the Pod that no pull secret of the namespace has.
    missing: Vec<SmolStr>,
    /// What the Pod's own secrets unlock.
    keyring: Keyring,
    /// All pull secrets of the namespace.
    namespace: Arc<NamespaceSecrets>,
    /// The only names that may be injected, where the ServiceAccount enforces its list.
    mountable: Option<Vec<SmolStr>>,
    /// Nobody could tell which pull secrets the namespace has.
    unread: bool,
}

/// One way to ask for an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The pull secret; `None` asks anonymously.
    pub secret: Option<SmolStr>,
    /// The prepared key that matched; none for the anonymous way.
    pub key: Option<RegistryKey>,
    /// What is sent.
    pub credential: Option<Arc<Credential>>,
}

/// All ways to ask for an image, in the order in which they are tried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidates {
    /// A pull secret on the Pod matches already: nothing is injected, and nobody asks anonymously.
    pub covered: bool,
    /// The ways.
    pub list: Vec<Candidate>,
}

impl PodCredentials {
    /// The credentials of a Pod with these secret names in this namespace.
    pub fn new<'s>(
        names: impl Iterator<Item = &'s str>,
        namespace: Arc<NamespaceSecrets>,
        mountable: Option<Vec<SmolStr>>,
    ) -> Self {
        let (mut own, mut missing) = (Vec::new(), Vec::new());
        for name in names.filter(|name| !name.is_empty()) {
            match namespace.get(name) {
                Some(secret) => own.push(secret.clone()),
                None => missing.push(name.into()),
            }
        }
        let keyring = Keyring::new(own.iter().map(|secret| &**secret));
        Self {
            own,
            missing,
            keyring,
            namespace,
            mountable,
            unread: false,
        }
    }

    /// The credentials of a Pod in a namespace whose pull secrets nobody could read.
    #[must_use]
    pub fn unread() -> Self {
        Self {
            unread: true,
            ..Self::default()
        }
    }

    /// Whether nothing is known of the namespace's pull secrets.
    #[must_use]
    pub fn is_unread(&self) -> bool {
        self.unread
    }

    /// Whether the Pod names this pull secret itself.
    #[must_use]
    pub fn is_own(&self, secret: &str) -> bool {
        self.own.iter().any(|own| own.name() == secret)
    }

    /// The names on the Pod that are no pull secret of its namespace.
    #[must_use]
    pub fn missing(&self) -> &[SmolStr] {
        &self.missing
    }

    /// The Pod's own secrets that the kubelet could not read.
    pub fn broken(&self) -> impl Iterator<Item = &Arc<PullSecret>> {
        self.own.iter().filter(|secret| secret.broken().is_some())
    }

    /// The ways to ask for the image of this normalised repository name. Unless a secret can be `injected`, the
    /// kubelet will have the Pod's own ones only.
    #[must_use]
    pub fn candidates(&self, lookup_name: &str, injectable: bool) -> Candidates {
        let own = candidates_of(&self.keyring, lookup_name);
        if !own.is_empty() {
            return Candidates {
                covered: true,
                list: own,
            };
        }
        let mut list = Vec::new();
        if injectable {
            list = candidates_of(self.namespace.keyring(), lookup_name);
            list.retain(|c| c.secret.as_deref().is_none_or(|name| self.may_inject(name)));
        }
        list.push(Candidate::anonymous());
        Candidates {
            covered: false,
            list,
        }
    }

    /// The first secret that would match, were it not that the ServiceAccount does not list it.
    #[must_use]
    pub fn unlisted(&self, lookup_name: &str) -> Option<SmolStr> {
        self.mountable.as_ref()?;
        let matches = self.namespace.keyring().lookup(lookup_name);
        let unlisted = matches
            .into_iter()
            .find(|found| !self.may_inject(found.secret));
        unlisted.map(|found| found.secret.clone())
    }

    /// Whether the ServiceAccount lets a Pod name this secret.
    fn may_inject(&self, secret: &str) -> bool {
        let listed = |names: &Vec<SmolStr>| names.iter().any(|name| name == secret);
        self.mountable.as_ref().is_none_or(listed)
    }

    /// What this secret of the namespace sends for an image, if it matches.
    #[must_use]
    pub fn credential_of(&self, secret: &str, lookup_name: &str) -> Option<Arc<Credential>> {
        let keyring = Keyring::new(self.namespace.get(secret).map(|secret| &**secret));
        let first = keyring.lookup(lookup_name).into_iter().next()?;
        Some(first.entry.credential.clone())
    }

    /// Whether the namespace's secrets are others than `earlier` had.
    #[must_use]
    pub fn secrets_differ(&self, earlier: &Self) -> bool {
        !self.namespace.iter().eq(earlier.namespace.iter())
    }

    /// The ways to ask that `injected` secrets add for an image.
    #[must_use]
    pub fn added_by(&self, injected: &[SmolStr], lookup_name: &str) -> Vec<Candidate> {
        let mut list = candidates_of(&self.keyring_with(injected), lookup_name);
        list.retain(|c| {
            c.secret
                .as_ref()
                .is_some_and(|name| injected.contains(name))
        });
        list
    }

    /// The keyring that the kubelet would build with `injected` behind the Pod's own secrets.
    #[must_use]
    pub fn keyring_with(&self, injected: &[SmolStr]) -> Keyring {
        let injected = injected.iter().filter_map(|name| self.namespace.get(name));
        Keyring::new(self.own.iter().chain(injected).map(|secret| &**secret))
    }
}

impl Candidate {
    /// Asking without a credential.
    #[must_use]
    pub fn anonymous() -> Self {
        Self {
            secret: None,
            key: None,
            credential: None,
        }
    }
}

impl Candidates {
    /// An image whose credential the nodes hold: nothing of the namespace's is tried or injected.
    #[must_use]
    pub fn node_held() -> Self {
        Self {
            covered: true,
            list: vec![Candidate::anonymous()],
        }
    }
}

fn candidates_of(keyring: &Keyring, lookup_name: &str) -> Vec<Candidate> {
    let candidate = |found: super::keyring::Match<'_>| Candidate {
        secret: Some(found.secret.clone()),
        key: Some(found.entry.key.clone()),
        credential: Some(found.entry.credential.clone()),
    };
    keyring
        .lookup(lookup_name)
        .into_iter()
        .map(candidate)
        .collect()
}

/// The names in `imagePullSecrets`.
pub fn secret_names<'o>(spec: &'o Spec<'_>) -> impl Iterator<Item = &'o str> {
    spec.image_pull_secrets
        .iter()
        .flatten()
        .map(|secret| &*secret.name)
}
