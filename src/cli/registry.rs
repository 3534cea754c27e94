//! `cotter registry`: what is done with one registry, and the logins of this machine.

pub mod login;
pub mod test;

use std::process::ExitCode;

use clap::Subcommand;

/// The commands below `cotter registry`.
#[derive(Clone, Debug, Subcommand)]
#[expect(
    missing_docs,
    reason = "clap would show a variant's words in place of the command's own"
)]
pub enum Registry {
    Test(Box<test::Test>),
    Login(login::Login),
    Logout(login::Logout),
}

/// Runs one of them.
///
/// # Errors
/// What it fails with.
pub fn run(command: Registry) -> anyhow::Result<ExitCode> {
    match command {
        Registry::Test(args) => test::run(*args),
        Registry::Login(args) => login::run(args),
        Registry::Logout(args) => login::log_out(args),
    }
}
