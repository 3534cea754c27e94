//! The checked result of flags, environment and `cotter.yaml`.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use super::{
    args::{
        ClusterArgs, ListenArgs, LogArgs, LogFormat, LogLevel, ModeArg, ServeArgs, StandaloneArgs,
        TlsArgs,
    },
    file::FileConfig,
    problem::ConfigError,
    reload::Watched,
};
use crate::domain::policy::Mode;

/// One body's largest size; the shared budget must hold at least one.
pub const LARGEST_BODY: usize = 32 << 20;

/// Everything that `cotter serve` is told.
#[derive(Debug)]
pub struct Config {
    /// The webhook's listener.
    pub webhook: Webhook,
    /// The address of `/livez`, `/readyz` and `/metrics`.
    pub ops: SocketAddr,
    /// Where namespaces and pull secrets come from.
    pub source: Source,
    /// How logs are written.
    pub log: Log,
    /// What `cotter.yaml` says, or the built-in values without one.
    pub file: FileConfig,
    /// The file to look at again; `None` without `--config`.
    pub watched: Option<Watched>,
    /// What was asked for and is not done; the file's own are in [`FileConfig::notices`].
    notices: Vec<String>,
}

/// The webhook's listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Its address.
    pub listen: SocketAddr,
    /// Its certificate.
    pub certificate: Certificate,
    /// The CAs of its callers, PEM; `None` where callers present no certificate.
    pub client_ca: Option<PathBuf>,
    /// The bytes that the bodies in flight may take together; at least [`LARGEST_BODY`].
    pub body_budget: usize,
    /// The longest that one review may take.
    pub deadline: Duration,
    /// How long reviews in flight are waited for after SIGTERM.
    pub drain: Duration,
}

/// Where the webhook's certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// Files of the user's, PEM.
    Files {
        /// The chain, leaf first.
        cert: PathBuf,
        /// The private key.
        key: PathBuf,
    },
    /// A CA and a leaf for localhost of cotter's own, kept in this directory.
    Made {
        /// The directory.
        dir: PathBuf,
    },
}

/// Where namespaces and pull secrets come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// No cluster.
    Standalone {
        /// The mode of every namespace.
        mode: Mode,
        /// Secret manifests, a file or a directory.
        pull_secrets: Option<PathBuf>,
    },
    /// The API server.
    Cluster {
        /// The kubeconfig; `None` for the usual places.
        kubeconfig: Option<PathBuf>,
        /// Its context; `None` for the current one.
        context: Option<String>,
    },
}

/// How logs are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Text or JSON.
    pub format: LogFormat,
    /// The least important line that is still written.
    pub level: LogLevel,
}

// === impl Config ===

impl Config {
    /// Checks the arguments and reads the file that they name.
    ///
    /// # Errors
    /// [`ConfigError`] with every problem of the flags, or else of the file.
    pub fn new(args: ServeArgs) -> Result<Self, ConfigError> {
        let ServeArgs {
            standalone,
            config,
            listen,
            tls,
            standalone_args,
            cluster,
            log,
            proxy,
        } = args;
        let mut problems = Vec::new();
        let source = source(standalone, standalone_args, cluster, &mut problems);
        let ops = listen.ops.unwrap_or(any_or_loopback(standalone, 8080));
        let webhook = webhook(standalone, &listen, tls, &mut problems);
        let (Some(webhook), true) = (webhook, problems.is_empty()) else {
            return Err(ConfigError::of_flags(problems));
        };
        let (watched, file) = match config {
            Some(path) => {
                let (watched, file) = Watched::open(&path)?;
                (Some(watched), file)
            }
            None => (None, FileConfig::default()),
        };
        let mut notices = Vec::new();
        if proxy.is_set() {
            notices.push("HTTPS_PROXY is set; this version asks registries directly".to_owned());
        }
        let LogArgs {
            log_format: format,
            log_level: level,
        } = log;
        Ok(Self {
            webhook,
            ops,
            source,
            log: Log { format, level },
            file,
            watched,
            notices,
        })
    }

    /// What was asked for and this version does not do, a line each, for the log.
    pub fn notices(&self) -> impl Iterator<Item = &str> {
        let all = self.notices.iter().chain(&self.file.notices);
        all.map(String::as_str)
    }
}

fn source(
    standalone: bool,
    instead: StandaloneArgs,
    cluster: ClusterArgs,
    problems: &mut Vec<String>,
) -> Source {
    let StandaloneArgs { pull_secrets, mode } = instead;
    let ClusterArgs {
        kubeconfig,
        context,
    } = cluster;
    if standalone {
        if kubeconfig.is_some() || context.is_some() {
            let said = "--kubeconfig and --context name a cluster; remove them or --standalone";
            problems.push(said.to_owned());
        }
        let mode = mode.map_or(Mode::Enforce, Mode::from);
        return Source::Standalone { mode, pull_secrets };
    }
    if pull_secrets.is_some() {
        let said = "--pull-secrets replaces a cluster's; add --standalone, or remove it and cotter reads the cluster's own";
        problems.push(said.to_owned());
    }
    if mode.is_some() {
        let said = "--mode is each namespace's own in a cluster; add --standalone, or label the namespaces with \
                    cotter.dev/mode=enforce or cotter.dev/mode=audit";
        problems.push(said.to_owned());
    }
    Source::Cluster {
        kubeconfig,
        context,
    }
}

fn webhook(
    standalone: bool,
    listen: &ListenArgs,
    tls: TlsArgs,
    problems: &mut Vec<String>,
) -> Option<Webhook> {
    let ListenArgs {
        listen,
        ops: _,
        body_budget,
        deadline,
        drain,
    } = *listen;
    let TlsArgs {
        cert,
        key,
        certs_dir,
        client_ca,
    } = tls;
    let listen = listen.unwrap_or(any_or_loopback(standalone, 8443));
    // Without a cluster nobody is authenticated, so any Pod that reaches the port could use the pull secrets.
    if standalone && client_ca.is_none() && !listen.ip().to_canonical().is_loopback() {
        problems.push(format!(
            "--listen {listen} is reachable from elsewhere, and --standalone asks nobody who they are; \
             listen on 127.0.0.1 or [::1], or add --client-ca"
        ));
    }
    if body_budget < LARGEST_BODY {
        problems.push("--body-budget holds not even one review; write at least 32Mi".to_owned());
    }
    // 300 ms is the least that design §2.6 grants a review, 30 s the most that an API server waits.
    if deadline < Duration::from_millis(300) || deadline > Duration::from_secs(30) {
        problems.push("--deadline is out of range; write 300ms to 30s".to_owned());
    }
    let certificate = match (cert, key) {
        (Some(cert), Some(key)) => Certificate::Files { cert, key },
        (None, None) => Certificate::Made { dir: certs_dir },
        (Some(_), None) => {
            problems.push("--cert needs its private key; add --key FILE".to_owned());
            return None;
        }
        (None, Some(_)) => {
            problems.push("--key needs its certificate; add --cert FILE".to_owned());
            return None;
        }
    };
    Some(Webhook {
        listen,
        certificate,
        client_ca,
        body_budget,
        deadline,
        drain,
    })
}

fn any_or_loopback(standalone: bool, port: u16) -> SocketAddr {
    let address = if standalone {
        Ipv4Addr::LOCALHOST
    } else {
        Ipv4Addr::UNSPECIFIED
    };
    (address, port).into()
}

impl From<ModeArg> for Mode {
    fn from(mode: ModeArg) -> Self {
        match mode {
            ModeArg::Enforce => Self::Enforce,
            ModeArg::Audit => Self::Audit,
        }
    }
}

#[cfg(test)]
#[path = "config/tests.rs"]
mod tests;
