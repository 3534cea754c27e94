//! What the client is told: plain values, checked elsewhere.

use std::{sync::Arc, time::Duration};

use ipnet::IpNet;
use rustls::pki_types::CertificateDer;
use smol_str::SmolStr;

use crate::domain::credential::Credential;

/// How registries are asked. How fresh an answer has to be is not here: every ask says so itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// For how long a last known good digest stands in while its registry is unavailable, counted from the
    /// request that found it.
    pub max_stale: Duration,
    /// For how long "no such tag", "not with this credential" and "refused" are remembered.
    pub negative_ttl: Duration,
    /// How long the whole of one look-up may take, however long the asker would wait.
    pub timeout: Duration,
    /// How many look-ups one registry host is given at a time.
    pub per_registry: usize,
    /// Nobody is asked; every answer is [`Cause::Refused`](crate::domain::policy::Cause::Refused).
    pub offline: bool,
    /// Ranges that are refused though they are public: the cluster's own, where those are.
    pub deny_cidrs: Vec<IpNet>,
    /// Ranges that are dialled though they are not public. `deny_cidrs` has the last word.
    pub allow_cidrs: Vec<IpNet>,
    /// A person asks, from their own machine: hosts that are not listed may have private addresses, and those of this
    /// machine are spoken to without TLS.
    pub personal: bool,
    /// What HTTPS goes through. It is configured, so its own address may be any.
    pub proxy: Option<ProxySettings>,
    /// What is special about single hosts.
    pub hosts: Vec<HostSettings>,
}

/// What is special about one registry host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostSettings {
    /// The host as references spell it, in lower case, with its port if it has one.
    pub host: SmolStr,
    /// It is spoken to without TLS.
    pub plain_http: bool,
    /// Certificates that are trusted for it besides the system's; empty for none.
    pub ca: Vec<CertificateDer<'static>>,
    /// The hosts that its tokens may come from, besides itself. An entry without a port means any port. They share the
    /// CA and the address rule of this registry unless they are listed themselves.
    pub auth_hosts: Vec<SmolStr>,
    /// Its address may be private, and its name one of the cluster's. Metadata services stay out of reach.
    pub allow_private: bool,
    /// Who is asked in its place first, in this order. A mirror's own entry says how it is spoken to.
    pub mirrors: Vec<Mirror>,
}

/// Where the images of another registry are, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror {
    /// The host as references spell it, in lower case, with its port if it has one.
    pub host: SmolStr,
    /// What stands before the repositories there; empty for nothing.
    pub path: SmolStr,
}

/// An HTTP proxy that knows CONNECT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxySettings {
    /// Its host, an IPv6 address in brackets.
    pub host: SmolStr,
    /// Its port.
    pub port: u16,
    /// Who asks it.
    pub credential: Option<Arc<Credential>>,
    /// The hosts that are asked without it, as `NO_PROXY` lists them.
    pub except: String,
}

/// Settings that no client can be built from.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The private CA of a host holds no certificate that can be used.
    #[error("the CA of registry {host} cannot be used: {reason}")]
    Ca {
        /// The host as it is listed.
        host: SmolStr,
        /// What is wrong with it.
        reason: String,
    },
    /// The TLS library refuses its own defaults.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
}

// === impl Mirror ===

impl Mirror {
    /// The mirror that `host[:port][/path]` names.
    #[must_use]
    pub fn named(text: &str) -> Self {
        let (host, path) = text.split_once('/').unwrap_or((text, ""));
        Self {
            host: host.into(),
            path: path.into(),
        }
    }

    /// Where a repository of the registry is at the mirror.
    pub(super) fn repository(&self, repository: &str) -> SmolStr {
        if self.path.is_empty() {
            repository.into()
        } else {
            format!("{}/{repository}", self.path).into()
        }
    }
}

// === impl Settings ===

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_stale: Duration::from_hours(24),
            negative_ttl: Duration::from_secs(10),
            timeout: Duration::from_secs(5),
            per_registry: 32,
            offline: false,
            deny_cidrs: Vec::new(),
            allow_cidrs: Vec::new(),
            personal: false,
            proxy: None,
            hosts: Vec::new(),
        }
    }
}
