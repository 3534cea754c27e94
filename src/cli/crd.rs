//! `cotter crd`: the definitions of cotter's own kinds.

use std::{io::Write, process::ExitCode};

use anyhow::Context;
use clap::Args;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;

use crate::api::{registry::Registry, revision_pin::RevisionPin};

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

/// Makes the definition of a kind.
pub type Definition = fn() -> CustomResourceDefinition;

/// The definitions, by their plurals.
pub const DEFINITIONS: [(&str, Definition); 2] = [
    ("registries", Registry::definition),
    ("revisionpins", RevisionPin::definition),
];

/// All definitions as YAML.
///
/// # Errors
/// As [`yaml`].
pub fn definitions() -> anyhow::Result<String> {
    let all: anyhow::Result<Vec<_>> = DEFINITIONS.iter().map(|(_, one)| yaml(&one())).collect();
    Ok(all?.join("---\n"))
}

/// A definition as YAML.
///
/// # Errors
/// If it cannot be written as YAML, which would be a defect.
pub fn yaml(definition: &CustomResourceDefinition) -> anyhow::Result<String> {
    serde_saphyr::to_string(definition).context("a definition cannot be written as YAML")
}
