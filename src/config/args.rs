//! The options of `cotter serve` and their environment form.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};

use super::units;

const SERVE_EXAMPLE: &str = "\
Example, without a cluster:

  cotter serve --standalone &
  curl --cacert certs/ca.pem https://localhost:8443/mutate -H 'Content-Type: application/json' -d '
    {\"apiVersion\": \"admission.k8s.io/v1\", \"kind\": \"AdmissionReview\", \"request\": {\"uid\": \"1\",
     \"kind\": {\"group\": \"\", \"version\": \"v1\", \"kind\": \"Pod\"},
     \"resource\": {\"group\": \"\", \"version\": \"v1\", \"resource\": \"pods\"},
     \"operation\": \"CREATE\", \"namespace\": \"default\",
     \"object\": {\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"a\"},
                \"spec\": {\"containers\": [{\"name\": \"a\", \"image\": \"nginx:latest\"}]}}}}'

With the cluster of your kubeconfig:

  cotter serve --listen 127.0.0.1:8443 --config cotter.yaml

Every option has an environment form, named beside it; the option wins.";

/// Serve the webhook, with a cluster or without one
#[derive(Clone, Debug, Args)]
#[command(after_long_help = SERVE_EXAMPLE)]
pub struct ServeArgs {
    /// Serve without a cluster: every namespace has the mode of --mode, pull secrets come from --pull-secrets
    #[arg(long, env = "COTTER_STANDALONE")]
    pub standalone: bool,

    /// Policies, registries and how to resolve; read again when its content changes
    #[arg(long, value_name = "FILE", env = "COTTER_CONFIG")]
    pub config: Option<PathBuf>,

    /// Where the listeners are.
    #[command(flatten)]
    pub listen: ListenArgs,

    /// Certificates.
    #[command(flatten)]
    pub tls: TlsArgs,

    /// What replaces a cluster.
    #[command(flatten)]
    pub standalone_args: StandaloneArgs,

    /// Which cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,

    /// Logs.
    #[command(flatten)]
    pub log: LogArgs,

    /// The environment's proxies.
    #[command(flatten)]
    pub proxy: ProxyArgs,
}

/// Where the listeners are and how much they take.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Listening")]
pub struct ListenArgs {
    /// The webhook's address, TLS only [default: 127.0.0.1:8443 with --standalone, 0.0.0.0:8443 with a cluster; `[::]:8443` serves IPv6 too]
    #[arg(long, value_name = "ADDRESS:PORT", env = "COTTER_LISTEN")]
    pub listen: Option<SocketAddr>,

    /// The address of /livez, /readyz and /metrics, plain HTTP [default: 127.0.0.1:8080 with --standalone, 0.0.0.0:8080 with a cluster]
    #[arg(long, value_name = "ADDRESS:PORT", env = "COTTER_OPS")]
    pub ops: Option<SocketAddr>,

    // 128 MiB is design §7's; one body is at most 32 MiB.
    /// How much memory the bodies of all reviews in flight may take; beyond it they wait
    #[arg(long, value_name = "SIZE", env = "COTTER_BODY_BUDGET", default_value = "128Mi", value_parser = units::size)]
    pub body_budget: usize,

    /// The longest that one review may take, however much time the API server grants
    #[arg(long, value_name = "DURATION", env = "COTTER_DEADLINE", default_value = "10s", value_parser = units::duration)]
    pub deadline: Duration,

    // Below the 30 s that a Pod has between SIGTERM and SIGKILL by default.
    /// How long reviews in flight are waited for after SIGTERM
    #[arg(long, value_name = "DURATION", env = "COTTER_DRAIN", default_value = "20s", value_parser = units::duration)]
    pub drain: Duration,
}

/// The webhook's certificate, and its callers'.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Certificates")]
pub struct TlsArgs {
    /// The certificate chain, PEM; goes with --key and is read again when its content changes
    #[arg(long, value_name = "FILE", env = "COTTER_CERT")]
    pub cert: Option<PathBuf>,

    /// The private key of --cert, PEM
    #[arg(long, value_name = "FILE", env = "COTTER_KEY")]
    pub key: Option<PathBuf>,

    /// Where a CA and a certificate for localhost are made and kept when --cert is not given
    #[arg(
        long,
        value_name = "DIR",
        env = "COTTER_CERTS_DIR",
        default_value = "certs"
    )]
    pub certs_dir: PathBuf,

    /// Callers must present a certificate of these CAs, PEM
    #[arg(long, value_name = "FILE", env = "COTTER_CLIENT_CA")]
    pub client_ca: Option<PathBuf>,
}

/// What replaces a cluster.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Only with --standalone")]
pub struct StandaloneArgs {
    /// Secret manifests, YAML or JSON: a file, or a directory of *.yaml, *.yml and *.json; read again when they change
    #[arg(long, value_name = "FILE|DIR", env = "COTTER_PULL_SECRETS")]
    pub pull_secrets: Option<PathBuf>,

    /// What happens to Pods, in every namespace [default: enforce]
    #[arg(long, env = "COTTER_MODE")]
    pub mode: Option<ModeArg>,
}

/// Which cluster.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "With a cluster")]
pub struct ClusterArgs {
    /// The kubeconfig [default: $KUBECONFIG, ~/.kube/config, or the Pod's own service account]
    #[arg(long, value_name = "FILE", env = "COTTER_KUBECONFIG")]
    pub kubeconfig: Option<PathBuf>,

    /// The kubeconfig's context [default: its current one]
    #[arg(long, value_name = "NAME", env = "COTTER_CONTEXT")]
    pub context: Option<String>,
}

/// Logs.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Logs")]
pub struct LogArgs {
    /// How log lines are written
    #[arg(long, env = "COTTER_LOG_FORMAT", default_value = "text")]
    pub log_format: LogFormat,

    /// The least important log line that is still written
    #[arg(long, env = "COTTER_LOG_LEVEL", default_value = "info")]
    pub log_level: LogLevel,
}

/// The proxies that the environment names. Hidden: they are no options of cotter's.
#[derive(Clone, Args)]
pub struct ProxyArgs {
    #[arg(long, env = "HTTPS_PROXY", hide = true)]
    https_proxy: Option<String>,

    #[arg(long = "https-proxy-lower", env = "https_proxy", hide = true)]
    https_proxy_lower: Option<String>,
}

impl std::fmt::Debug for ProxyArgs {
    // A proxy's URL may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProxyArgs").finish_non_exhaustive()
    }
}

/// `--mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ModeArg {
    /// Pods are changed
    Enforce,
    /// Nothing is changed; warnings say what would be
    Audit,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For a person
    Text,
    /// One JSON object a line
    Json,
}

/// The least important log line that is still written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// What a person has to look at
    Error,
    /// What goes wrong and heals
    Warn,
    /// What an operator wants to know afterwards
    Info,
    /// What helps to find a mistake
    Debug,
    /// Everything
    Trace,
}

impl ProxyArgs {
    /// Whether the environment names a proxy for HTTPS.
    #[must_use]
    pub fn is_set(&self) -> bool {
        let set = |value: &Option<String>| value.as_ref().is_some_and(|v| !v.is_empty());
        set(&self.https_proxy) || set(&self.https_proxy_lower)
    }
}
