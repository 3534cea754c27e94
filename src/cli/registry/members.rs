//! The members of a credential: from flags, files and stdin, or from the person at the terminal.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use zeroize::Zeroizing;

use super::candidate::Data;
use crate::{
    cli::terminal,
    domain::{nearest, registry_kind::Kind},
};

/// What begins the id of a temporary key of AWS, which comes with a session token.
const TEMPORARY: &[u8] = b"ASIA";

/// The members of a credential.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Credential")]
pub struct MemberArgs {
    /// The user, for GHCR, Docker Hub, ACR, Quay and Custom
    #[arg(long, short, value_name = "USER")]
    pub username: Option<String>,

    /// The id of the access key, for ECR
    #[arg(long, value_name = "ID")]
    pub access_key_id: Option<String>,

    /// Read the secret part from stdin: the password, the token, the secret access key or the service account key
    #[arg(long)]
    pub password_stdin: bool,

    /// Read a key of the Secret from a file, as it is: --from-file serviceAccountKey=key.json
    #[arg(long, value_name = "KEY=FILE", value_parser = from_file)]
    pub from_file: Vec<(String, PathBuf)>,
}

/// How a member is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    /// A line that may be seen.
    Open,
    /// A line that is not shown.
    Hidden,
    /// A file that holds it.
    File,
}

/// A member.
struct Member {
    key: &'static str,
    question: &'static str,
    ask: Ask,
    /// How it is given without a terminal.
    flag: &'static str,
}

const STDIN: &str = "--password-stdin (with the secret piped in)";

/// All members of all kinds.
const MEMBERS: [Member; 7] = [
    Member::new("username", "User", Ask::Open, "--username USER"),
    Member::new("password", "Password (not shown)", Ask::Hidden, STDIN),
    Member::new("token", "Token (not shown)", Ask::Hidden, STDIN),
    Member::new(
        "accessKeyId",
        "Access key id",
        Ask::Open,
        "--access-key-id ID",
    ),
    Member::new(
        "secretAccessKey",
        "Secret access key (not shown)",
        Ask::Hidden,
        STDIN,
    ),
    Member::new(
        "sessionToken",
        "Session token (not shown)",
        Ask::Hidden,
        "--from-file sessionToken=FILE",
    ),
    Member::new(
        "serviceAccountKey",
        "File with the service account's key (JSON)",
        Ask::File,
        "--from-file serviceAccountKey=FILE, or --password-stdin",
    ),
];

impl Member {
    const fn new(key: &'static str, question: &'static str, ask: Ask, flag: &'static str) -> Self {
        Self {
            key,
            question,
            ask,
            flag,
        }
    }

    async fn ask(&self, before: &Data) -> anyhow::Result<Zeroizing<Vec<u8>>> {
        match self.ask {
            Ask::Open => {
                let before = before.get(self.key);
                let before = before.and_then(|before| std::str::from_utf8(before).ok());
                let answer = loop {
                    let answer = terminal::line(self.question, before.unwrap_or_default()).await?;
                    if !answer.is_empty() {
                        break answer;
                    }
                };
                Ok(Zeroizing::new(answer.into_bytes()))
            }
            Ask::Hidden => terminal::password(self.question).await,
            Ask::File => loop {
                let path = terminal::some_line(self.question).await?;
                match read(&PathBuf::from(path)) {
                    Ok(content) => return Ok(content),
                    Err(error) => terminal::warn(&format!("{error:#}"))?,
                }
            },
        }
    }
}

/// The members whose values may be seen.
pub(super) fn may_be_seen(key: &str) -> bool {
    let mut open = MEMBERS.iter().filter(|member| member.ask == Ask::Open);
    open.any(|member| member.key == key)
}

// === impl MemberArgs ===

impl MemberArgs {
    /// Whether any part of a credential is given.
    pub(super) fn are_given(&self) -> bool {
        self.username.is_some()
            || self.access_key_id.is_some()
            || self.password_stdin
            || !self.from_file.is_empty()
    }

    /// The members of a credential of this kind. What may be seen is taken over from `before` where nothing else is said.
    ///
    /// # Errors
    /// If one is missing and nobody `asks` for it, or a file cannot be read.
    pub(super) async fn complete(
        &self,
        kind: Kind,
        before: &Data,
        asks: bool,
    ) -> anyhow::Result<Data> {
        let mut data = self.given(kind)?;
        let mut missing = Vec::new();
        for member in MEMBERS.iter().filter(|m| kind.keys().contains(&m.key)) {
            let is_needed = member.key != "sessionToken" || is_temporary(&data);
            if data.contains_key(member.key) || !is_needed {
                continue;
            }
            if asks {
                data.insert(member.key.to_owned(), member.ask(before).await?);
            } else if let Some(before) = before.get(member.key).filter(|_| may_be_seen(member.key))
            {
                data.insert(member.key.to_owned(), before.clone());
            } else {
                missing.push(member.flag);
            }
        }
        if !missing.is_empty() {
            bail!(
                "missing: {}; without a terminal nobody can be asked",
                missing.join(", ")
            );
        }
        Ok(data)
    }

    /// What the flags say.
    ///
    /// # Errors
    /// If something is no part of such a credential, or a file cannot be read.
    pub(super) fn given(&self, kind: Kind) -> anyhow::Result<Data> {
        let mut data = Data::new();
        let mut put = |key: &str, value: Zeroizing<Vec<u8>>| {
            if !kind.keys().contains(&key) {
                let keys = kind.keys().join(", ");
                let meant = nearest::misspelt(key, kind.keys());
                let meant = meant.map_or_else(String::new, |meant| format!("; {meant} is meant?"));
                bail!("{key} is no part of a credential for {kind}, which takes {keys}{meant}");
            }
            if data.insert(key.to_owned(), value).is_some() {
                bail!("{key} is given twice");
            }
            Ok(())
        };
        let text = |text: &String| Zeroizing::new(text.clone().into_bytes());
        if let Some(username) = &self.username {
            put("username", text(username))?;
        }
        if let Some(id) = &self.access_key_id {
            put("accessKeyId", text(id))?;
        }
        for (key, path) in &self.from_file {
            put(key, read(path)?)?;
        }
        if self.password_stdin {
            let secret = MEMBERS
                .iter()
                .find(|m| m.ask != Ask::Open && kind.keys().contains(&m.key));
            let secret = secret
                .with_context(|| format!("a {kind} registry is asked without a credential"))?;
            put(secret.key, terminal::password_from_stdin()?)?;
        }
        Ok(data)
    }
}

fn is_temporary(data: &Data) -> bool {
    let id = data.get("accessKeyId");
    id.is_some_and(|id| id.starts_with(TEMPORARY))
}

fn read(path: &std::path::Path) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let content = fs::read(path);
    let content =
        content.with_context(|| format!("{} cannot be read; name another file", path.display()))?;
    Ok(Zeroizing::new(content))
}

fn from_file(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((key, path)) if !key.is_empty() && !path.is_empty() => {
            Ok((key.to_owned(), PathBuf::from(path)))
        }
        _ => Err("write KEY=FILE, as token=./token".to_owned()),
    }
}
