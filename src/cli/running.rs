//! Running a command that waits for others, until it ends or Ctrl-C ends it.

use std::{future::Future, process::ExitCode, time::Duration};

use anyhow::bail;

use super::exit::Exit;

/// A prompt for a password that is interrupted needs a moment to make the terminal echo again.
const TERMINAL_RESTORED: Duration = Duration::from_millis(50);

/// Runs `command` to its end. Ctrl-C drops it, so that what it would have written is not.
///
/// # Errors
/// What `command` fails with; and if it is interrupted.
pub fn run(command: impl Future<Output = anyhow::Result<Exit>>) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
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
