//! What is known of registries by their hosts, and whether a pull secret for one can work, as far as its text tells.
//!
//! An error is only what cannot work; patterns of tokens change too often to be more than hints. Nobody is asked here.

pub(super) mod amazon;
mod artifactory;
mod azure;
mod github;
mod gitlab;
mod google;
mod harbor;
mod jwt;
mod login;
mod quay;
mod server;
#[cfg(test)]
mod tests;

use std::fmt;

use jiff::Timestamp;

use super::registry_key::RegistryKey;

/// A kind of registry with users and tokens of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RegistryType {
    /// GitHub's container registry.
    Ghcr,
    /// Docker Hub.
    DockerHub,
    /// Amazon's, private or public.
    Ecr,
    /// Azure's.
    Acr,
    /// Google's Container Registry and Artifact Registry.
    Google,
    /// Quay.
    Quay,
    /// Harbor, as far as its host's name tells.
    Harbor,
    /// `GitLab`, as far as its host's name tells.
    GitLab,
    /// Artifactory, as far as its host's name tells.
    Artifactory,
    /// Any other.
    Custom,
}

/// A user and a password for a registry, as they are to stand in a pull secret.
#[derive(Clone, Copy)]
pub struct Login<'a> {
    /// The key of the `auths` entry: a host, or what people write in its place.
    pub server: &'a str,
    /// The user's name.
    pub username: &'a str,
    /// The password or token. It need not be UTF-8.
    pub password: &'a [u8],
}

/// What is wrong, or looks so. The text shows no part of a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether it can work all the same.
    pub severity: Severity,
    /// What it is about.
    pub about: About,
    /// One line: what, why, and what to do.
    pub text: String,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It works, but not for as long as a pull secret is kept.
    ShortLived,
    /// It may work; somebody should look.
    Hint,
    /// It cannot work.
    Error,
}

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// The key.
    Server,
    /// The user's name.
    Username,
    /// The password.
    Password,
}

/// Findings as they are made.
#[derive(Default)]
struct Findings {
    list: Vec<Finding>,
    /// Whether the login is kept and handed on, and its findings stand where others read them.
    kept: bool,
}

/// All that the text of a login tells. `now` decides which tokens have expired.
#[must_use]
pub fn check(login: &Login<'_>, now: Timestamp) -> Vec<Finding> {
    let mut found = Findings::default();
    server::check(login.server, &mut found);
    let registry_type = RegistryType::of_server(login.server);
    check_of_type(login, registry_type, now, &mut found);
    found.list
}

/// As [`check`], for the user and the password of a login that is kept and handed on: what would give it away is an
/// error, and no text repeats a part of either. The server is not looked at, but for what a token says of it.
#[must_use]
pub fn check_kept(login: &Login<'_>, registry_type: RegistryType, now: Timestamp) -> Vec<Finding> {
    let mut found = Findings {
        list: Vec::new(),
        kept: true,
    };
    check_of_type(login, registry_type, now, &mut found);
    found.list
}

/// All that the text of an `auths` key tells.
#[must_use]
pub fn check_server(server: &str) -> Vec<Finding> {
    let mut found = Findings::default();
    server::check(server, &mut found);
    found.list
}

fn check_of_type(
    login: &Login<'_>,
    registry_type: RegistryType,
    now: Timestamp,
    found: &mut Findings,
) {
    login::check(login, now, found);
    if login.password.is_empty() {
        return;
    }
    match registry_type {
        RegistryType::Ghcr => github::check(login, found),
        RegistryType::Ecr => amazon::check(login, found),
        RegistryType::Acr => azure::check(login, now, found),
        RegistryType::Google => google::check(login, found),
        RegistryType::Quay => quay::check(login, found),
        RegistryType::Harbor => harbor::check(login, found),
        RegistryType::GitLab => gitlab::check(login, found),
        RegistryType::Artifactory => artifactory::check(login, found),
        RegistryType::DockerHub | RegistryType::Custom => {}
    }
}

// === impl RegistryType ===

impl RegistryType {
    /// The type that the key of an `auths` entry belongs to.
    #[must_use]
    pub fn of_server(server: &str) -> Self {
        let key = RegistryKey::prepare(server);
        let host = key.as_ref().map_or(server, |key| host_of(key.as_str()));
        Self::of_host(host)
    }

    /// The type of a host, with or without its port.
    #[must_use]
    pub fn of_host(host: &str) -> Self {
        let host = host.to_ascii_lowercase();
        let host = host.split(':').next().unwrap_or_default();
        if host == "ghcr.io" || (host.starts_with("containers.") && host.ends_with(".ghe.com")) {
            Self::Ghcr
        } else if server::is_hub(host) {
            Self::DockerHub
        } else if amazon::is_host(host) {
            Self::Ecr
        } else if azure::is_host(host) {
            Self::Acr
        } else if google::is_host(host) {
            Self::Google
        } else if host == "quay.io" || has_label(host, "quay") {
            Self::Quay
        } else if has_label(host, "harbor") {
            Self::Harbor
        } else if host.ends_with(".jfrog.io") || has_label(host, "artifactory") {
            Self::Artifactory
        } else if has_label(host, "gitlab") {
            Self::GitLab
        } else {
            Self::Custom
        }
    }
}

impl fmt::Display for RegistryType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ghcr => "GHCR",
            Self::DockerHub => "Docker Hub",
            Self::Ecr => "ECR",
            Self::Acr => "ACR",
            Self::Google => "Google's registries",
            Self::Quay => "Quay",
            Self::Harbor => "Harbor",
            Self::GitLab => "GitLab",
            Self::Artifactory => "Artifactory",
            Self::Custom => "a registry",
        })
    }
}

/// The host of a prepared key, with its port.
fn host_of(key: &str) -> &str {
    key.split('/').next().unwrap_or_default()
}

fn has_label(host: &str, label: &str) -> bool {
    host.split('.').any(|of_host| of_host == label)
}

// === impl Login ===

impl Login<'_> {
    /// The password, where it is text.
    fn password_text(&self) -> &str {
        std::str::from_utf8(self.password).unwrap_or_default()
    }
}

impl fmt::Debug for Login<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").finish_non_exhaustive()
    }
}

// === impl Findings ===

impl Findings {
    fn error(&mut self, about: About, text: impl Into<String>) {
        self.push(Severity::Error, about, text.into());
    }

    fn hint(&mut self, about: About, text: impl Into<String>) {
        self.push(Severity::Hint, about, text.into());
    }

    /// A hint to whoever types the login, an error where it is kept and handed on.
    fn error_if_kept(&mut self, about: About, text: impl Into<String>) {
        let severity = if self.kept {
            Severity::Error
        } else {
            Severity::Hint
        };
        self.push(severity, about, text.into());
    }

    fn short_lived(&mut self, text: impl Into<String>) {
        self.push(Severity::ShortLived, About::Password, text.into());
    }

    fn push(&mut self, severity: Severity, about: About, text: String) {
        self.list.push(Finding {
            severity,
            about,
            text,
        });
    }
}
