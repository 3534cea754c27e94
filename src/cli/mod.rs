//! The commands, one file for each except `serve`.

pub mod certs;
pub mod crd;

use clap::{Parser, Subcommand};

use crate::config::args::ServeArgs;

/// Canonical image references, pinned tags and pull secrets for Pods, at admission.
#[derive(Clone, Debug, Parser)]
#[command(name = "cotter", version, propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// `cotter serve`.
    Serve(Box<ServeArgs>),
    /// `cotter certs`.
    Certs(certs::Certs),
    /// `cotter crd`.
    Crd(crd::Crd),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_options_fit_together() {
        Cli::command().debug_assert();
    }
}
