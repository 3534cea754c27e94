//! What the checked configuration means to each floor.

use std::time::Duration;

use smol_str::SmolStr;

use crate::{
    admission,
    cloud::Environment,
    config,
    config::{
        cloud::CloudArgs,
        file::{CredentialSource, FileConfig},
    },
    telemetry::logs::{LogFormat, LogLevel},
};

/// The admission's part. `longest`: the longest that one review may take.
pub(super) fn admission(file: &FileConfig, longest: Duration) -> admission::settings::Settings {
    let resolve = &file.resolve;
    let is_node_held =
        |host: &&config::file::RegistryHost| host.credentials == CredentialSource::Node;
    admission::settings::Settings {
        policies: file.policies.clone(),
        fresh: resolve.fresh,
        ttl: resolve.ttl,
        timeout: resolve.timeout.min(longest),
        offline: resolve.offline,
        node_held: file
            .registries
            .iter()
            .filter(is_node_held)
            .map(|host| host.host.clone())
            .collect(),
    }
}

/// The hosts that cotter needs logins of its own for.
pub(super) fn own_logins(
    settings: &admission::settings::Settings,
) -> impl Iterator<Item = &SmolStr> {
    settings.node_held.iter().filter(|_| !settings.offline)
}

/// How the clouds know cotter.
pub(super) fn clouds(args: CloudArgs) -> Environment {
    Environment {
        google_metadata: args.gce_metadata_host,
        azure_client: args.azure_client_id,
        azure_tenant: args.azure_tenant_id,
        azure_token_file: args.azure_federated_token_file,
        azure_authority: args.azure_authority_host,
        azure_metadata: args.azure_pod_identity_authority_host,
    }
}

/// The log's format.
pub(super) fn log_format(format: config::args::LogFormat) -> LogFormat {
    match format {
        config::args::LogFormat::Text => LogFormat::Text,
        config::args::LogFormat::Json => LogFormat::Json,
    }
}

/// The log's level.
pub(super) fn log_level(level: config::args::LogLevel) -> LogLevel {
    match level {
        config::args::LogLevel::Error => LogLevel::Error,
        config::args::LogLevel::Warn => LogLevel::Warn,
        config::args::LogLevel::Info => LogLevel::Info,
        config::args::LogLevel::Debug => LogLevel::Debug,
        config::args::LogLevel::Trace => LogLevel::Trace,
    }
}
