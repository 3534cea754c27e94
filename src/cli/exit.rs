//! The exit codes of every command: 0 fine, 1 findings, 2 could not run.

use std::process::ExitCode;

/// What a command ends with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// All is as it should be.
    #[default]
    Fine,
    /// It ran, and found what somebody has to look at.
    Findings,
    /// It could not run, or not to its end.
    CouldNotRun,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Fine => 0,
            Exit::Findings => 1,
            Exit::CouldNotRun => 2,
        })
    }
}
