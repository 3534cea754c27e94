//! A program that is run to its end.

use std::path::Path;
use std::process::{Command, Stdio};

/// What a command printed, and its exit code (-1: ended by a signal).
#[derive(Debug)]
pub struct Outcome {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    /// What it printed; panics with its errors if it failed.
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{}{}", self.stdout, self.stderr);
        self.stdout
    }

    /// What it said on its error stream; panics if it did not fail.
    pub fn failed(self) -> String {
        assert_ne!(
            self.code, 0,
            "it went through: {}{}",
            self.stdout, self.stderr
        );
        self.stderr
    }
}

/// Runs it in `folder` with no environment but PATH, HOME and `env`, and with `input` on its standard input.
pub fn run(
    program: &Path,
    args: &[&str],
    env: &[(&str, &str)],
    folder: &Path,
    input: &[u8],
) -> Outcome {
    let mut child = Command::new(program)
        .args(args)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder)
        .envs(env.iter().copied())
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("{}: {e}", program.display()));
    let mut stdin = child.stdin.take().expect("piped");
    let output = std::thread::scope(|scope| {
        scope.spawn(move || {
            let _ = std::io::Write::write_all(&mut stdin, input);
        });
        child.wait_with_output().expect("wait")
    });
    Outcome {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
