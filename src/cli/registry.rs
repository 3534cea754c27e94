//! `cotter registry`: `Registry` objects, what is done with one registry, and the logins of this machine.

pub mod add;
pub mod candidate;
pub mod delete;
pub mod list;
pub mod login;
mod manifests;
pub mod members;
mod name;
pub mod rotate;
pub mod site;
mod standing;
pub mod test;
mod wait;

use std::process::ExitCode;

use clap::Subcommand;

/// The commands below `cotter registry`.
#[derive(Clone, Debug, Subcommand)]
#[expect(
    missing_docs,
    reason = "clap would show a variant's words in place of the command's own"
)]
pub enum Registry {
    Add(Box<add::Add>),
    List(list::List),
    Rotate(Box<rotate::Rotate>),
    Delete(Box<delete::Delete>),
    Test(Box<test::Test>),
    Login(Box<login::Login>),
    Logout(login::Logout),
}

/// Runs one of them.
///
/// # Errors
/// What it fails with.
pub fn run(command: Registry) -> anyhow::Result<ExitCode> {
    match command {
        Registry::Add(args) => add::run(*args),
        Registry::List(args) => list::run(args),
        Registry::Rotate(args) => rotate::run(*args),
        Registry::Delete(args) => delete::run(*args),
        Registry::Test(args) => test::run(*args),
        Registry::Login(args) => login::run(*args),
        Registry::Logout(args) => login::log_out(args),
    }
}
