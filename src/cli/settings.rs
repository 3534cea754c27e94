//! What `cotter.yaml` means to the registry client.

use crate::{
    config::file::{FileConfig, RegistryHost},
    registry::settings::{HostSettings, Settings},
};

/// The registry client's settings.
#[must_use]
pub fn registry(file: &FileConfig) -> Settings {
    let resolve = &file.resolve;
    let host = |host: &RegistryHost| HostSettings {
        host: host.host.clone(),
        plain_http: host.plain_http,
        ca: host.ca.clone(),
        auth_hosts: host.auth_hosts.clone(),
        allow_private: host.allow_private,
    };
    Settings {
        max_stale: resolve.max_stale,
        negative_ttl: resolve.negative_ttl,
        timeout: resolve.timeout,
        per_registry: resolve.per_registry,
        offline: resolve.offline,
        deny_cidrs: resolve.deny_cidrs.clone(),
        allow_cidrs: resolve.allow_cidrs.clone(),
        personal: false,
        hosts: file.registries.iter().map(host).collect(),
    }
}
