//! A child process with a log. It ends when its owner is dropped, and also when the test program dies or is killed.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use super::wait;

// The shell holds the reading end of a pipe whose only writer is the test program. Its end, for whatever reason, is the
// signal to stop the part; the part's own end is the end of the shell. The watcher outlives a signal to the whole group,
// as `timeout` and a terminal send it.
const WATCHDOG: &str = r#"
log=$1 tries=$2; shift 2
exec 3<&0
"$@" >>"$log" 2>&1 </dev/null 3<&- &
part=$!
echo "$part"
exec >/dev/null 2>&1
(
  trap '' INT TERM HUP
  read -r _ <&3
  kill -s TERM "$part"; kill -s CONT "$part"
  i=0
  while kill -0 "$part" && [ "$i" -lt "$tries" ]; do sleep 0.05; i=$((i+1)); done
  kill -s KILL "$part"
) &
watcher=$!
exec 3<&-
wait "$part"; code=$?
kill -s KILL "$watcher"
exit $code
"#;
const TRIES_PER_SECOND: u64 = 20;

/// What to start: a program, its arguments and its environment, which holds nothing but PATH, HOME and what is given.
pub struct Program {
    name: String,
    path: PathBuf,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    grace: Duration,
}

impl Program {
    pub fn new(name: &str, path: impl Into<PathBuf>) -> Self {
        Self {
            name: name.to_owned(),
            path: path.into(),
            args: Vec::new(),
            env: Vec::new(),
            grace: Duration::from_secs(5),
        }
    }

    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args
            .extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env
            .push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// How long the process has between SIGTERM and SIGKILL.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Starts it in `folder`, where its log goes too.
    pub fn start(self, folder: &Path) -> Process {
        let log = folder.join(format!("{}.log", self.name));
        let tries = self.grace.as_millis() * u128::from(TRIES_PER_SECOND) / 1000;
        let mut shell = Command::new("sh")
            .args(["-c", WATCHDOG, "watchdog"])
            .arg(&log)
            .arg(tries.to_string())
            .arg(&self.path)
            .args(&self.args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", folder)
            .envs(self.env)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("sh");
        let alive = shell.stdin.take();
        let mut line = String::new();
        BufReader::new(shell.stdout.take().expect("piped"))
            .read_line(&mut line)
            .expect("the pid");
        let pid = line.trim().parse().expect("the pid");
        Process {
            name: self.name,
            log,
            pid,
            shell,
            alive,
        }
    }
}

pub struct Process {
    name: String,
    log: PathBuf,
    pid: u32,
    shell: Child,
    alive: Option<ChildStdin>,
}

impl Process {
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Everything that it wrote to its output and its error stream.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Its exit code (128 and more: ended by a signal), or nothing while it runs.
    pub fn exit_code(&mut self) -> Option<i32> {
        self.shell
            .try_wait()
            .expect("wait")
            .and_then(|status| status.code())
    }

    /// Sends a signal by name: `STOP`, `CONT`, `HUP`, `TERM`, `KILL`.
    pub fn signal(&mut self, name: &str) {
        assert!(
            self.exit_code().is_none(),
            "{} has ended:\n{}",
            self.name,
            self.log_tail()
        );
        let done = Command::new("sh")
            .args(["-c", r#"kill -s "$0" "$1""#, name, &self.pid.to_string()])
            .status();
        assert!(done.expect("sh").success(), "kill -s {name} {}", self.pid);
    }

    /// SIGTERM, then SIGKILL after the grace; returns when it is gone.
    pub fn stop(&mut self) -> Option<i32> {
        drop(self.alive.take());
        self.shell.wait().expect("wait").code()
    }

    /// SIGKILL; returns when it is gone.
    pub fn kill(&mut self) {
        if self.exit_code().is_none() {
            self.signal("KILL");
        }
        self.stop();
    }

    /// Waits for its end, which somebody else has asked for.
    pub fn wait(&mut self, limit: Duration) -> i32 {
        let what = format!("the end of {}", self.name);
        wait::until(&what, limit, || self.exit_code())
    }

    /// Asks until there is an answer, and fails at once when the process ends instead.
    pub fn ready<T>(&mut self, limit: Duration, mut ask: impl FnMut(&Self) -> Option<T>) -> T {
        let what = format!("{} to be ready", self.name);
        wait::until(&what, limit, || {
            let answer = ask(self);
            if answer.is_none() {
                let code = self.exit_code();
                assert!(
                    code.is_none(),
                    "{} ended with {code:?}:\n{}",
                    self.name,
                    self.log_tail()
                );
            }
            answer
        })
    }

    pub fn log_tail(&self) -> String {
        const LINES: usize = 40;
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LINES)..].join("\n")
    }

    /// Shows the end of the log when the test that calls it is failing.
    pub fn show_log_of_failure(&self) {
        if std::thread::panicking() {
            let _ = writeln!(
                std::io::stderr(),
                "--- end of the log of {} ---\n{}\n---",
                self.name,
                self.log_tail()
            );
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.show_log_of_failure();
        drop(self.alive.take());
        let _ = self.shell.wait();
    }
}
