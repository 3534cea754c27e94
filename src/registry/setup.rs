//! Settings made ready to use: one profile (address rule, trust, connections) per listed host, and one for all others.

use std::{collections::HashMap, net::IpAddr, sync::Arc, time::Duration};

use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy,
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{ClientConfig, crypto::CryptoProvider};
use smol_str::SmolStr;

use super::{
    dial::{Dialer, Resolve},
    guard::Guard,
    origin::Origin,
    proxy::Proxy,
    settings::{HostSettings, Settings, SettingsError},
    trust::{self, SystemRoots},
};

/// How long a connection waits for its next request. Within the `ttl` of a busy host it is asked again; a longer wait
/// meets servers and balancers that have closed it.
const IDLE: Duration = Duration::from_mins(1);
/// Idle HTTP/1.1 connections per host; HTTP/2 needs one.
const IDLE_PER_HOST: usize = 8;
/// What a connection buffers of an answer's head; real ones are below 8 KiB.
pub(super) const HEAD: usize = 64 << 10;

type Connections = legacy::Client<HttpsConnector<Dialer>, Full<bytes::Bytes>>;

/// What outlives a change of settings.
#[derive(Clone)]
pub(super) struct Base {
    provider: Arc<CryptoProvider>,
    system: Arc<SystemRoots>,
    resolver: Arc<dyn Resolve>,
}

/// One version of the settings.
pub(super) struct Setup {
    pub(super) settings: Settings,
    listed: HashMap<SmolStr, Arc<Profile>>,
    unlisted: Arc<Profile>,
    /// For hosts of this machine that are not listed, where a person asks.
    loopback: Option<Arc<Profile>>,
    /// For the services that make logins, which only the operator names.
    services: Arc<Profile>,
    way: Way,
}

/// What decides of every host how it is dialled.
#[derive(Clone)]
struct Way {
    guard: Arc<Guard>,
    proxy: Option<Arc<Proxy>>,
}

/// How one host is spoken to.
pub(super) struct Profile {
    pub(super) host: HostSettings,
    pub(super) connections: Connections,
    /// What `connections` dial and shake hands with, for whoever wants to see each by itself.
    pub(super) dialer: Dialer,
    pub(super) tls: Arc<ClientConfig>,
}

// === impl Base ===

impl Base {
    pub(super) fn new(resolver: Arc<dyn Resolve>) -> Self {
        Self {
            provider: trust::provider(),
            system: Arc::default(),
            resolver,
        }
    }

    fn profile(&self, host: HostSettings, way: &Way) -> Result<Profile, SettingsError> {
        let config = trust::client_config(&self.provider, &self.system, &host.ca);
        let config = config.map_err(|error| {
            if host.ca.is_empty() {
                SettingsError::Tls(error)
            } else {
                SettingsError::Ca {
                    host: host.host.clone(),
                    reason: error.to_string(),
                }
            }
        })?;
        let dialer = Dialer {
            resolver: Arc::clone(&self.resolver),
            guard: Arc::clone(&way.guard),
            allow_private: host.allow_private,
            proxy: way.proxy.clone(),
        };
        let tls = Arc::new(config.clone());
        let builder = HttpsConnectorBuilder::new().with_tls_config(config);
        let connector = if host.plain_http {
            builder.https_or_http()
        } else {
            builder.https_only()
        };
        let connector = connector
            .enable_all_versions()
            .wrap_connector(dialer.clone());
        let connections = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .http1_max_buf_size(HEAD)
            .retry_canceled_requests(true)
            .build(connector);
        Ok(Profile {
            host,
            connections,
            dialer,
            tls,
        })
    }
}

// === impl Setup ===

impl Setup {
    /// Makes `settings` ready. Profiles of `previous` that they do not change are kept, with their connections.
    ///
    /// # Errors
    /// [`SettingsError`] if a private CA cannot be used.
    pub(super) fn new(
        settings: Settings,
        base: &Base,
        previous: Option<&Self>,
    ) -> Result<Self, SettingsError> {
        let way = Way {
            guard: Arc::new(Guard {
                deny: settings.deny_cidrs.clone(),
                allow: settings.allow_cidrs.clone(),
            }),
            proxy: settings.proxy.as_ref().map(Proxy::new).map(Arc::new),
        };
        let previous = previous.filter(|previous| {
            *previous.way.guard == *way.guard && previous.settings.proxy == settings.proxy
        });
        let way = previous.map_or(way, |previous| previous.way.clone());
        let mut listed = HashMap::with_capacity(settings.hosts.len());
        for host in &settings.hosts {
            let kept = previous.and_then(|previous| previous.listed.get(&host.host));
            let profile = match kept.filter(|kept| kept.host == *host) {
                Some(kept) => Arc::clone(kept),
                None => Arc::new(base.profile(host.clone(), &way)?),
            };
            listed.insert(host.host.clone(), profile);
        }
        let of_others = |plain_http| HostSettings {
            plain_http,
            allow_private: settings.personal,
            ..HostSettings::default()
        };
        let of_services = || HostSettings {
            plain_http: true,
            allow_private: true,
            ..HostSettings::default()
        };
        let services = match previous {
            Some(previous) => Arc::clone(&previous.services),
            None => Arc::new(base.profile(of_services(), &way)?),
        };
        let previous = previous.filter(|previous| previous.settings.personal == settings.personal);
        let (unlisted, loopback) = if let Some(previous) = previous {
            (Arc::clone(&previous.unlisted), previous.loopback.clone())
        } else {
            let loopback = settings
                .personal
                .then(|| base.profile(of_others(true), &way));
            let unlisted = base.profile(of_others(false), &way)?;
            (Arc::new(unlisted), loopback.transpose()?.map(Arc::new))
        };
        Ok(Self {
            settings,
            listed,
            unlisted,
            loopback,
            services,
            way,
        })
    }

    /// The profile of a host as references spell it.
    pub(super) fn profile(&self, host: &str) -> &Arc<Profile> {
        let loopback = || self.loopback.as_ref().filter(|_| is_loopback(host));
        let listed = self.listed.get(host);
        listed.or_else(loopback).unwrap_or(&self.unlisted)
    }

    /// Whether `host` is asked as under `other`, and so are its mirrors in its place.
    pub(super) fn asks_as(&self, other: &Self, host: &str) -> bool {
        let same = |host: &str| Arc::ptr_eq(self.profile(host), other.profile(host));
        let mirrors = &self.profile(host).host.mirrors;
        same(host) && mirrors.iter().all(|mirror| same(&mirror.host))
    }

    /// The profile of wherever a URL leads, if that host is listed.
    pub(super) fn listed(&self, origin: &Origin) -> Option<&Arc<Profile>> {
        let listed = self.listed.get(origin.authority().as_str());
        listed.or_else(|| {
            self.listed
                .get(format!("{}:{}", origin.host(), origin.port()).as_str())
        })
    }

    /// The profile of services that make logins and are not listed.
    pub(super) fn services(&self) -> &Arc<Profile> {
        &self.services
    }

    /// The profile of all hosts that are not listed.
    pub(super) fn unlisted(&self) -> &Arc<Profile> {
        &self.unlisted
    }
}

/// Whether `host[:port]` is this machine under one of its usual names.
fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    let is_address = |address: IpAddr| address.is_loopback();
    name == "localhost" || address.parse().is_ok_and(is_address)
}
