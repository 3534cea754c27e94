//! `cotter completions`: what a shell completes after `cotter`.

use std::{io::Write as _, process::ExitCode};

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::Cli;

/// Print the completions for a shell
#[derive(Clone, Copy, Debug, Args)]
#[command(after_help = "Examples:
  source <(cotter completions bash)
  cotter completions zsh > ~/.zfunc/_cotter
  cotter completions fish > ~/.config/fish/completions/cotter.fish
  cotter completions powershell | Out-String | Invoke-Expression")]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Prints them.
///
/// # Errors
/// If stdout is gone.
pub fn run(args: Completions) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "cotter", &mut script);
    anstream::stdout().write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}
