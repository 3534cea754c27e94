//! The real program, started without a cluster, with certificates that it makes itself.

use std::{
    collections::VecDeque,
    env::consts::EXE_SUFFIX,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, ChildStderr, Command},
    sync::oneshot,
    time::{sleep, timeout},
};

use crate::sender::Sender;

/// From start to ready is a fraction of a second; a busy machine gets more.
const START: Duration = Duration::from_secs(20);
const STOP: Duration = Duration::from_secs(5);
/// Lines that are kept for the case that something goes wrong.
const KEPT_LINES: usize = 20;

/// A running cotter. It ends, at the latest, when this is dropped.
pub(crate) struct Cotter {
    child: Child,
    address: SocketAddr,
    sender: Sender,
}

type Log = Arc<Mutex<VecDeque<String>>>;

/// Where the program is: beside this one's folder.
///
/// # Errors
/// What to do when it is not there.
pub(crate) fn program() -> Result<PathBuf, String> {
    let me = std::env::current_exe().map_err(|error| format!("cannot find myself: {error}"))?;
    // target/debug/examples/try, target/debug/cotter
    let folder = me.parent().and_then(Path::parent).unwrap_or(Path::new("."));
    let program = folder.join(format!("cotter{EXE_SUFFIX}"));
    if program.is_file() {
        return Ok(program);
    }
    let program = program.display();
    Err(format!(
        "{program} is not there; `make try` builds it first, and so does `cargo build`"
    ))
}

impl Cotter {
    /// Starts it in `folder`, which holds its `cotter.yaml`, with the manifests in `pull_secrets`. Ready when this returns.
    ///
    /// # Errors
    /// Why it did not start, in its own words.
    pub(crate) async fn start(
        program: &Path,
        folder: &Path,
        pull_secrets: &Path,
    ) -> Result<Self, String> {
        let mut command = Command::new(program);
        // What the reader has set for a cotter of their own is not for this one.
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"COTTER_") {
                command.env_remove(name);
            }
        }
        command
            .args([
                "serve",
                "--standalone",
                "--listen",
                "127.0.0.1:0",
                "--ops",
                "127.0.0.1:0",
            ])
            .args([
                "--config",
                "cotter.yaml",
                "--certs-dir",
                "certs",
                "--log-format",
                "json",
            ])
            .arg("--pull-secrets")
            .arg(pull_secrets)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
        let log = Log::default();
        let (tell, told) = oneshot::channel();
        let Some(stderr) = child.stderr.take() else {
            return Err("cotter has no log".to_owned());
        };
        let mut follower = tokio::spawn(follow(stderr, log.clone(), tell));
        let started = async {
            tokio::select! {
                ready = ready(folder, told) => ready,
                // It closes its log only when it ends.
                _ = &mut follower => Err("it ended".to_owned()),
            }
        };
        let late = || Err(format!("it was not ready within {} s", START.as_secs()));
        match timeout(START, started).await.unwrap_or_else(|_| late()) {
            Ok((address, sender)) => Ok(Self {
                child,
                address,
                sender,
            }),
            Err(why) => Err(format!("cotter did not start: {why}\n{}", tail(&log))),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends a review to it.
    ///
    /// # Errors
    /// What came back instead of an answer.
    pub(crate) async fn review(&self, review: &Value) -> Result<Value, String> {
        self.sender.review(self.address, review).await
    }

    /// Ends it as Kubernetes does, with SIGTERM.
    ///
    /// # Errors
    /// If it did not end well.
    pub(crate) async fn stop(mut self) -> Result<(), String> {
        // An open connection would be drained first.
        drop(self.sender);
        if let Some(pid) = self.child.id() {
            let mut kill = Command::new("sh");
            kill.args(["-c", r#"kill -s TERM "$0""#, &pid.to_string()]);
            let _ = kill.status().await;
        }
        match timeout(STOP, self.child.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(format!("cotter ended with {status} on SIGTERM")),
            Ok(Err(error)) => Err(format!("cotter cannot be waited for: {error}")),
            Err(_) => Err(format!(
                "cotter did not end within {} s of SIGTERM",
                STOP.as_secs()
            )),
        }
    }
}

/// Waits until it is ready; its address, and a sender that trusts it.
async fn ready(
    folder: &Path,
    told: oneshot::Receiver<(SocketAddr, SocketAddr)>,
) -> Result<(SocketAddr, Sender), String> {
    let Ok((address, ops)) = told.await else {
        // Whoever waits for its end says more.
        return std::future::pending().await;
    };
    Sender::plain().until_ready(ops).await;
    let ca = folder.join("certs/ca.pem");
    let ca = std::fs::read(ca).map_err(|error| format!("it made no certificate: {error}"))?;
    Ok((address, Sender::trusting(&ca)?))
}

/// Keeps the last lines, and tells once where it listens.
async fn follow(stderr: ChildStderr, log: Log, tell: oneshot::Sender<(SocketAddr, SocketAddr)>) {
    let mut tell = Some(tell);
    let mut lines = BufReader::new(stderr).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(addresses) = listening(&line)
            && let Some(tell) = tell.take()
        {
            let _ = tell.send(addresses);
        }
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        if log.len() == KEPT_LINES {
            log.pop_front();
        }
        log.push_back(line);
    }
}

/// The addresses in the log line `listening`.
fn listening(line: &str) -> Option<(SocketAddr, SocketAddr)> {
    let line: Value = serde_json::from_str(line).ok()?;
    let address = |name| line.get(name)?.as_str()?.parse().ok();
    let is_it = line.get("message")?.as_str()? == "listening";
    is_it.then(|| Some((address("webhook")?, address("ops")?)))?
}

/// What it said to people, or else the end of its log.
fn tail(log: &Log) -> String {
    let log = log.lock().unwrap_or_else(PoisonError::into_inner);
    let said = log.iter().filter(|line| !line.starts_with('{'));
    let said: Vec<_> = said.map(String::as_str).collect();
    if said.is_empty() {
        return log
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join("\n");
    }
    said.join("\n")
}

impl Sender {
    async fn until_ready(&self, ops: SocketAddr) {
        while !self.is_ready(ops).await {
            sleep(Duration::from_millis(10)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_line_that_says_so_has_the_addresses() {
        let line =
            r#"{"level":"INFO","message":"listening","webhook":"127.0.0.1:1","ops":"127.0.0.1:2"}"#;
        let (webhook, ops) = listening(line).unwrap();
        assert_eq!((webhook.port(), ops.port()), (1, 2));
        assert_eq!(listening(r#"{"message":"stopped"}"#), None);
        assert_eq!(listening("cotter: no"), None);
    }
}
