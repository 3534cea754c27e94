//! cotter on a real node, installed by its chart: what users of a cluster see. Needs root on Linux.
//!
//! This program runs itself again in a sandbox, where one lab serves all tests, one after another.
#![allow(unreachable_pub, reason = "shared among the modules of one program")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop where it stands"
)]

#[path = "../support/mod.rs"]
mod support;

mod cotter;
mod first_users;
mod images;
mod lab;
mod load;
mod losing;
mod node_only;
mod registries;
mod revisions;
mod traces;

use std::ffi::OsStr;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use crate::support::node::{Lab, sandbox};

/// A test's name, and what it does.
type Test = (&'static str, fn(&Lab));

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let tests = [
        node_only::TESTS,
        first_users::TESTS,
        images::TESTS,
        revisions::TESTS,
        losing::TESTS,
        registries::TESTS,
    ]
    .concat();
    if sandbox::inside() {
        return run(&arguments, tests);
    }
    let missing = sandbox::missing();
    if arguments.list || !missing.is_empty() {
        return skip(&arguments, &tests, &missing.join(", "));
    }
    let cleared = libtest_mimic::run(&arguments, traces::trials());
    let before = traces::Traces::now();
    let all: Vec<String> = std::env::args().skip(1).collect();
    let inside = sandbox::enter(&all);
    let left = before.left_behind();
    assert!(left.is_empty(), "the lab left behind:\n{}", left.join("\n"));
    if cleared.has_failed() {
        return ExitCode::FAILURE;
    }
    inside
}

fn run(arguments: &Arguments, tests: Vec<Test>) -> ExitCode {
    let trials = tests.into_iter().map(|(name, test)| {
        Trial::test(name, move || {
            let lab = lab::shared();
            let shown = lab::ShownOnFailure(lab);
            test(lab);
            drop(shown);
            Ok(())
        })
    });
    libtest_mimic::run(arguments, trials.collect()).exit_code()
}

// The trials of a machine that cannot have a lab: named, and not run.
fn skip(arguments: &Arguments, tests: &[Test], missing: &str) -> ExitCode {
    let skipped = |&(name, _): &Test| {
        let reason = format!("needs {missing}");
        Trial::ignorable_test(name, move || {
            if std::env::var_os("CI").as_deref() == Some(OsStr::new("true")) {
                return Err(Failed::from(reason));
            }
            Ok(Completion::ignored_with(reason))
        })
    };
    let trials = tests.iter().map(skipped).chain(traces::trials());
    libtest_mimic::run(arguments, trials.collect()).exit_code()
}
