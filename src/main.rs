//! The `cotter` program.

use std::{env, io, process::ExitCode};

use anstream::eprintln;
use clap::FromArgMatches as _;
use cotter::{
    app,
    cli::{
        Cli, Command, audit, certs, completions, crd, docs, krm, man, pin, plugin, pull_secret,
        registry, resolve, tags, version,
    },
    config::Config,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The exit code of a program that could not run; 1 is for findings.
const COULD_NOT_RUN: u8 = 2;

fn main() -> ExitCode {
    let matches = plugin::command(env::args_os().next().as_deref()).get_matches();
    let Cli { command } = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let result = match command {
        Command::Serve(args) => Config::new(*args).map_err(Into::into).and_then(app::serve),
        Command::Pin(args) => pin::run(*args),
        Command::Krm(args) => krm::run(*args),
        Command::Resolve(args) => resolve::run(*args),
        Command::Tags(args) => tags::run(*args),
        Command::Audit(args) => audit::run(*args),
        Command::Certs(args) => certs::run(args),
        Command::Crd(args) => crd::run(args),
        Command::PullSecret(args) => pull_secret::run(*args),
        Command::Registry(command) => registry::run(command),
        Command::Completions(args) => completions::run(args),
        Command::Man(args) => man::run(&args),
        Command::Version(args) => version::run(args),
        Command::Docs(args) => docs::run(args),
    };
    result.unwrap_or_else(|error| {
        let cause = error.downcast_ref::<io::Error>().map(io::Error::kind);
        if cause == Some(io::ErrorKind::BrokenPipe) {
            // Whoever reads has read enough.
            return ExitCode::SUCCESS;
        }
        eprintln!("cotter: {error:#}");
        ExitCode::from(COULD_NOT_RUN)
    })
}
