//! `cotter man`: manual pages.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, bail};
use clap::{Args, Command, CommandFactory as _};
use clap_mangen::Man;

use super::{Cli, files};

/// Print a manual page, or write all of them into a directory
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  cotter man registry login | man -l -
  cotter man --dir ~/.local/share/man/man1")]
pub struct Pages {
    /// The command whose page is printed [default: cotter itself]
    #[arg(value_name = "COMMAND", conflicts_with = "dir")]
    pub command: Vec<String>,

    /// Write a page for each command into this directory
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// Prints or writes them.
///
/// # Errors
/// If there is no such command, or the directory cannot be used.
pub fn run(args: &Pages) -> anyhow::Result<ExitCode> {
    let mut cotter = Cli::command().disable_help_subcommand(true);
    cotter.build();
    if let Some(dir) = &args.dir {
        fs::create_dir_all(dir).with_context(|| format!("{} cannot be made", dir.display()))?;
        write_all(&cotter, "cotter", dir)?;
        return Ok(ExitCode::SUCCESS);
    }
    let (mut command, mut name) = (&cotter, "cotter".to_owned());
    for part in &args.command {
        let Some(below) = command.find_subcommand(part) else {
            bail!("there is no command {name} {part}; {name} --help lists those that there are");
        };
        command = below;
        name = format!("{name} {part}");
    }
    anstream::stdout().write_all(&page(command, &name)?)?;
    Ok(ExitCode::SUCCESS)
}

fn write_all(command: &Command, name: &str, dir: &Path) -> anyhow::Result<()> {
    let path = dir.join(format!("{}.1", name.replace(' ', "-")));
    files::replace(&path, &page(command, name)?)?;
    for below in command
        .get_subcommands()
        .filter(|below| !below.is_hide_set())
    {
        write_all(below, &format!("{name} {}", below.get_name()), dir)?;
    }
    Ok(())
}

/// The page of a command, called by its whole name.
fn page(command: &Command, name: &str) -> anyhow::Result<Vec<u8>> {
    let title = name.replace(' ', "-");
    let command = command
        .clone()
        .display_name(title.clone())
        .bin_name(name.to_owned());
    let mut page = Vec::new();
    Man::new(command).title(title).render(&mut page)?;
    Ok(page)
}
