//! `cotter crd`: the definitions of cotter's own kinds.

use std::{io::Write, process::ExitCode};

use anyhow::Context;
use clap::Args;

use crate::api::revision_pin::RevisionPin;

/// Print the definitions of cotter's own kinds, for kubectl apply
#[derive(Clone, Copy, Debug, Args)]
#[command(after_help = "Example:\n  cotter crd | kubectl apply --server-side -f -")]
pub struct Crd {}

/// Prints the definitions.
///
/// # Errors
/// If stdout is gone.
pub fn run(args: Crd) -> anyhow::Result<ExitCode> {
    let Crd {} = args;
    anstream::stdout().write_all(definitions()?.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// The definitions as YAML.
///
/// # Errors
/// If they cannot be written as YAML, which would be a defect.
pub fn definitions() -> anyhow::Result<String> {
    serde_saphyr::to_string(&RevisionPin::definition())
        .context("the definition of RevisionPin cannot be written as YAML")
}
