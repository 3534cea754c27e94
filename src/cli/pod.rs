//! For which Pods a command asks: those of a namespace, whose pull secrets are read from the cluster, or nobody's.

use std::{io, path::PathBuf, sync::Arc};

use clap::Args;
use smol_str::SmolStr;

use super::{
    credentials::{CredentialArgs, Credentials, pod::PodKeyring},
    output, terminal,
};
use crate::{
    cluster::{client, pod_secrets::PodSecrets},
    domain::policy::{Mode, Policy, PolicySet},
};

/// The account of Pods that name none.
const ACCOUNT: &str = "default";

/// Whose pull secrets are used, for commands that ask registries.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "As a Pod")]
pub struct PodArgs {
    /// Ask as the kubelet does for a Pod of this namespace; goes before --pull-secrets and Docker's configuration. What the nodes
    /// hold themselves is not known here
    #[arg(short, long, value_name = "NS")]
    pub namespace: Option<SmolStr>,

    /// The ServiceAccount of that Pod
    #[arg(long, value_name = "NAME", default_value = ACCOUNT, requires = "namespace")]
    pub service_account: SmolStr,

    /// The kubeconfig [default: $KUBECONFIG or ~/.kube/config]
    #[arg(long, value_name = "FILE", env = "COTTER_KUBECONFIG")]
    pub kubeconfig: Option<PathBuf>,

    /// The kubeconfig's context [default: its current one]
    #[arg(long, value_name = "NAME", env = "COTTER_CONTEXT")]
    pub context: Option<String>,
}

/// Where credentials come from, and what goes with that.
#[derive(Clone, Debug)]
pub struct Source {
    /// The credentials.
    pub credentials: Credentials,
    /// The policy of the namespace, or the default one.
    pub policy: Arc<Policy>,
}

// === impl PodArgs ===

impl PodArgs {
    /// Opens what was chosen, and says on stderr what a person should know of the credentials.
    ///
    /// # Errors
    /// If a file that is named cannot be read, the cluster cannot be asked, or stderr is gone.
    pub async fn open(
        &self,
        otherwise: &CredentialArgs,
        policies: &PolicySet,
    ) -> anyhow::Result<Source> {
        let choose = |name: Option<&str>| policies.choose(name).unwrap_or_else(|default| default);
        let Some(namespace) = &self.namespace else {
            let credentials = Credentials::open(otherwise)?;
            if let Credentials::PullSecrets(secrets) = &credentials {
                warn(secrets.notices())?;
            }
            return Ok(Source {
                credentials,
                policy: Arc::clone(choose(None)),
            });
        };
        let client = client::connect(self.kubeconfig.as_deref(), self.context.as_deref()).await?;
        let account = &self.service_account;
        let read = PodSecrets::read(&client, namespace, account).await?;
        let policy = Arc::clone(choose(read.namespace.policy.as_deref()));
        let injects = read.namespace.mode == Some(Mode::Enforce) && policy.inject.enabled;
        let keyring = PodKeyring::new(namespace, read, injects);
        let mut notices = keyring.notices();
        if !injects {
            notices.push(format!(
                "cotter injects nothing into the Pods of {namespace}: they have the pull secrets of the ServiceAccount \
                 {account} only"
            ));
        }
        warn(&notices)?;
        Ok(Source {
            credentials: Credentials::Pod(Arc::new(keyring)),
            policy,
        })
    }
}

fn warn(notices: &[String]) -> io::Result<()> {
    let mut lines = notices.iter().map(|notice| output::printable(notice));
    lines.try_for_each(|line| terminal::warn(&line))
}
