//! `cotter docs`: the page of the command line in the documentation, made from the commands themselves.

use std::{
    fmt::{self, Write as _},
    io::Write as _,
    process::ExitCode,
};

use clap::{Arg, Args, Command, CommandFactory as _, builder::StyledStr};

use super::Cli;

/// Print the documentation's page of the command line
#[derive(Clone, Copy, Debug, Args)]
#[command(after_help = "Example:\n  cotter docs > docs/cli.md")]
pub struct Docs {}

const INTRODUCTION: &str = "# The command line

Made from the program: `cotter docs`.

- stdout is the answer; notices, warnings and errors go to stderr.
- Exit codes: 0 fine, 1 findings (something is not as it should be), 2 the command could not run.
- `-o json` prints the documents of [json.md](json.md).
- Colour only on a terminal, and not where `NO_COLOR` is set.
- No flag takes a password: it is asked for at the terminal, read from stdin, or taken from where Docker keeps it.
- Installed as `kubectl-cotter`, the same commands are `kubectl cotter …`.
";

/// Prints the page.
///
/// # Errors
/// If stdout is gone.
pub fn run(args: Docs) -> anyhow::Result<ExitCode> {
    let Docs {} = args;
    anstream::stdout().write_all(page()?.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// The page as Markdown.
///
/// # Errors
/// Never; writing to a text may fail by its type.
pub fn page() -> Result<String, fmt::Error> {
    let mut cotter = Cli::command().disable_help_subcommand(true);
    cotter.build();
    let mut page = INTRODUCTION.to_owned();
    for command in cotter.get_subcommands() {
        section(command, "cotter", 2, &mut page)?;
    }
    Ok(page)
}

fn section(command: &Command, above: &str, level: usize, page: &mut String) -> fmt::Result {
    if command.is_hide_set() {
        return Ok(());
    }
    let name = format!("{above} {}", command.get_name());
    writeln!(page, "\n{} {name}", "#".repeat(level))?;
    let about = command.get_long_about().or(command.get_about());
    if let Some(about) = about {
        for paragraph in about.to_string().split("\n\n") {
            writeln!(page, "\n{}.", joined(paragraph).trim_end_matches('.'))?;
        }
    }
    let below: Vec<&Command> = command.get_subcommands().collect();
    if below.is_empty() {
        let usage = command
            .clone()
            .bin_name(name.clone())
            .render_usage()
            .to_string();
        let usage = usage.trim_start_matches("Usage: ");
        writeln!(page, "\n```text\n{}\n```", usage.trim())?;
    }
    let shown =
        |arg: &&Arg| !arg.is_hide_set() && !matches!(arg.get_id().as_str(), "help" | "version");
    let arguments: Vec<&Arg> = command.get_arguments().filter(shown).collect();
    if !arguments.is_empty() {
        writeln!(page, "\n| argument | meaning |\n|---|---|")?;
        for argument in arguments {
            writeln!(page, "| {} | {} |", spelled(argument), meaning(argument))?;
        }
    }
    let examples = command.get_after_long_help().or(command.get_after_help());
    if let Some(examples) = examples {
        writeln!(page, "\n{}", fenced(&examples.to_string()))?;
    }
    for below in below {
        section(below, &name, level + 1, page)?;
    }
    Ok(())
}

/// Prose as it is, and what is to be typed in blocks.
fn fenced(text: &str) -> String {
    let mut parts: Vec<(bool, Vec<&str>)> = Vec::new();
    for line in text.trim().lines() {
        let typed = line.strip_prefix("  ");
        match parts.last_mut() {
            Some((is_typed, lines)) if *is_typed == typed.is_some() || line.is_empty() => {
                lines.push(typed.unwrap_or(line));
            }
            _ => parts.push((typed.is_some(), vec![typed.unwrap_or(line)])),
        }
    }
    let part = |(is_typed, lines): (bool, Vec<&str>)| {
        let text = lines.join("\n");
        let text = text.trim_end();
        if is_typed {
            format!("```sh\n{text}\n```")
        } else {
            text.to_owned()
        }
    };
    let parts: Vec<String> = parts.into_iter().map(part).collect();
    parts.join("\n\n")
}

/// `-n`, `--namespace NS`.
fn spelled(argument: &Arg) -> String {
    let takes_values = argument.get_action().takes_values();
    let names = argument
        .get_value_names()
        .filter(|_| takes_values)
        .unwrap_or_default();
    let names: Vec<&str> = names.iter().map(clap::builder::Str::as_str).collect();
    let value = names.join(" ").replace('|', "\\|");
    let Some(long) = argument.get_long() else {
        return format!("`{value}`");
    };
    let short = argument.get_short().map(|short| format!("`-{short}`, "));
    let optional = argument
        .get_num_args()
        .is_some_and(|values| values.min_values() == 0);
    let value = match (value.is_empty(), optional) {
        (true, _) => value,
        (false, true) => format!(" [{value}]"),
        (false, false) => format!(" {value}"),
    };
    format!("{}`--{long}{value}`", short.unwrap_or_default())
}

fn meaning(argument: &Arg) -> String {
    let help = argument.get_long_help().or(argument.get_help());
    let mut said = vec![help.map(plain).unwrap_or_default()];
    let takes_values = argument.get_action().takes_values();
    let values = argument.get_possible_values();
    let values = values
        .iter()
        .filter(|value| takes_values && !value.is_hide_set());
    let values: Vec<_> = values
        .map(|value| format!("`{}`", value.get_name()))
        .collect();
    if !values.is_empty() {
        said.push(format!("({})", values.join(", ")));
    }
    let defaults = argument.get_default_values().iter();
    let defaults: Vec<_> = defaults.map(|value| value.to_string_lossy()).collect();
    if takes_values && !defaults.is_empty() && !argument.is_hide_default_value_set() {
        said.push(format!("[default: `{}`]", defaults.join(" ")));
    }
    if let Some(variable) = argument.get_env() {
        said.push(format!("[`${}`]", variable.display()));
    }
    said.join(" ")
}

/// One line that no table breaks at.
fn plain(text: &StyledStr) -> String {
    joined(&text.to_string()).replace('|', "\\|")
}

fn joined(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
