//! `cotter version`: what this program was built from, and by what.

use std::{io::Write as _, process::ExitCode};

use clap::{Args, ValueEnum};
use serde::Serialize;

/// Print the version, and what the program was built from and by
///
/// `-o json` has the members version, revision (null unless the build was told one in `COTTER_REVISION`), target and
/// rustc.
#[derive(Clone, Copy, Debug, Args)]
#[command(after_help = "Example:\n  cotter version -o json")]
pub struct Version {
    /// How it is written
    #[arg(long, short, value_enum, value_name = "FORMAT", default_value_t)]
    pub output: Output,
}

/// How the version is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// A line each
    #[default]
    Text,
    /// One JSON object
    Json,
}

/// What `-o json` prints. Members are added, never renamed.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Build {
    /// The version, `1.2.3`.
    pub version: &'static str,
    /// The git revision, where the build was told one (`COTTER_REVISION`); else `null`.
    pub revision: Option<&'static str>,
    /// The platform that it was built for, `x86_64-unknown-linux-musl`.
    pub target: &'static str,
    /// The compiler, `rustc 1.95.0 (…)`.
    pub rustc: &'static str,
}

/// Of this program.
pub const BUILD: Build = Build {
    version: env!("CARGO_PKG_VERSION"),
    revision: match option_env!("COTTER_REVISION") {
        Some(told) if !told.is_empty() => Some(told),
        _ => None,
    },
    target: env!("COTTER_TARGET"),
    rustc: env!("COTTER_RUSTC"),
};

/// Prints it.
///
/// # Errors
/// If stdout is gone.
pub fn run(args: Version) -> anyhow::Result<ExitCode> {
    let mut out = anstream::stdout();
    match args.output {
        Output::Json => writeln!(out, "{}", serde_json::to_string(&BUILD)?)?,
        Output::Text => {
            let Build {
                version,
                revision,
                target,
                rustc,
            } = BUILD;
            writeln!(out, "cotter {version}")?;
            writeln!(out, "revision  {}", revision.unwrap_or("unknown"))?;
            writeln!(out, "target    {target}")?;
            writeln!(out, "rustc     {rustc}")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
pub(super) fn json_schema() -> serde_json::Value {
    super::json_page::schema_of::<Build>()
}
