//! Log lines on stderr, as text or as JSON. What may be in a line is its writer's duty: never a body, a Secret or a
//! token.

use std::{io::IsTerminal, panic, str::FromStr};

use thiserror::Error;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{
    Layer, Registry, filter::Targets, fmt, layer::SubscriberExt, util::SubscriberInitExt,
};

/// How a log line is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For a person.
    #[default]
    Text,
    /// One JSON object for each line.
    Json,
}

/// The least important line that is still written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// What a person has to look at.
    Error,
    /// What goes wrong and heals.
    Warn,
    /// What an operator wants to know afterwards.
    #[default]
    Info,
    /// What helps to find a mistake.
    Debug,
    /// Everything.
    Trace,
}

/// Why logs cannot be set up.
#[derive(Debug, Error)]
pub enum LogsError {
    /// No such format.
    #[error("unknown log format `{0}`: expected text or json")]
    Format(String),
    /// No such level.
    #[error("unknown log level `{0}`: expected off, error, warn, info, debug or trace")]
    Level(String),
    /// The process has logs already.
    #[error("logs are set up already")]
    Again,
}

/// Sends the process's log lines to stderr from now on, panics among them.
///
/// Dependencies are heard from `warn` upwards only, whatever `level` is: what they write below that is theirs to
/// choose and may hold headers.
///
/// # Errors
///
/// [`LogsError::Again`] if this was done before.
pub fn init(format: LogFormat, level: LogLevel) -> Result<(), LogsError> {
    Registry::default()
        .with(layer(format).with_filter(filter(level)))
        .try_init()
        .map_err(|_| LogsError::Again)?;
    panic::set_hook(Box::new(log_panic));
    Ok(())
}

fn filter(level: LogLevel) -> Targets {
    let level = LevelFilter::from(level);
    Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target(env!("CARGO_CRATE_NAME"), level)
        // A response that cannot be decoded is logged whole by kube at `warn`, and may be a list of Secrets.
        .with_target("kube_client", level.min(LevelFilter::ERROR))
        // It repeats each refusal that the watches tell once.
        .with_target("kube_runtime", level.min(LevelFilter::ERROR))
}

fn layer(format: LogFormat) -> Box<dyn Layer<Registry> + Send + Sync> {
    let lines = fmt::layer().with_writer(std::io::stderr);
    match format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .boxed(),
    }
}

/// The message of a panic is left out, since slicing a `str` puts the text itself there, and that may be a Secret's.
fn log_panic(panic: &panic::PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string);
    tracing::error!(location = location.as_deref(), "panicked");
}

// === impl LogFormat ===

impl FromStr for LogFormat {
    type Err = LogsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(LogsError::Format(text.to_owned())),
        }
    }
}

// === impl LogLevel ===

impl FromStr for LogLevel {
    type Err = LogsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "off" => Ok(Self::Off),
            "error" => Ok(Self::Error),
            "warn" => Ok(Self::Warn),
            "info" => Ok(Self::Info),
            "debug" => Ok(Self::Debug),
            "trace" => Ok(Self::Trace),
            _ => Err(LogsError::Level(text.to_owned())),
        }
    }
}

impl From<LogLevel> for LevelFilter {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Off => Self::OFF,
            LogLevel::Error => Self::ERROR,
            LogLevel::Warn => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Trace => Self::TRACE,
        }
    }
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn dependencies_are_heard_from_warn_upwards() {
        for (level, target, at, heard) in [
            (LogLevel::Debug, "cotter::http", Level::DEBUG, true),
            (LogLevel::Debug, "hyper", Level::DEBUG, false),
            (LogLevel::Info, "cotter", Level::DEBUG, false),
            (LogLevel::Trace, "rustls", Level::WARN, true),
            (LogLevel::Error, "rustls", Level::WARN, false),
            (LogLevel::Off, "cotter", Level::ERROR, false),
        ] {
            let says = filter(level).would_enable(target, &at);
            assert_eq!(says, heard, "{level:?} {target} {at}");
        }
    }

    #[test]
    fn unknown_names_list_the_known_ones() {
        let format = LogFormat::from_str("xml").unwrap_err().to_string();
        assert_eq!(format, "unknown log format `xml`: expected text or json");
        assert!("verbose".parse::<LogLevel>().is_err());
        assert_eq!("warn".parse::<LogLevel>().unwrap(), LogLevel::Warn);
    }
}
