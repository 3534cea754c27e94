//! The `cotter` program.

use std::process::ExitCode;

use anstream::eprintln;
use clap::Parser;
use cotter::{
    app,
    cli::{Cli, Command, certs, crd},
    config::Config,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The exit code of a program that could not run; 1 is for findings.
const COULD_NOT_RUN: u8 = 2;

fn main() -> ExitCode {
    let Cli { command } = Cli::parse();
    let result = match command {
        Command::Serve(args) => Config::new(*args).map_err(Into::into).and_then(app::serve),
        Command::Certs(args) => certs::run(args),
        Command::Crd(args) => crd::run(args),
    };
    result.unwrap_or_else(|error| {
        eprintln!("cotter: {error:#}");
        ExitCode::from(COULD_NOT_RUN)
    })
}
