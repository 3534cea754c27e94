//! `make lab`: a whole small Kubernetes with a real node on this machine, and cotter installed in it by its chart.
//!
//! `up` starts it and leaves it running, `shell` opens a shell in it or runs a command there, `down` ends it.

mod shell;
mod story;
#[path = "../../tests/support/mod.rs"]
mod support;
mod up;

use std::process::ExitCode;

use anstream::eprintln;

const COULD_NOT_RUN: u8 = 2;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        ["up"] => up::up(),
        ["shell"] => shell::shell(None),
        ["shell", command] => shell::shell(Some(command)),
        ["down"] => up::down(),
        // What `up` runs in the sandbox.
        ["inside"] => story::tell(),
        _ => Err("say up, shell or down".to_owned()),
    };
    done.unwrap_or_else(|error| {
        eprintln!("lab: {error}");
        ExitCode::from(COULD_NOT_RUN)
    })
}
