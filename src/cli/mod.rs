//! The commands, one file for each except `serve`.

pub mod answer;
pub mod asking;
pub mod audit;
pub mod certs;
pub mod columns;
pub mod completions;
pub mod crd;
pub mod credentials;
pub mod docs;
pub mod exit;
pub mod files;
#[cfg(test)]
mod json_page;
pub mod krm;
pub mod man;
pub mod names;
pub mod output;
pub mod pin;
pub mod plugin;
pub mod pod;
pub mod proof;
pub mod pull_secret;
pub mod registry;
pub mod resolve;
pub mod running;
pub mod settings;
pub mod tags;
pub mod terminal;
pub mod version;

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
#[expect(
    missing_docs,
    reason = "clap would show a variant's words in place of the command's own"
)]
pub enum Command {
    Serve(Box<ServeArgs>),
    Pin(Box<pin::Pin>),
    Krm(Box<krm::Krm>),
    Resolve(Box<resolve::Resolve>),
    Tags(Box<tags::Tags>),
    Audit(Box<audit::Audit>),
    PullSecret(Box<pull_secret::PullSecret>),
    /// Make, rotate and delete Registry objects, test registries, and log this machine in to them
    #[command(subcommand)]
    Registry(registry::Registry),
    Certs(certs::Certs),
    Crd(crd::Crd),
    Completions(completions::Completions),
    Man(man::Pages),
    Version(version::Version),
    #[command(hide = true)]
    Docs(docs::Docs),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_options_fit_together() {
        Cli::command().debug_assert();
    }

    /// The commands that do something, each with its whole name.
    fn leaves(command: &clap::Command, name: &str, found: &mut Vec<(String, String)>) {
        let below: Vec<_> = command.get_subcommands().collect();
        if below.is_empty() {
            let examples = command.get_after_help().or(command.get_after_long_help());
            let examples = examples.map(ToString::to_string).unwrap_or_default();
            found.push((name.to_owned(), examples));
        }
        for below in below {
            leaves(below, &format!("{name} {}", below.get_name()), found);
        }
    }

    #[test]
    fn every_command_has_an_example_that_parses() {
        let mut commands = Vec::new();
        leaves(&Cli::command(), "cotter", &mut commands);
        for (name, examples) in commands {
            let mut own = 0;
            for typed in examples.lines().filter_map(|line| line.strip_prefix("  ")) {
                for part in typed.split(['|', '>', '<', '(', ')', '\\', '&']) {
                    let Some(line) = part.trim().strip_prefix("cotter ") else {
                        continue;
                    };
                    let line = format!("cotter {line}");
                    own += usize::from(line.starts_with(&name));
                    let parsed = Cli::try_parse_from(line.split_whitespace());
                    let error = parsed.err().map(|error| error.to_string());
                    assert_eq!(error, None, "{line}");
                }
            }
            assert!(own > 0, "{name} has no example");
        }
    }
}
