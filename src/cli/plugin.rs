//! `kubectl cotter`: the same program under the name that makes kubectl find it.

use std::{ffi::OsStr, path::Path};

use clap::{Command, CommandFactory as _, builder::StyledStr};

use super::Cli;

/// The name under which kubectl finds the program on the PATH.
const PLUGIN: &str = "kubectl-cotter";

/// What people type then.
const TYPED: &str = "kubectl cotter";

/// The command line of the program that was called as `program`: its usage texts show what people type.
#[must_use]
pub fn command(program: Option<&OsStr>) -> Command {
    let stem = program.and_then(|program| Path::new(program).file_stem());
    let cotter = Cli::command();
    if stem == Some(OsStr::new(PLUGIN)) {
        typed(cotter).bin_name(TYPED).display_name(TYPED)
    } else {
        cotter
    }
}

/// The command and those below it, with examples as kubectl's users type them.
fn typed(command: Command) -> Command {
    let retyped = |text: &StyledStr| text.to_string().replace("cotter ", &format!("{TYPED} "));
    let short = command.get_after_help().map(retyped);
    let long = command.get_after_long_help().map(retyped);
    let mut command = command.mut_subcommands(typed);
    if let Some(examples) = short {
        command = command.after_help(examples);
    }
    if let Some(examples) = long {
        command = command.after_long_help(examples);
    }
    command
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn help(program: &str, line: &[&str]) -> String {
        let line = [&[program], line].concat();
        let shown = command(Some(OsStr::new(program))).try_get_matches_from(line);
        shown.unwrap_err().to_string()
    }

    #[rstest]
    #[case::by_itself(
        "/usr/bin/cotter",
        "Usage: cotter registry login ",
        "\n  cotter registry login ghcr.io"
    )]
    #[case::as_a_plugin(
        "/usr/bin/kubectl-cotter",
        "Usage: kubectl cotter registry login ",
        "\n  kubectl cotter registry login ghcr.io"
    )]
    fn the_usage_shows_what_people_type(
        #[case] program: &str,
        #[case] usage: &str,
        #[case] example: &str,
    ) {
        let help = help(program, &["registry", "login", "--help"]);
        assert!(help.contains(usage) && help.contains(example), "{help}");
    }
}
