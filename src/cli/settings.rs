//! What `cotter.yaml` and the environment's proxy mean to the registry client.

use crate::{
    config::{
        file::{FileConfig, RegistryHost},
        proxy::Proxy,
    },
    registry::settings::{HostSettings, Mirror, ProxySettings, Settings},
};

/// The registry client's settings.
#[must_use]
pub fn registry(file: &FileConfig, proxy: Option<&Proxy>) -> Settings {
    let resolve = &file.resolve;
    let host = |host: &RegistryHost| HostSettings {
        host: host.host.clone(),
        plain_http: host.plain_http,
        ca: host.ca.clone(),
        auth_hosts: host.auth_hosts.clone(),
        allow_private: host.allow_private,
        mirrors: host
            .mirrors
            .iter()
            .map(|text| Mirror::named(text))
            .collect(),
    };
    let proxy = proxy.map(|proxy| ProxySettings {
        host: proxy.host.clone(),
        port: proxy.port,
        credential: proxy.credential.clone(),
        except: proxy.except.clone(),
    });
    Settings {
        max_stale: resolve.max_stale,
        negative_ttl: resolve.negative_ttl,
        timeout: resolve.timeout,
        per_registry: resolve.per_registry,
        offline: resolve.offline,
        deny_cidrs: resolve.deny_cidrs.clone(),
        allow_cidrs: resolve.allow_cidrs.clone(),
        personal: false,
        proxy,
        hosts: file.registries.iter().map(host).collect(),
    }
}
