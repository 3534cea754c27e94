//! Which cluster, and where in it cotter keeps credentials.

use std::{path::PathBuf, time::Duration};

use anyhow::Context as _;
use clap::Args;
use kube::Client;

use crate::{
    api::{credential_secret::CredentialSecret, registry::Registry},
    cli::names,
    cluster::{
        WatchScope, client, pull_secret_users::PullSecretUsers, registry_objects::RegistryObjects,
    },
    config::units,
};

/// Where cotter keeps credentials.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Cluster")]
pub struct OwnNamespace {
    /// The namespace that cotter runs in, and keeps the credentials of Registries in
    #[arg(
        long,
        value_name = "NS",
        env = "COTTER_NAMESPACE",
        default_value = "cotter-system",
        value_parser = names::namespace
    )]
    pub cotter_namespace: String,
}

/// Which cluster, for commands about `Registry` objects.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Cluster")]
pub struct ClusterArgs {
    /// Where credentials are.
    #[command(flatten)]
    pub own: OwnNamespace,

    /// The cluster itself.
    #[command(flatten)]
    pub kube: KubeArgs,
}

/// Which cluster, for commands that need no credential.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Cluster")]
pub struct KubeArgs {
    /// The kubeconfig [default: $KUBECONFIG or ~/.kube/config]
    #[arg(long, value_name = "FILE", env = "COTTER_KUBECONFIG")]
    pub kubeconfig: Option<PathBuf>,

    /// The kubeconfig's context [default: its current one]
    #[arg(long, value_name = "NAME", env = "COTTER_CONTEXT")]
    pub context: Option<String>,
}

/// Whether a command ends when it has written, or when the cluster has followed.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Waiting")]
pub struct WaitArgs {
    /// Do not wait until cotter has done its part
    #[arg(long)]
    pub no_wait: bool,

    /// How long to wait
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = units::duration)]
    pub timeout: Duration,
}

/// An opened cluster.
pub(super) struct Site {
    pub(super) objects: RegistryObjects,
    pub(super) own_namespace: String,
    client: Client,
}

// === impl ClusterArgs ===

impl ClusterArgs {
    /// Opens the cluster. Nothing is asked of it yet.
    ///
    /// # Errors
    /// If there is none.
    pub(super) async fn open(&self) -> anyhow::Result<Site> {
        Ok(Site::new(self.kube.client().await?, &self.own))
    }
}

// === impl KubeArgs ===

impl KubeArgs {
    /// Opens the cluster. Nothing is asked of it yet.
    ///
    /// # Errors
    /// If there is none.
    pub(super) async fn client(&self) -> anyhow::Result<Client> {
        let (kubeconfig, context) = (self.kubeconfig.as_deref(), self.context.as_deref());
        Ok(client::connect(kubeconfig, context).await?)
    }
}

// === impl Site ===

impl Site {
    pub(super) fn new(client: Client, own: &OwnNamespace) -> Self {
        let own_namespace = own.cotter_namespace.clone();
        Self {
            objects: RegistryObjects::new(client.clone(), &own_namespace),
            own_namespace,
            client,
        }
    }

    /// A `Registry`, and the Secret that its credential is in; `None` where the spec names none.
    ///
    /// # Errors
    /// If one of them is not there or may not be read.
    pub(super) async fn read(
        &self,
        name: &str,
    ) -> anyhow::Result<(Registry, Option<CredentialSecret>)> {
        let registry = self.objects.get(name).await?;
        let Some(credentials) = &registry.spec.credentials else {
            return Ok((registry, None));
        };
        let (own, secret_name) = (&self.own_namespace, &credentials.secret_ref.name);
        let secret = self.objects.secret(secret_name).await?;
        let secret = secret.with_context(|| {
            format!(
                "there is no Secret {own}/{secret_name}, which Registry {name} names; if cotter runs in another namespace, name \
                 it with --cotter-namespace"
            )
        })?;
        Ok((registry, Some(secret)))
    }

    /// Who needs the pull secrets of a `Registry`.
    pub(super) fn users(&self) -> PullSecretUsers {
        PullSecretUsers::new(self.client.clone(), WatchScope::All)
    }
}
