//! The checked result of flags, environment and `cotter.yaml`.

use std::{net::SocketAddr, path::PathBuf};

pub use super::webhook::{Certificate, Registration, Webhook};
use super::{
    args::{ClusterArgs, LogArgs, LogFormat, LogLevel, ModeArg, ServeArgs, StandaloneArgs},
    cloud::CloudArgs,
    file::FileConfig,
    problem::ConfigError,
    proxy::Proxy,
    reload::Watched,
    webhook::{any_or_loopback, webhook},
};
use crate::domain::policy::Mode;

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
    /// What registries are asked through.
    pub proxy: Option<Proxy>,
    /// How the clouds know cotter.
    pub cloud: CloudArgs,
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
        /// The only namespaces to watch; empty for all.
        namespaces: Vec<String>,
        /// Who cotter is in it.
        own: Own,
    },
}

/// Who cotter is in its cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Own {
    /// Its namespace; `None` where it runs outside.
    pub namespace: Option<String>,
    /// Its Pod; `None` where it runs outside.
    pub pod: Option<String>,
    /// The `ConfigMap` of its namespace that holds `cotter.yaml`.
    pub config_map: Option<String>,
    /// The Lease of its namespace that one replica holds.
    pub lease: String,
    /// Whether `Registry` objects are looked after.
    pub registries: bool,
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
            cloud,
        } = args;
        let mut problems = Vec::new();
        let ops = listen.ops.unwrap_or(any_or_loopback(standalone, 8080));
        let webhook = webhook(standalone, &listen, tls, &cluster, &mut problems);
        if config.is_some() && cluster.config_map.is_some() {
            problems.push(
                "--config and --config-map are two sources of one configuration; remove one"
                    .to_owned(),
            );
        }
        let source = source(standalone, standalone_args, cluster, &mut problems);
        let proxy = proxy.proxy().unwrap_or_else(|error| {
            problems.push(error.to_string());
            None
        });
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
            proxy,
            cloud: cloud.set(),
        })
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
        namespace,
        pod_name: pod,
        config_map,
        watch_namespaces,
        registries,
        service: _,
        webhook_configuration: _,
        registry_webhook_configuration: _,
        trust_secret: _,
        lease,
    } = cluster;
    let namespaces = listed(&watch_namespaces, problems);
    if standalone {
        if !namespaces.is_empty() {
            let said =
                "--watch-namespaces lists namespaces of a cluster; remove it or --standalone";
            problems.push(said.to_owned());
        }
        if kubeconfig.is_some() || context.is_some() || config_map.is_some() {
            let said = "--kubeconfig, --context and --config-map name a cluster; remove them or --standalone";
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
    if config_map.is_some() && namespace.is_none() {
        problems.push("--config-map is in cotter's own namespace; add --namespace".to_owned());
    }
    if registries && namespace.is_none() {
        problems.push(
            "--registries needs credentials of cotter's own namespace; add --namespace".to_owned(),
        );
    }
    Source::Cluster {
        kubeconfig,
        context,
        namespaces,
        own: Own {
            namespace,
            pod,
            config_map,
            lease,
            registries,
        },
    }
}

/// The names of a list, which an empty environment variable leaves empty.
fn listed(names: &[String], problems: &mut Vec<String>) -> Vec<String> {
    let names = names.iter().map(|name| name.trim());
    let names: Vec<String> = names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    let fine = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    for name in &names {
        if name.len() > 63 || !name.bytes().all(fine) {
            problems.push(format!(
                "--watch-namespaces: {name:?} is no namespace's name; write a,b with small letters, figures and hyphens"
            ));
        }
    }
    names
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
