//! Which credentials a command asks a registry with: pull secrets as the kubelet would try them, or Docker's configuration.

pub mod docker;
pub mod docker_file;
pub mod helper;
pub mod namespace;
pub mod pod;

use std::{fmt, path::PathBuf, sync::Arc};

use clap::Args;
use smol_str::SmolStr;

use crate::{
    domain::{credential::Credential, reference::Reference, registry_key::RegistryKey},
    registry::reading::Place,
};

/// Where credentials come from, for commands that ask registries.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Credentials")]
pub struct CredentialArgs {
    /// Ask with these pull secrets, as the kubelet would: Secret manifests, a file or a directory of them
    #[arg(long, value_name = "FILE|DIR", env = "COTTER_PULL_SECRETS")]
    pub pull_secrets: Option<PathBuf>,

    /// The directory of Docker's config.json [default: ~/.docker]
    #[arg(long, value_name = "DIR", env = "DOCKER_CONFIG", value_parser = docker::directory())]
    pub docker_config: Option<PathBuf>,
}

/// One way to ask for an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// Where the credential comes from.
    pub origin: Origin,
    /// What is sent; `None` asks anonymously.
    pub credential: Option<Arc<Credential>>,
}

/// Where a credential comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// An `auths` entry of a pull secret.
    PullSecret {
        /// The Secret's name.
        secret: SmolStr,
        /// The entry's key as the secret spells it.
        key: SmolStr,
    },
    /// An `auths` entry of Docker's `config.json`.
    DockerConfig {
        /// The entry's key as the file spells it.
        key: SmolStr,
    },
    /// The credential of a `Registry`.
    Registry {
        /// Its name.
        name: SmolStr,
        /// The key that its pull secrets have.
        key: SmolStr,
    },
    /// A program that keeps Docker's credentials.
    Helper {
        /// Its name: `docker-credential-…`.
        program: String,
    },
    /// Nobody's.
    Anonymous,
}

/// Where credentials come from, opened.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// Docker's configuration of whoever runs the command.
    Docker(Arc<docker::DockerConfig>),
    /// The pull secrets of a namespace, or of manifests.
    PullSecrets(Arc<namespace::PullSecrets>),
    /// The pull secrets of a Pod.
    Pod(Arc<pod::PodKeyring>),
}

// === impl Credentials ===

impl Credentials {
    /// Opens what `args` name: `--pull-secrets`, or else Docker's configuration.
    ///
    /// # Errors
    /// If a file that is named cannot be read. A missing `config.json` is none.
    pub fn open(args: &CredentialArgs) -> anyhow::Result<Self> {
        if let Some(path) = &args.pull_secrets {
            let secrets = namespace::PullSecrets::of_manifests(path)?;
            return Ok(Self::PullSecrets(Arc::new(secrets)));
        }
        let config = docker::DockerConfig::open(args.docker_config.as_deref())?;
        Ok(Self::Docker(Arc::new(config)))
    }

    /// The ways to ask for an image, in the order in which they are tried. The last one is anonymous, unless a pull secret
    /// that a Pod names itself matches: then the kubelet asks with nothing else.
    ///
    /// # Errors
    /// If a credential helper fails, other than by having no credential, or a pull secret breaks every pull of a Pod.
    pub async fn ways(&self, image: &Reference) -> anyhow::Result<Vec<Way>> {
        match self {
            Self::Docker(config) => config.ways(image).await,
            Self::PullSecrets(secrets) => Ok(secrets.ways(image)),
            Self::Pod(keyring) => keyring.ways(image),
        }
    }
}

// === impl Way ===

impl Way {
    /// Asking without a credential.
    #[must_use]
    pub fn anonymous() -> Self {
        Self {
            origin: Origin::Anonymous,
            credential: None,
        }
    }

    /// Whether a user or a password is sent.
    #[must_use]
    pub fn names_somebody(&self) -> bool {
        let sent = self.credential.as_ref();
        sent.is_some_and(|credential| !credential.is_empty())
    }

    /// The repository of `image`, asked in this way.
    #[must_use]
    pub fn place(&self, image: &Reference) -> Place {
        let (host, repository) = image.endpoint();
        Place {
            host: host.into(),
            repository: repository.into(),
            credential: self.credential.clone(),
        }
    }

    /// The user's name, where there is one.
    #[must_use]
    pub fn user(&self) -> Option<String> {
        let user = self.credential.as_ref()?.username();
        Some(String::from_utf8_lossy(user).into_owned()).filter(|user| !user.is_empty())
    }
}

// === impl Origin ===

impl Origin {
    /// The key of the entry, as it is spelled; without what could be a user and a password in it.
    #[must_use]
    pub fn key(&self) -> Option<SmolStr> {
        let (Self::PullSecret { key, .. }
        | Self::DockerConfig { key }
        | Self::Registry { key, .. }) = self
        else {
            return None;
        };
        if key.contains('@') {
            let prepared = RegistryKey::prepare(key)?;
            return Some(prepared.as_str().into());
        }
        Some(key.clone())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.key().unwrap_or_default();
        match self {
            Self::PullSecret { secret, .. } => write!(f, "pull secret {secret}, key {key}"),
            Self::DockerConfig { .. } => write!(f, "Docker's configuration, key {key}"),
            Self::Registry { name, .. } => write!(f, "Registry {name}, key {key}"),
            Self::Helper { program } => f.write_str(program),
            Self::Anonymous => f.write_str("anonymous"),
        }
    }
}
