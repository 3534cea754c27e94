//! The content of a pull secret from Docker's `config.json`.

use std::path::Path;

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use zeroize::Zeroizing;

use super::{Content, PullSecret};
use crate::{
    cli::credentials::docker::{self, DockerConfig},
    domain::{
        docker_config::{DockerConfigError, SecretType},
        keyring::Entry,
        pull_secret::PullSecret as Read,
        registry_key::RegistryKey,
        registry_type::{self, About, Finding, Login, Severity},
        secret_manifest::docker_config_json,
    },
};

/// The login of `--server`, or the whole of `file`.
pub(super) async fn content(file: Option<&Path>, args: &PullSecret) -> anyhow::Result<Content> {
    let path = match file {
        Some(file) => file.to_owned(),
        None => docker::file_of(args.docker_config.as_deref())?,
    };
    let bytes = std::fs::read(&path).with_context(|| {
        format!(
            "{} cannot be read; name another file, or log in with docker or cotter registry login",
            path.display()
        )
    })?;
    let bytes = Zeroizing::new(bytes);
    match &args.server {
        Some(server) => one(server, DockerConfig::read(path, &bytes)?).await,
        None => Ok(whole(bytes)),
    }
}

async fn one(server: &str, config: DockerConfig) -> anyhow::Result<Content> {
    let key = RegistryKey::prepare(server);
    let key = key.as_ref().map_or(server, RegistryKey::as_str);
    let way = config.login(key.trim_end_matches('/')).await?;
    let credential = way.and_then(|way| way.credential).with_context(|| {
        let path = config.path().display();
        format!(
            "{path} has no login for {key}; log in with docker login or cotter registry login {key}"
        )
    })?;
    let Ok(username) = std::str::from_utf8(credential.username()) else {
        bail!("the user that Docker keeps for {key} is not UTF-8; log in again");
    };
    let login = Login {
        server,
        username,
        password: credential.password(),
    };
    Ok(Content {
        findings: registry_type::check(&login, Timestamp::now()),
        json: docker_config_json(server, username, credential.password(), ""),
    })
}

/// The file as it is, as `kubectl create secret docker-registry --from-file` takes it, and what the kubelet will make of it.
fn whole(json: Zeroizing<Vec<u8>>) -> Content {
    let secret = Read::read("", SecretType::DockerConfigJson, &json);
    let findings = match secret.broken() {
        Some(error) => vec![unreadable(error)],
        None => of_entries(secret.entries()),
    };
    Content { json, findings }
}

fn unreadable(error: &DockerConfigError) -> Finding {
    let hint = error.hint().map(|hint| format!("; {hint}"));
    error_of_all(format!(
        "the kubelet cannot read this, and fails to pull any image of a Pod that names it: {error}{}",
        hint.unwrap_or_default()
    ))
}

/// What makes the whole of no use. As with a server that no image matches, kubectl writes it all the same.
fn error_of_all(text: String) -> Finding {
    Finding {
        severity: Severity::Error,
        about: About::Server,
        text,
    }
}

fn of_entries(entries: &[Entry]) -> Vec<Finding> {
    let has_password = |entry: &&Entry| !entry.credential.password().is_empty();
    let (full, empty): (Vec<_>, Vec<_>) = entries.iter().partition(has_password);
    if full.is_empty() {
        let text = "there is no password in it: Docker keeps them in a credential helper, which the kubelet does not \
                    ask; take one out of it with --server HOST";
        return vec![error_of_all(text.to_owned())];
    }
    let hint = |key: &str, text: &str| Finding {
        severity: Severity::Hint,
        about: About::Server,
        text: format!("{key}: {text}"),
    };
    let mut findings = Vec::new();
    for entry in empty {
        let text = "no password, so that the kubelet pulls anonymously; take it out of Docker's credential helper with \
                    --server HOST";
        findings.push(hint(entry.key.as_str(), text));
    }
    for entry in full {
        let username = String::from_utf8_lossy(entry.credential.username());
        let login = Login {
            server: &entry.server,
            username: &username,
            password: entry.credential.password(),
        };
        let found = registry_type::check(&login, Timestamp::now());
        // One entry that cannot work is no reason to refuse the others.
        findings.extend(found.iter().map(|one| hint(entry.key.as_str(), &one.text)));
    }
    findings
}
