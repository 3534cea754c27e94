//! `cotter registry login` and `logout`: what Docker, Compose and Swarm log in with on this machine.

use std::{io::Write as _, path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::{Context as _, bail};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use clap::Args;
use jiff::Timestamp;
use zeroize::Zeroizing;

use super::{candidate::Candidate, name, site::ClusterArgs};
use crate::{
    cli::{
        asking::RegistryArgs,
        credentials::{Origin, Way, docker, docker_file::DockerFile},
        exit::Exit,
        proof, running, terminal,
    },
    config::proxy::ProxyArgs,
    domain::{
        credential::Credential,
        reference,
        registry_key::RegistryKey,
        registry_type::{self, Severity},
    },
};

/// Log this machine in to a registry, for Docker, Compose, Swarm, and for cotter itself
///
/// The login is kept where Docker keeps it: by the credential helper that its config.json names, else in that file.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  cotter registry login ghcr.io
  printf %s \"$TOKEN\" | cotter registry login ghcr.io --username bot --password-stdin --test ghcr.io/acme/app:dev
  cotter registry login my-ghcr")]
pub struct Login {
    /// The registry's host, with a port if it has one (docker.io for Docker Hub); or a Registry by its name (registry/NAME where
    /// that has a dot), whose login is read from its Secret
    #[arg(value_name = "HOST|NAME")]
    pub host: String,

    /// The user
    #[arg(long, short, value_name = "USER")]
    pub username: Option<String>,

    /// Read the password or token from stdin
    #[arg(long)]
    pub password_stdin: bool,

    /// Ask the registry for this image with the login first; nothing is kept if it is refused
    #[arg(long, value_name = "IMAGE")]
    pub test: Option<String>,

    /// What --test asks by: registries (private CAs, plain HTTP) and how to resolve
    #[arg(long, value_name = "FILE", env = "COTTER_CONFIG")]
    pub config: Option<PathBuf>,

    /// The environment's proxies, for --test.
    #[command(flatten)]
    pub proxy: ProxyArgs,

    /// The directory of Docker's config.json [default: ~/.docker]
    #[arg(long, value_name = "DIR", env = "DOCKER_CONFIG", value_parser = docker::directory())]
    pub docker_config: Option<PathBuf>,

    /// The cluster with the Registry.
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

/// Make this machine forget the login of a registry
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:\n  cotter registry logout ghcr.io")]
pub struct Logout {
    /// The registry's host, with a port if it has one; docker.io for Docker Hub
    #[arg(value_name = "HOST")]
    pub host: String,

    /// The directory of Docker's config.json [default: ~/.docker]
    #[arg(long, value_name = "DIR", env = "DOCKER_CONFIG", value_parser = docker::directory())]
    pub docker_config: Option<PathBuf>,
}

/// Checks a login and keeps it.
///
/// # Errors
/// If something is missing that nobody can be asked for, if the login cannot work, or if it cannot be kept.
pub fn run(args: Login) -> anyhow::Result<ExitCode> {
    running::run(log_in(args))
}

/// Forgets a login.
///
/// # Errors
/// If Docker's configuration or its helper cannot be used.
pub fn log_out(args: Logout) -> anyhow::Result<ExitCode> {
    running::run(forget(args))
}

async fn log_in(args: Login) -> anyhow::Result<Exit> {
    let (host, username, password) = if let Some(name) = name::of_registry(&args.host) {
        of_registry(name, &args).await?
    } else {
        let host = host_of(&args.host)?;
        let (username, password) = credential(&args).await?;
        (host, username, password)
    };
    let server = docker::server(&host);
    check(server, &username, &password)?;
    if let Some(image) = &args.test {
        let credential = Credential::new(username.as_str(), password.as_slice());
        let registries = RegistryArgs {
            config: args.config.clone(),
            proxy: args.proxy.clone(),
            ..RegistryArgs::default()
        };
        if !passes(image, &host, credential, &registries).await? {
            return Ok(Exit::Findings);
        }
    }
    let path = docker::file_of(args.docker_config.as_deref())?;
    let mut file = DockerFile::read(path)?;
    let config = file.parse()?;
    let mut out = anstream::stdout();
    if let Some(helper) = config.helper(&host) {
        let text = std::str::from_utf8(&password)
            .context("a credential helper keeps text only, and the password is not UTF-8")?;
        helper.store(server, &username, text).await?;
        // Docker lists its logins by the entries of the file.
        file.set(server, "{}")?;
        let program = helper.program();
        writeln!(out, "logged in to {host} as {username}, kept by {program}")?;
    } else {
        file.set(server, &entry(&username, &password))?;
        let path = file.path().display();
        terminal::warn(&format!(
            "the password is stored unencrypted in {path}; a credential helper keeps it safely: \
             https://docs.docker.com/go/credential-store/"
        ))?;
        writeln!(out, "logged in to {host} as {username}, kept in {path}")?;
    }
    Ok(Exit::Fine)
}

async fn forget(args: Logout) -> anyhow::Result<Exit> {
    let host = host_of(&args.host)?;
    let server = docker::server(&host);
    let mut file = DockerFile::read(docker::file_of(args.docker_config.as_deref())?)?;
    let config = file.parse()?;
    let by_helper = match config.helper(&host) {
        Some(helper) => helper.erase(server).await?,
        None => false,
    };
    let in_file = file.remove(server)?;
    let mut out = anstream::stdout();
    if by_helper || in_file {
        writeln!(out, "logged out of {host}")?;
    } else {
        writeln!(out, "there was no login for {host}")?;
    }
    Ok(Exit::Fine)
}

/// The host of what people write for a registry: a URL counts by its host.
fn host_of(text: &str) -> anyhow::Result<String> {
    let key = RegistryKey::prepare(text).with_context(|| {
        format!("{text:?} is no host: name the registry as images do, host[:port]")
    })?;
    let host = key
        .as_str()
        .split('/')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    Ok(match docker::server(&host) {
        docker::HUB_SERVER => reference::HUB.to_owned(),
        _ => host,
    })
}

/// Host and login of a `Registry`, out of its Secret.
async fn of_registry(
    name: &str,
    args: &Login,
) -> anyhow::Result<(String, String, Zeroizing<Vec<u8>>)> {
    if args.username.is_some() || args.password_stdin {
        bail!(
            "the login of the Registry {name} is in its Secret: leave out --username and --password-stdin; a host without a dot \
             is written https://{name}"
        );
    }
    let site = args.cluster.open().await?;
    let (registry, secret) = site.read(name).await?;
    let Some(secret) = secret else {
        bail!(
            "Registry {name} has no login: nobody needs one, or cotter uses its own AWS identity"
        );
    };
    let candidate = Candidate {
        name,
        spec: &registry.spec,
        data: &secret.data,
    };
    let checked = candidate.check(Timestamp::now());
    checked.judge(false)?;
    let place = checked.place.as_ref();
    let host = place.map(|place| place.host.as_str());
    secret.is_for(name, host).map_err(anyhow::Error::msg)?;
    let (Some(host), Some((username, password))) = (host, checked.login()) else {
        bail!(
            "AWS makes the passwords of Registry {name}: aws ecr get-login-password | cotter registry login HOST --username AWS \
             --password-stdin"
        );
    };
    if let Some(owner) = &registry.spec.owner {
        terminal::warn(&format!(
            "Docker knows no owners: it will use the login of {owner} for all of {host}"
        ))?;
    }
    Ok((
        host.to_owned(),
        username.to_owned(),
        Zeroizing::new(password.to_vec()),
    ))
}

async fn credential(args: &Login) -> anyhow::Result<(String, Zeroizing<Vec<u8>>)> {
    let asks = !args.password_stdin && terminal::is_interactive();
    let username = match &args.username {
        Some(username) => username.clone(),
        None if asks => terminal::some_line("User").await?,
        None => bail!("missing: --username USER; without a terminal nobody can be asked"),
    };
    let password = match (args.password_stdin, asks) {
        (true, _) => terminal::password_from_stdin()?,
        (false, true) => terminal::password("Password or token (not shown)").await?,
        (false, false) => bail!(
            "missing: --password-stdin (with the password piped in); without a terminal nobody can be asked"
        ),
    };
    Ok((username, password))
}

/// What the text of the login tells. That a token ends soon is nothing for a machine's login to warn of.
fn check(server: &str, username: &str, password: &[u8]) -> anyhow::Result<()> {
    let login = registry_type::Login {
        server,
        username,
        password,
    };
    let findings = registry_type::check(&login, Timestamp::now());
    for hint in findings.iter().filter(|f| f.severity == Severity::Hint) {
        terminal::warn(&hint.text)?;
    }
    let errors = findings.iter().filter(|f| f.severity == Severity::Error);
    let errors: Vec<&str> = errors.map(|f| f.text.as_str()).collect();
    if !errors.is_empty() {
        bail!("{}", errors.join("; "));
    }
    Ok(())
}

/// Asks the registry for an image with the login.
async fn passes(
    image: &str,
    host: &str,
    credential: Credential,
    registries: &RegistryArgs,
) -> anyhow::Result<bool> {
    let reference = proof::image(image)?;
    let (asked, _) = reference.endpoint();
    if asked != host {
        bail!("--test {image} is on {asked}, not on {host}; name an image of {host}");
    }
    let way = Way {
        origin: Origin::DockerConfig { key: host.into() },
        credential: Some(Arc::new(credential)),
    };
    proof::opens(&reference, vec![way], registries).await
}

/// An entry of `auths` as Docker writes it.
fn entry(username: &str, password: &[u8]) -> Zeroizing<String> {
    let pair = Zeroizing::new([username.as_bytes(), b":", password].concat());
    let auth = Zeroizing::new(BASE64_STANDARD.encode(&*pair));
    Zeroizing::new(format!("{{\n\t\t\t\"auth\": \"{}\"\n\t\t}}", *auth))
}
