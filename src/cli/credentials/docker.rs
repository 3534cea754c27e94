//! Docker's `config.json`: the credentials in it, and those that its helpers keep.

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context as _, anyhow, bail};
use clap::builder::{OsStringValueParser, TypedValueParser};
use serde::de::IgnoredAny;
use smol_str::SmolStr;
use tokio::sync::OnceCell;

use super::{
    Origin, Way,
    helper::{Helper, IdentityToken, Kept},
};
use crate::domain::{
    credential::Credential,
    docker_config::SecretType,
    go_json::{Kind, Value, names_field},
    keyring::Keyring,
    pull_secret::PullSecret,
    reference::{HUB, Reference},
};

/// The key under which Docker keeps the credentials of Docker Hub.
pub const HUB_SERVER: &str = "https://index.docker.io/v1/";

/// Other spellings of it among the keys of `credHelpers`.
const HUB_SPELLINGS: [&str; 3] = [HUB_SERVER, "index.docker.io", HUB];

/// The user with whom an Azure registry takes an identity token for a password.
const AZURE_TOKEN_USER: &str = "00000000-0000-0000-0000-000000000000";

/// Docker's configuration of one user.
#[derive(Debug)]
pub struct DockerConfig {
    path: PathBuf,
    keyring: Keyring,
    identity_tokens: HashMap<SmolStr, IdentityToken>,
    /// `credHelpers`: a server's own helper, or none of its own.
    helpers: HashMap<String, Option<Helper>>,
    /// `credsStore`: the helper of all other servers.
    store: Option<Helper>,
    /// What helpers have answered, by server: each is asked once.
    answered: Mutex<HashMap<String, Answer>>,
}

type Answer = Arc<OnceCell<Option<Kept>>>;

/// What the file says besides user and password.
#[derive(Default)]
struct Members {
    identity_tokens: HashMap<SmolStr, IdentityToken>,
    helpers: HashMap<String, Option<Helper>>,
    store: Option<Helper>,
}

// === impl DockerConfig ===

impl DockerConfig {
    /// Reads `config.json` of `dir`, of `~/.docker` by default. A file that is not there says nothing.
    ///
    /// # Errors
    /// If it cannot be read, or is not what Docker would read.
    pub fn open(dir: Option<&Path>) -> anyhow::Result<Self> {
        let path = file_of(dir)?;
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                let dir = path.parent().unwrap_or(&path).display();
                bail!("{dir} is a file; --docker-config names the directory of config.json")
            }
            Err(error) => {
                let said = format!("{} cannot be read; check its permissions", path.display());
                return Err(anyhow!(error).context(said));
            }
        };
        Self::read(path, &bytes)
    }

    /// Reads the content of `path`.
    ///
    /// # Errors
    /// If it is not what Docker would read.
    pub fn read(path: PathBuf, bytes: &[u8]) -> anyhow::Result<Self> {
        let shown = path.display();
        // Docker takes an empty file for an empty configuration.
        let is_empty = bytes.trim_ascii().is_empty();
        let bytes = if is_empty { b"{}" } else { bytes };
        check_json(&path, bytes)?;
        let secret = PullSecret::read("config.json", SecretType::DockerConfigJson, bytes);
        if let Some(error) = secret.broken() {
            match error.hint() {
                Some(hint) => bail!("{shown}: {error}; {hint}"),
                None => bail!("{shown}: {error}; correct it, or log in again"),
            }
        }
        let members = Members::read(bytes).with_context(|| shown.to_string())?;
        let Members {
            identity_tokens,
            helpers,
            store,
        } = members;
        Ok(Self {
            keyring: Keyring::new([&secret]),
            path,
            identity_tokens,
            helpers,
            store,
            answered: Mutex::default(),
        })
    }

    /// Where the file is, or would be.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The ways to ask for an image: the helper of its host, the entries of the file that match, at last anonymous.
    ///
    /// # Errors
    /// If the helper fails, other than by having no credential; or if all there is is an identity token, which cannot be
    /// sent as a password.
    pub async fn ways(&self, image: &Reference) -> anyhow::Result<Vec<Way>> {
        let (host, _) = image.endpoint();
        let (mut ways, mut token) = (Vec::new(), None);
        let mut add = |kept: Kept, origin: Origin| match kept.credential(host) {
            Some(credential) => ways.push(Way {
                origin,
                credential: Some(credential),
            }),
            None => token = Some(origin),
        };
        if let Some(helper) = self.helper(host) {
            let origin = Origin::Helper {
                program: helper.program().to_owned(),
            };
            if let Some(kept) = self.ask(&helper, host).await? {
                add(kept, origin);
            }
        }
        for found in self.keyring.lookup(image.lookup_name()) {
            let entry = found.entry;
            let key = entry.server.clone();
            let token = self.identity_tokens.get(&key);
            let kept = match token.filter(|_| entry.credential.password().is_empty()) {
                Some(token) => Kept::IdentityToken(token.clone()),
                // Docker keeps an empty entry for every login that a helper has.
                None if entry.credential.is_empty() => continue,
                None => Kept::Login(entry.credential.clone()),
            };
            add(kept, Origin::DockerConfig { key });
        }
        if let Some(origin) = token.filter(|_| ways.is_empty()) {
            bail!(
                "{origin} has only an identity token for {host}, which cannot be sent as a password; log in with a \
                 password or an access token: cotter registry login {host}"
            );
        }
        ways.push(Way::anonymous());
        Ok(ways)
    }

    /// What Docker has for a server: its helper's answer, else the file's entry of exactly this host.
    ///
    /// # Errors
    /// As [`Self::ways`].
    pub async fn login(&self, host: &str) -> anyhow::Result<Option<Way>> {
        let Ok(image) = Reference::parse(&format!("{host}/x")) else {
            return Ok(None);
        };
        let ways = self.ways(&image).await?;
        Ok(ways.into_iter().find(|way| way.credential.is_some()))
    }

    /// The helper that keeps the credential of `host`, if one does.
    #[must_use]
    pub fn helper(&self, host: &str) -> Option<Helper> {
        let server = server(host);
        let own = match server {
            HUB_SERVER => HUB_SPELLINGS.iter().find_map(|key| self.helpers.get(*key)),
            host => self.helpers.get(host),
        };
        own.unwrap_or(&self.store).clone()
    }

    /// Asks once for each server; a failure is not remembered.
    async fn ask(&self, helper: &Helper, host: &str) -> anyhow::Result<Option<Kept>> {
        let server = server(host);
        let answer = {
            let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
            answered.entry(server.to_owned()).or_default().clone()
        };
        let kept = answer.get_or_try_init(|| helper.get(server)).await?;
        Ok(kept.clone())
    }
}

/// What Docker calls the server of a host: a URL for Docker Hub, the host itself for others.
#[must_use]
pub fn server(host: &str) -> &str {
    if HUB_SPELLINGS.contains(&host) {
        HUB_SERVER
    } else {
        host
    }
}

/// Reads `--docker-config`. Docker takes an empty `DOCKER_CONFIG` for none, and clap would refuse it.
#[must_use]
pub fn directory() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

/// `config.json` of `dir`, of `~/.docker` by default.
///
/// # Errors
/// If there is no home directory.
pub fn file_of(dir: Option<&Path>) -> anyhow::Result<PathBuf> {
    let dir = match dir.filter(|dir| !dir.as_os_str().is_empty()) {
        Some(dir) => dir.to_owned(),
        None => std::env::home_dir()
            .filter(|home| !home.as_os_str().is_empty())
            .context("there is no home directory; name Docker's with --docker-config DIR")?
            .join(".docker"),
    };
    Ok(dir.join("config.json"))
}

/// Line and column of what is no JSON; the reader behind it only says that it is none.
fn check_json(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let Err(error) = serde_json::from_slice::<IgnoredAny>(bytes) else {
        return Ok(());
    };
    let (path, line, column) = (path.display(), error.line(), error.column());
    let text = error.to_string();
    let said = text.split(" at line ").next().unwrap_or_default();
    bail!(
        "{path}:{line}:{column}: not JSON: {said}; correct it, or move the file away and log in again"
    )
}

// === impl Members ===

impl Members {
    fn read(bytes: &[u8]) -> anyhow::Result<Self> {
        let mut members = Self::default();
        let document = Value::parse(bytes)?;
        for (name, value) in document.members() {
            if names_field(&name, "auths") {
                for (server, entry) in value.members() {
                    members.read_entry(server, entry);
                }
            } else if names_field(&name, "credsStore") {
                members.store = named(&name, value)?;
            } else if names_field(&name, "credHelpers") {
                for (server, helper) in value.members() {
                    let helper = named(&name, helper)?;
                    members.helpers.insert(server, helper);
                }
            }
        }
        Ok(members)
    }

    fn read_entry(&mut self, server: String, entry: Value<'_>) {
        let mut tokens = entry
            .members()
            .filter_map(|(name, value)| names_field(&name, "identitytoken").then(|| value.text()));
        if let Some(token) = tokens.next().filter(|token| !token.is_empty()) {
            let token = IdentityToken::new(token);
            self.identity_tokens.insert(server.into(), token);
        }
    }
}

/// The helper of a name, none for an empty one. A name with a slash would be a program of some directory, which Docker
/// does not mean.
fn named(member: &str, value: Value<'_>) -> anyhow::Result<Option<Helper>> {
    match value.kind() {
        Kind::Null => Ok(None),
        Kind::String => {
            let name = value.text();
            if name.contains(['/', '\\']) {
                bail!(
                    "{member} names a program of some directory; only the end of its name belongs there"
                );
            }
            Ok((!name.is_empty()).then(|| Helper::named(&name)))
        }
        kind => bail!("{member} is {}, not the name of a helper", kind.as_str()),
    }
}

// === impl Kept ===

impl Kept {
    /// User and password as a registry takes them; `None` for an identity token, except that Azure's registries take one
    /// for a password.
    fn credential(self, host: &str) -> Option<Arc<Credential>> {
        match self {
            Self::Login(credential) => Some(credential),
            Self::IdentityToken(token) if is_azure(host) => {
                let credential = Credential::new(AZURE_TOKEN_USER, token.expose().as_bytes());
                Some(Arc::new(credential))
            }
            Self::IdentityToken(_) => None,
        }
    }
}

fn is_azure(host: &str) -> bool {
    [".azurecr.io", ".azurecr.cn", ".azurecr.us", ".azurecr.de"]
        .iter()
        .any(|domain| host.ends_with(domain))
}

#[cfg(unix)]
#[cfg(test)]
#[path = "docker/tests.rs"]
mod tests;
