//! `cotter registry`: the logins of this machine.

pub mod login;

use std::process::ExitCode;

use clap::Subcommand;

/// The commands below `cotter registry`.
#[derive(Clone, Debug, Subcommand)]
#[expect(
    missing_docs,
    reason = "documentation here would take the place of the command's own help"
)]
pub enum Registry {
    Login(login::Login),
    Logout(login::Logout),
}

/// Runs one of them.
///
/// # Errors
/// What it fails with.
pub fn run(command: Registry) -> anyhow::Result<ExitCode> {
    match command {
        Registry::Login(args) => login::run(args),
        Registry::Logout(args) => login::log_out(args),
    }
}
