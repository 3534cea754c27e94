//! The options of `cotter serve` and their environment form.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};

use super::{cloud::CloudArgs, proxy::ProxyArgs, units};

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

    /// The environment's clouds.
    #[command(flatten)]
    pub cloud: CloudArgs,
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

    /// How long new reviews are still answered after SIGTERM, while the endpoints of the Service move [default: 0s with --standalone, 5s with a cluster]
    #[arg(long, value_name = "DURATION", env = "COTTER_SHUTDOWN_DELAY", value_parser = units::duration)]
    pub shutdown_delay: Option<Duration>,
}

/// The webhook's certificate, and its callers'.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Certificates")]
pub struct TlsArgs {
    /// Where the certificate comes from [default: files with --cert, self with --webhook-configuration, else local]
    #[arg(long, env = "COTTER_CERTIFICATES")]
    pub certificates: Option<CertificatesArg>,

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

    /// The CA of --cert, PEM, which cotter keeps in the caBundle of --webhook-configuration; without it, caBundle is left to others
    #[arg(long, value_name = "FILE", env = "COTTER_CA")]
    pub ca: Option<PathBuf>,

    /// How long a CA of cotter's own lives; the next one is made after two thirds of it
    #[arg(long, value_name = "DURATION", env = "COTTER_CA_LIFE", default_value = "8760h", value_parser = units::duration)]
    pub ca_life: Duration,

    /// How long a certificate of that CA lives; the next one is made after two thirds of it
    #[arg(long, value_name = "DURATION", env = "COTTER_LEAF_LIFE", default_value = "720h", value_parser = units::duration)]
    pub leaf_life: Duration,

    /// Callers must present a certificate of these CAs, PEM; read again when its content changes
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

    /// The namespace that cotter itself runs in
    #[arg(long, value_name = "NAME", env = "COTTER_NAMESPACE")]
    pub namespace: Option<String>,

    /// The Pod that cotter itself runs in, for its Events and its Lease [default: the host's name]
    #[arg(long, value_name = "NAME", env = "COTTER_POD_NAME")]
    pub pod_name: Option<String>,

    /// Read cotter.yaml from this ConfigMap of --namespace, under the key cotter.yaml, instead of --config
    #[arg(long, value_name = "NAME", env = "COTTER_CONFIG_MAP")]
    pub config_map: Option<String>,

    /// Watch these namespaces only; without it, all that are opted in
    #[arg(
        long,
        value_name = "NAME,NAME",
        env = "COTTER_WATCH_NAMESPACES",
        value_delimiter = ','
    )]
    pub watch_namespaces: Vec<String>,

    /// Look after Registry objects: test their credentials, which are in --namespace, and keep their pull secrets in the namespaces that they name
    #[arg(long, env = "COTTER_REGISTRIES")]
    pub registries: bool,

    /// The Service of --namespace by which the API server reaches cotter
    #[arg(long, value_name = "NAME", env = "COTTER_SERVICE")]
    pub service: Option<String>,

    /// The MutatingWebhookConfiguration whose path and caBundle cotter keeps right
    #[arg(long, value_name = "NAME", env = "COTTER_WEBHOOK_CONFIGURATION")]
    pub webhook_configuration: Option<String>,

    /// The MutatingWebhookConfiguration for Registry objects, whose path and caBundle cotter keeps right like those of --webhook-configuration
    #[arg(
        long,
        value_name = "NAME",
        env = "COTTER_REGISTRY_WEBHOOK_CONFIGURATION"
    )]
    pub registry_webhook_configuration: Option<String>,

    /// The Secret of --namespace that all replicas share: the webhook's path, and the CA of cotter's own
    #[arg(
        long,
        value_name = "NAME",
        env = "COTTER_TRUST_SECRET",
        default_value = "cotter-trust"
    )]
    pub trust_secret: String,

    /// The Lease of --namespace that one replica holds, for what only one may do
    #[arg(
        long,
        value_name = "NAME",
        env = "COTTER_LEASE",
        default_value = "cotter"
    )]
    pub lease: String,
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

/// `--mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ModeArg {
    /// Pods are changed
    Enforce,
    /// Nothing is changed; warnings say what would be
    Audit,
}

/// `--certificates`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CertificatesArg {
    /// A CA of cotter's own in --trust-secret, and a certificate of it for --service
    #[value(name = "self")]
    Own,
    /// --cert and --key
    Files,
    /// A CA and a certificate for localhost in --certs-dir
    Local,
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
