//! What an admission asks of the world. Adapters on other floors implement these traits; `app` joins them.

use std::{sync::Arc, time::Instant};

use futures_util::future::BoxFuture;
use smol_str::SmolStr;

use crate::domain::{
    credential::Credential,
    policy::{Mode, PinStyle},
    pull_secret::NamespaceSecrets,
    question::Resolution,
};

/// One tag to resolve with one credential.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The registry as the reference spells it, in lower case, with its port if it has one (`docker.io` for Hub).
    pub host: SmolStr,
    /// The repository, `library/nginx` for Hub's `nginx`.
    pub repository: SmolStr,
    /// The tag, `latest` where the reference has none.
    pub tag: SmolStr,
    /// Who asks; `None`, or an empty one, asks anonymously.
    pub credential: Option<Arc<Credential>>,
    /// With [`PinStyle::GitSha`], the answer names the git-SHA tag of the same digest, if there is one.
    pub style: PinStyle,
    /// An answer counts only if its registry request began at or after this moment.
    pub began_after: Instant,
    /// When the answer has to be there; later it is [`Cause::Unavailable`](crate::domain::policy::Cause).
    pub deadline: Instant,
}

/// A registry that tells what a tag means now.
pub trait Registry: Send + Sync + 'static {
    /// An answer that is at hand without waiting and fresh enough for `ask`.
    fn known(&self, ask: &Ask) -> Option<Resolution>;

    /// Asks the registry, or joins whoever asks it the same already. Ends by `ask.deadline`.
    fn resolve(&self, ask: Ask) -> BoxFuture<'_, Resolution>;
}

/// What a namespace's labels choose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespace {
    /// `cotter.dev/mode`; `None` where the namespace is not opted in.
    pub mode: Option<Mode>,
    /// `cotter.dev/policy`.
    pub policy: Option<SmolStr>,
}

/// What a ServiceAccount says of pull secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceAccount {
    /// The names of its `imagePullSecrets`, in order.
    pub pull_secrets: Vec<SmolStr>,
    /// Whether `kubernetes.io/enforce-mountable-secrets` is `"true"`: only its own pull secrets may be used.
    pub enforces_mountable: bool,
}

/// The state of the cluster that an admission needs, as the watches have it.
pub trait Cluster: Send + Sync + 'static {
    /// Whether a namespace is among those that are watched, whether it exists or not. Nothing can be said of others.
    fn watches(&self, namespace: &str) -> bool {
        let _ = namespace;
        true
    }

    /// A namespace's choice; `None` if the watches have not seen such a namespace.
    fn namespace(&self, name: &str) -> Option<Namespace>;

    /// The pull secrets of a namespace; `None` if the watches do not cover it (yet).
    fn pull_secrets(&self, namespace: &str) -> Option<Arc<NamespaceSecrets>>;

    /// A ServiceAccount; `None` if the watches have not seen it.
    fn service_account(&self, namespace: &str, name: &str) -> Option<Arc<ServiceAccount>>;

    /// Whether a pull secret is on its way to a namespace that was just made.
    fn awaits(&self, namespace: &str) -> bool {
        let _ = namespace;
        false
    }

    /// Waits for it, for a moment and no longer than to `deadline`.
    fn arrival<'a>(&'a self, namespace: &'a str, deadline: Instant) -> BoxFuture<'a, ()> {
        let _ = (namespace, deadline);
        Box::pin(std::future::ready(()))
    }

    /// Asks the API server itself for a namespace. `None`: it has none, did not answer by `deadline`, or the
    /// namespace's share of such look-ups is used up.
    fn look_up_namespace<'a>(
        &'a self,
        name: &'a str,
        deadline: Instant,
    ) -> BoxFuture<'a, Option<Namespace>>;

    /// Asks the API server itself for the pull secrets of a namespace. `None` as above.
    fn look_up_pull_secrets<'a>(
        &'a self,
        namespace: &'a str,
        deadline: Instant,
    ) -> BoxFuture<'a, Option<Arc<NamespaceSecrets>>>;
}

impl<T: Registry + ?Sized> Registry for Arc<T> {
    fn known(&self, ask: &Ask) -> Option<Resolution> {
        (**self).known(ask)
    }

    fn resolve(&self, ask: Ask) -> BoxFuture<'_, Resolution> {
        (**self).resolve(ask)
    }
}

impl<T: Cluster + ?Sized> Cluster for Arc<T> {
    fn watches(&self, namespace: &str) -> bool {
        (**self).watches(namespace)
    }

    fn namespace(&self, name: &str) -> Option<Namespace> {
        (**self).namespace(name)
    }

    fn pull_secrets(&self, namespace: &str) -> Option<Arc<NamespaceSecrets>> {
        (**self).pull_secrets(namespace)
    }

    fn service_account(&self, namespace: &str, name: &str) -> Option<Arc<ServiceAccount>> {
        (**self).service_account(namespace, name)
    }

    fn awaits(&self, namespace: &str) -> bool {
        (**self).awaits(namespace)
    }

    fn arrival<'a>(&'a self, namespace: &'a str, deadline: Instant) -> BoxFuture<'a, ()> {
        (**self).arrival(namespace, deadline)
    }

    fn look_up_namespace<'a>(
        &'a self,
        name: &'a str,
        deadline: Instant,
    ) -> BoxFuture<'a, Option<Namespace>> {
        (**self).look_up_namespace(name, deadline)
    }

    fn look_up_pull_secrets<'a>(
        &'a self,
        namespace: &'a str,
        deadline: Instant,
    ) -> BoxFuture<'a, Option<Arc<NamespaceSecrets>>> {
        (**self).look_up_pull_secrets(namespace, deadline)
    }
}
