//! What the checked configuration means to each floor.

use std::time::Duration;

use crate::{
    admission, config,
    config::file::{CredentialSource, FileConfig},
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
