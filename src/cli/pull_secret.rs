//! `cotter pull-secret`: the Secret that a registry's images are pulled with, as `kubectl create secret docker-registry`
//! makes it, without the password on the command line.

mod dialogue;
mod docker;

mod test;

use std::{io::Write as _, path::PathBuf, process::ExitCode};

use anyhow::bail;
use clap::{Args, ValueEnum, builder::NonEmptyStringValueParser};
use jiff::Timestamp;
use zeroize::Zeroizing;

use super::{
    asking::RegistryArgs, credentials::docker::directory, exit::Exit, names, running, terminal,
};
use crate::{
    cluster::{client, secret_apply},
    config::proxy::ProxyArgs,
    domain::{
        registry_type::{self, About, Finding, Login, Severity},
        secret_manifest::{DEFAULT_SERVER, SecretManifest, docker_config_json},
    },
};

/// The name that the documentation of Kubernetes gives such a Secret.
const DEFAULT_NAME: &str = "regcred";

/// Write a pull secret: a manifest on stdout, or with --apply into the cluster
///
/// Asks for what is missing when a person runs it. The manifest is the one that `kubectl create secret docker-registry
/// --dry-run=client` prints; the login is checked for what cannot work with that kind of registry.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  cotter pull-secret
  printf %s \"$TOKEN\" | cotter pull-secret --server ghcr.io --username bot --password-stdin > secret.yaml
  cotter pull-secret --from-docker-config --server ghcr.io -n shop --apply")]
#[expect(clippy::struct_excessive_bools, reason = "flags, each by itself")]
pub struct PullSecret {
    /// The registry as images spell it: its host, with a port if it has one, perhaps a path that ends with a slash
    /// [default: Docker Hub]
    #[arg(long, value_name = "HOST", alias = "docker-server", value_parser = NonEmptyStringValueParser::new())]
    pub server: Option<String>,

    /// The user
    #[arg(long, short, value_name = "USER", alias = "docker-username")]
    pub username: Option<String>,

    /// Read the password or token from stdin
    #[arg(long)]
    pub password_stdin: bool,

    /// An e-mail address, which no registry reads
    #[arg(
        long,
        value_name = "ADDRESS",
        default_value = "",
        hide_default_value = true,
        alias = "docker-email"
    )]
    pub email: String,

    /// The Secret's name [default: regcred]
    #[arg(long, value_name = "NAME", value_parser = names::secret)]
    pub name: Option<String>,

    /// The Secret's namespace [default: none in a manifest; with --apply that of the kubeconfig]
    #[arg(long, short, value_name = "NS", value_parser = names::namespace)]
    pub namespace: Option<String>,

    /// Take the login from Docker's config.json, or from FILE: with --server that of one registry, from a credential
    /// helper too; without it the whole file as it is
    #[arg(long, value_name = "FILE", num_args = 0..=1, conflicts_with_all = ["username", "password_stdin", "email"])]
    pub from_docker_config: Option<Option<PathBuf>>,

    /// Put a hash of the content behind the name, as kubectl's --append-hash does
    #[arg(long)]
    pub append_hash: bool,

    /// How the manifest is written
    #[arg(long, short, value_enum, value_name = "FORMAT", default_value_t)]
    pub output: Output,

    /// Write the Secret into the cluster instead: a server-side apply by the field manager cotter
    #[arg(long, conflicts_with = "output")]
    pub apply: bool,

    /// Take over fields of the Secret that others have set
    #[arg(long, requires = "apply")]
    pub force_conflicts: bool,

    /// Ask the registry for this image with the login first; nothing is written if it is refused
    #[arg(long, value_name = "IMAGE")]
    pub test: Option<String>,

    /// What --test asks by: registries (private CAs, plain HTTP) and how to resolve
    #[arg(
        long,
        value_name = "FILE",
        env = "COTTER_CONFIG",
        help_heading = "Sources"
    )]
    pub config: Option<PathBuf>,

    /// The directory of Docker's config.json [default: ~/.docker]
    #[arg(
        long,
        value_name = "DIR",
        env = "DOCKER_CONFIG",
        value_parser = directory(),
        help_heading = "Sources"
    )]
    pub docker_config: Option<PathBuf>,

    /// The environment's proxies, for --test.
    #[command(flatten)]
    pub proxy: ProxyArgs,

    /// The kubeconfig [default: $KUBECONFIG, or ~/.kube/config]
    #[arg(long, value_name = "FILE", help_heading = "Sources")]
    pub kubeconfig: Option<PathBuf>,

    /// The kubeconfig's context
    #[arg(long, value_name = "NAME", help_heading = "Sources")]
    pub context: Option<String>,
}

impl PullSecret {
    /// How --test asks.
    fn registries(&self) -> RegistryArgs {
        RegistryArgs {
            config: self.config.clone(),
            proxy: self.proxy.clone(),
            ..RegistryArgs::default()
        }
    }
}

/// How a manifest is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// YAML
    #[default]
    Yaml,
    /// JSON
    Json,
}

/// What the Secret is to hold, and what is wrong with it.
struct Content {
    json: Zeroizing<Vec<u8>>,
    findings: Vec<Finding>,
}

/// Makes the Secret, and writes or applies it.
///
/// # Errors
/// If something is missing that nobody can be asked for, if the login cannot work, or if the cluster refuses it.
pub fn run(args: PullSecret) -> anyhow::Result<ExitCode> {
    running::run(make(args))
}

async fn make(mut args: PullSecret) -> anyhow::Result<Exit> {
    let asks =
        args.from_docker_config.is_none() && !args.password_stdin && terminal::is_interactive();
    let content = if let Some(file) = &args.from_docker_config {
        docker::content(file.as_deref(), &args).await?
    } else {
        let password = dialogue::login(&mut args, asks).await?;
        login_content(&args, &password)
    };
    judge(&content.findings, args.apply)?;
    if asks {
        dialogue::rest(&mut args).await?;
    }
    let name = args.name.as_deref().unwrap_or(DEFAULT_NAME);
    let mut manifest = SecretManifest::new(name, args.namespace.as_deref(), content.json);
    if args.append_hash {
        manifest = manifest.with_hash();
    }
    if let Some(image) = &args.test
        && !test::passes(image, &manifest, &args.registries()).await?
        && !(asks && terminal::agrees("Write it all the same?").await?)
    {
        return Ok(Exit::Findings);
    }
    if args.apply {
        apply(&manifest, &args).await?;
    } else {
        let written = match args.output {
            Output::Yaml => manifest.yaml(),
            Output::Json => manifest.json(),
        };
        anstream::stdout().write_all(written.as_bytes())?;
    }
    Ok(Exit::Fine)
}

fn login_content(args: &PullSecret, password: &[u8]) -> Content {
    let server = args.server.as_deref().unwrap_or(DEFAULT_SERVER);
    let username = args.username.as_deref().unwrap_or_default();
    let login = Login {
        server,
        username,
        password,
    };
    Content {
        findings: registry_type::check(&login, Timestamp::now()),
        json: docker_config_json(server, username, password, &args.email),
    }
}

/// Warns of what may not work, and fails with what cannot. A manifest whose server no image matches is written all the
/// same, as kubectl writes it; into a cluster it is not.
fn judge(findings: &[Finding], applies: bool) -> anyhow::Result<()> {
    let is_fatal = |finding: &&Finding| {
        finding.severity == Severity::Error && (applies || finding.about != About::Server)
    };
    for finding in findings.iter().filter(|finding| !is_fatal(finding)) {
        terminal::warn(&finding.text)?;
    }
    let refused = findings.iter().filter(is_fatal);
    let refused: Vec<&str> = refused.map(|finding| finding.text.as_str()).collect();
    if !refused.is_empty() {
        bail!("{}", refused.join("; "));
    }
    Ok(())
}

async fn apply(manifest: &SecretManifest, args: &PullSecret) -> anyhow::Result<()> {
    let client = client::connect(args.kubeconfig.as_deref(), args.context.as_deref()).await?;
    let namespace = args.namespace.clone();
    let namespace = namespace.unwrap_or_else(|| client.default_namespace().to_owned());
    secret_apply::apply(&client, &namespace, manifest, args.force_conflicts).await?;
    // kubectl's own words for the same.
    let name = manifest.name();
    writeln!(anstream::stdout(), "secret/{name} serverside-applied")?;
    Ok(())
}
