//! The protocol of Docker's credential helpers: a program `docker-credential-…`, a verb as its argument, a server or JSON
//! on its stdin, JSON or a message on its stdout (`github.com/docker/docker-credential-helpers`).

use std::{
    collections::BTreeMap,
    fmt, io,
    process::{Output, Stdio},
    sync::Arc,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::{io::AsyncWriteExt as _, process::Command, time::timeout};
use zeroize::Zeroizing;

use crate::domain::credential::Credential;

/// The longest that a helper may take: a person may have to unlock a keychain first.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest part of a helper's message that is shown, in characters.
const SHOWN: usize = 300;

/// What a helper says for a server that it has nothing for.
const NOT_FOUND: &str = "credentials not found in native keychain";

/// The user's name that marks a secret as an identity token.
const TOKEN_USER: &str = "<token>";

/// A program that keeps credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Helper {
    program: String,
    patience: Duration,
}

/// What a helper keeps for a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// A user and a password.
    Login(Arc<Credential>),
    /// A token that only a registry's own token service takes.
    IdentityToken(IdentityToken),
}

/// An identity token of an `OAuth2` login. Shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct IdentityToken(Zeroizing<String>);

/// Why a helper gave no answer. The texts show no credential.
#[derive(Debug, thiserror::Error)]
pub enum HelperError {
    /// There is no such program.
    #[error(
        "{program} is not on the PATH; install it, or take it out of credsStore and credHelpers of Docker's config.json"
    )]
    Missing {
        /// Its name.
        program: String,
    },
    /// It could not be run or talked to.
    #[error("{program} cannot be run")]
    Unusable {
        /// Its name.
        program: String,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// It does not end.
    #[error(
        "{program} {verb} gave no answer within {} s; run it by hand to see what it waits for",
        patience.as_secs_f32()
    )]
    Silent {
        /// Its name.
        program: String,
        /// What it was asked to do.
        verb: &'static str,
        /// How long it was waited for.
        patience: Duration,
    },
    /// It ended with an error.
    #[error("{program} {verb} failed: {said}")]
    Failed {
        /// Its name.
        program: String,
        /// What it was asked to do.
        verb: &'static str,
        /// Its own words, shortened, or how it ended.
        said: String,
    },
    /// Its answer is not what the protocol wants.
    #[error("{program} {verb} did not answer with the JSON of the protocol")]
    Unreadable {
        /// Its name.
        program: String,
        /// What it was asked to do.
        verb: &'static str,
    },
}

/// What `get` answers.
#[derive(Deserialize)]
struct Got {
    #[serde(rename = "Username", default)]
    username: String,
    #[serde(rename = "Secret", default)]
    secret: String,
}

/// What `store` is given.
#[derive(Serialize)]
struct Given<'a> {
    #[serde(rename = "ServerURL")]
    server: &'a str,
    #[serde(rename = "Username")]
    username: &'a str,
    #[serde(rename = "Secret")]
    secret: &'a str,
}

// === impl Helper ===

impl Helper {
    /// The program of a name in `credsStore` or `credHelpers`.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self {
            program: format!("docker-credential-{name}"),
            patience: PATIENCE,
        }
    }

    /// The program at this path, for tests.
    #[cfg(test)]
    pub(super) fn at(program: &std::path::Path) -> Self {
        Self {
            program: program.display().to_string(),
            patience: PATIENCE,
        }
    }

    /// The program's name, `docker-credential-…`.
    #[must_use]
    pub fn program(&self) -> &str {
        &self.program
    }

    /// What the helper keeps for `server`, if anything.
    ///
    /// # Errors
    /// [`HelperError`], unless the helper says that it has nothing.
    pub async fn get(&self, server: &str) -> Result<Option<Kept>, HelperError> {
        const VERB: &str = "get";
        let output = self.run(VERB, server.as_bytes()).await?;
        let stdout = Zeroizing::new(output.stdout);
        if !output.status.success() {
            if is_not_found(&stdout) || is_not_found(&output.stderr) {
                return Ok(None);
            }
            return Err(self.failed(VERB, output.status, &stdout, &output.stderr));
        }
        let got = serde_json::from_slice(&stdout).map_err(|_| self.unreadable(VERB))?;
        Ok(kept(got))
    }

    /// Gives the helper a user and a password to keep for `server`.
    ///
    /// # Errors
    /// [`HelperError`]
    pub async fn store(
        &self,
        server: &str,
        username: &str,
        secret: &str,
    ) -> Result<(), HelperError> {
        const VERB: &str = "store";
        let given = Given {
            server,
            username,
            secret,
        };
        let given = serde_json::to_vec(&given).map(Zeroizing::new);
        let given = given.map_err(|_| self.unreadable(VERB))?;
        let output = self.run(VERB, &given).await?;
        if output.status.success() {
            return Ok(());
        }
        Err(self.failed(VERB, output.status, &output.stdout, &output.stderr))
    }

    /// Makes the helper forget `server`; `false` if it had nothing for it.
    ///
    /// # Errors
    /// [`HelperError`]
    pub async fn erase(&self, server: &str) -> Result<bool, HelperError> {
        const VERB: &str = "erase";
        let output = self.run(VERB, server.as_bytes()).await?;
        if output.status.success() {
            return Ok(true);
        }
        if is_not_found(&output.stdout) || is_not_found(&output.stderr) {
            return Ok(false);
        }
        Err(self.failed(VERB, output.status, &output.stdout, &output.stderr))
    }

    /// The servers that the helper keeps something for, with their users' names.
    ///
    /// # Errors
    /// [`HelperError`]
    pub async fn list(&self) -> Result<BTreeMap<String, String>, HelperError> {
        const VERB: &str = "list";
        let output = self.run(VERB, b"").await?;
        if !output.status.success() {
            return Err(self.failed(VERB, output.status, &output.stdout, &output.stderr));
        }
        serde_json::from_slice(&output.stdout).map_err(|_| self.unreadable(VERB))
    }

    async fn run(&self, verb: &'static str, input: &[u8]) -> Result<Output, HelperError> {
        let unusable = |cause: io::Error| match cause.kind() {
            io::ErrorKind::NotFound => HelperError::Missing {
                program: self.program.clone(),
            },
            _ => HelperError::Unusable {
                program: self.program.clone(),
                cause,
            },
        };
        let mut child = Command::new(&self.program)
            .arg(verb)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(unusable)?;
        let talk = async {
            if let Some(mut stdin) = child.stdin.take() {
                // A helper that fails at once need not read.
                match stdin.write_all(input).await {
                    Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error),
                    _ => {}
                }
            }
            child.wait_with_output().await
        };
        let silent = |_| HelperError::Silent {
            program: self.program.clone(),
            verb,
            patience: self.patience,
        };
        let ended = timeout(self.patience, talk).await.map_err(silent)?;
        ended.map_err(|cause| HelperError::Unusable {
            program: self.program.clone(),
            cause,
        })
    }

    fn failed(
        &self,
        verb: &'static str,
        status: std::process::ExitStatus,
        stdout: &[u8],
        stderr: &[u8],
    ) -> HelperError {
        let said = [shown(stdout), shown(stderr)];
        let said: Vec<&str> = said
            .iter()
            .map(String::as_str)
            .filter(|s| !s.is_empty())
            .collect();
        let said = if said.is_empty() {
            format!("it ended with {status} and said nothing")
        } else {
            said.join("; ")
        };
        HelperError::Failed {
            program: self.program.clone(),
            verb,
            said,
        }
    }

    fn unreadable(&self, verb: &'static str) -> HelperError {
        HelperError::Unreadable {
            program: self.program.clone(),
            verb,
        }
    }
}

fn kept(got: Got) -> Option<Kept> {
    let (username, secret) = (got.username, Zeroizing::new(got.secret));
    if username == TOKEN_USER {
        return Some(Kept::IdentityToken(IdentityToken(secret)));
    }
    let credential = Credential::new(username, secret.as_bytes());
    (!credential.is_empty()).then(|| Kept::Login(Arc::new(credential)))
}

fn is_not_found(said: &[u8]) -> bool {
    said.trim_ascii() == NOT_FOUND.as_bytes()
}

/// A helper's words in one line. What begins like JSON may be a credential and is left out.
fn shown(said: &[u8]) -> String {
    let said = String::from_utf8_lossy(said);
    if said.trim_start().starts_with(['{', '[', '"']) {
        return String::new();
    }
    let words: Vec<&str> = said.split_whitespace().collect();
    let line: String = words.join(" ");
    line.chars()
        .filter(|c| !c.is_control())
        .take(SHOWN)
        .collect()
}

// === impl IdentityToken ===

impl IdentityToken {
    /// The token `text`.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The token itself. Never log it, never put it into an error.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for IdentityToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdentityToken(…)")
    }
}

#[cfg(unix)]
#[cfg(test)]
#[path = "helper/tests.rs"]
pub(super) mod tests;
