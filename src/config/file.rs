//! `cotter.yaml`: policies, registries and how to resolve.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use ipnet::IpNet;
use rustls::pki_types::CertificateDer;
use serde::Deserialize;
use serde_saphyr::Spanned;
use smol_str::SmolStr;

use super::{
    check::Check,
    problem::{ConfigError, Problem},
};
use crate::domain::policy::{Policy, PolicySet};

/// What `cotter.yaml` says, checked.
#[derive(Clone, Debug, Default)]
pub struct FileConfig {
    /// The policies; the built-in `standard` and `strict` where the file has none.
    pub policies: PolicySet,
    /// The hosts with something special about them, each at most once.
    pub registries: Vec<RegistryHost>,
    /// How tags are resolved.
    pub resolve: Resolve,
    /// What the file asks for and this version does not do, or does at a risk, or leaves undone as it is told; one line each.
    pub notices: Vec<String>,
}

/// What is special about one registry host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryHost {
    /// `host[:port]`, in lower case, as references spell it.
    pub host: SmolStr,
    /// Whether it is asked over plain HTTP.
    pub plain_http: bool,
    /// The certificates of `caFile`; empty where the system's roots decide.
    pub ca: Vec<CertificateDer<'static>>,
    /// The file that `ca` was read from.
    pub ca_file: Option<PathBuf>,
    /// Other hosts that its tokens may come from.
    pub auth_hosts: Vec<SmolStr>,
    /// Whether it may have a private address.
    pub allow_private: bool,
    /// Who holds the credential.
    pub credentials: CredentialSource,
    /// Where to ask first, in order: `host[:port][/path]`.
    pub mirrors: Vec<SmolStr>,
}

/// Who holds the credential for a registry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialSource {
    /// The pull secrets of the Pod.
    #[default]
    Pod,
    /// The nodes; nothing is injected and nothing is missed.
    Node,
}

/// `resolve:`: how tags become digests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolve {
    /// How long before a review its answer's registry request may have begun.
    pub fresh: Duration,
    /// How long an answer serves siblings, template analysis and reinvocation; at least `fresh`.
    pub ttl: Duration,
    /// How long a last known good digest stands in for an unavailable registry; zero turns that off.
    pub max_stale: Duration,
    /// How long a failure is remembered.
    pub negative_ttl: Duration,
    /// The longest that one resolution may take.
    pub timeout: Duration,
    /// How many requests one registry gets at once.
    pub per_registry: usize,
    /// Whether no registry is asked at all.
    pub offline: bool,
    /// Address ranges that are never dialled, beyond the built-in ones.
    pub deny_cidrs: Vec<IpNet>,
    /// Address ranges that may be dialled although they are private.
    pub allow_cidrs: Vec<IpNet>,
}

impl Default for Resolve {
    fn default() -> Self {
        Self {
            fresh: Duration::from_secs(2),
            ttl: Duration::from_mins(1),
            max_stale: Duration::from_hours(24),
            negative_ttl: Duration::from_secs(10),
            timeout: Duration::from_secs(5),
            per_registry: 32,
            offline: false,
            deny_cidrs: Vec::new(),
            allow_cidrs: Vec::new(),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct RawFile {
    default_policy: Option<Spanned<SmolStr>>,
    policies: Option<Spanned<BTreeMap<PolicyName, Option<Policy>>>>,
    registries: Option<Vec<RawRegistry>>,
    resolve: Option<RawResolve>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawRegistry {
    pub(super) host: Spanned<String>,
    #[serde(default)]
    pub(super) plain_http: bool,
    pub(super) ca_file: Option<Spanned<PathBuf>>,
    #[serde(default)]
    pub(super) auth_hosts: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) allow_private: bool,
    #[serde(default)]
    pub(super) credentials: CredentialSource,
    #[serde(default)]
    pub(super) mirrors: Vec<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct RawResolve {
    pub(super) fresh: Option<Spanned<String>>,
    pub(super) ttl: Option<Spanned<String>>,
    pub(super) max_stale: Option<Spanned<String>>,
    pub(super) negative_ttl: Option<Spanned<String>>,
    pub(super) timeout: Option<Spanned<String>>,
    pub(super) per_registry: Option<Spanned<u32>>,
    pub(super) offline: bool,
    pub(super) deny_cidrs: Vec<Spanned<String>>,
    pub(super) allow_cidrs: Vec<Spanned<String>>,
}

/// A policy's name, ordered by its text alone.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct PolicyName(pub(super) Spanned<SmolStr>);

/// Reads the file `path` and the CA files that it names.
///
/// # Errors
/// [`ConfigError`] with every problem found: a file that cannot be opened, a key or value that is not known, and all
/// values that contradict each other.
pub fn read(path: &Path) -> Result<FileConfig, ConfigError> {
    let source = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|error| unreadable(&source, &error))?;
    parse(&source, path.parent(), &bytes, &|path| std::fs::read(path))
}

pub(super) fn unreadable(source: &str, error: &io::Error) -> ConfigError {
    let said = format!(
        "cannot be read: {error}; check the path and its permissions, or leave out --config"
    );
    ConfigError::new(source, vec![Problem::of_source(said)])
}

/// Reads the text of a `cotter.yaml`. `directory` is what a relative `caFile` is relative to, and `read` opens it.
///
/// # Errors
/// As [`read`].
pub fn parse(
    source: &str,
    directory: Option<&Path>,
    bytes: &[u8],
    read: &dyn Fn(&Path) -> io::Result<Vec<u8>>,
) -> Result<FileConfig, ConfigError> {
    let fail = |problems| Err(ConfigError::new(source, problems));
    let Ok(text) = std::str::from_utf8(bytes) else {
        return fail(vec![Problem::of_source("is not UTF-8; save it as UTF-8")]);
    };
    let raw: RawFile = match serde_saphyr::from_str::<Option<RawFile>>(text) {
        Ok(raw) => raw.unwrap_or_default(),
        Err(serde_saphyr::Error::Eof { .. }) => RawFile::default(),
        Err(error) => return fail(vec![Problem::of_yaml(&error, text)]),
    };
    let mut check = Check {
        directory,
        read,
        problems: Vec::new(),
        notices: Vec::new(),
    };
    let RawFile {
        default_policy,
        policies,
        registries,
        resolve,
    } = raw;
    let policies = check.policies(default_policy.as_ref(), policies);
    let registries = check.registries(registries.unwrap_or_default());
    let resolve = check.resolve(&resolve.unwrap_or_default());
    let Check {
        problems, notices, ..
    } = check;
    match policies {
        Some(policies) if problems.is_empty() => Ok(FileConfig {
            policies,
            registries,
            resolve,
            notices,
        }),
        _ => fail(problems),
    }
}

impl PartialEq for PolicyName {
    fn eq(&self, other: &Self) -> bool {
        self.0.value == other.0.value
    }
}

impl Eq for PolicyName {}

impl PartialOrd for PolicyName {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PolicyName {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.value.cmp(&other.0.value)
    }
}

#[cfg(test)]
#[path = "file/tests.rs"]
mod tests;
