//! Running a command that waits for others, until it ends or Ctrl-C ends it.

use std::{future::Future, process::ExitCode, time::Duration};

use anyhow::bail;
use tokio::runtime::{Builder, Runtime};

use super::exit::Exit;

/// A prompt for a password that is interrupted needs a moment to make the terminal echo again.
const TERMINAL_RESTORED: Duration = Duration::from_millis(50);

/// Runs `command` to its end. Ctrl-C drops it, so that what it would have written is not.
///
/// # Errors
/// What `command` fails with; and if it is interrupted.
pub fn run(command: impl Future<Output = anyhow::Result<Exit>>) -> anyhow::Result<ExitCode> {
    let mut builder = Builder::new_multi_thread();
    on(builder.worker_threads(2).enable_all().build()?, command)
}

/// As [`run`], on this thread alone: memory that one thread gave back is not used again by another, which is felt where much
/// is read.
///
/// # Errors
/// As [`run`].
pub fn run_alone(command: impl Future<Output = anyhow::Result<Exit>>) -> anyhow::Result<ExitCode> {
    on(Builder::new_current_thread().enable_all().build()?, command)
}

fn on(
    runtime: Runtime,
    command: impl Future<Output = anyhow::Result<Exit>>,
) -> anyhow::Result<ExitCode> {
    let ended = runtime.block_on(async {
        tokio::select! {
            ended = command => ended,
            _ = tokio::signal::ctrl_c() => {
                tokio::time::sleep(TERMINAL_RESTORED).await;
                bail!("interrupted")
            }
        }
    });
    // A prompt that nobody answers would be waited for.
    runtime.shutdown_background();
    ended.map(ExitCode::from)
}
