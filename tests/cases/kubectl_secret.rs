//! `kubectl_secret.json`: what `kubectl create secret docker-registry --dry-run=client` prints.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use cotter::domain::{
    registry_type::{About, Login, Severity, check as check_login},
    secret_manifest::{DEFAULT_SERVER, SecretManifest, docker_config_json},
};
use libtest_mimic::{Failed, Trial};
use serde::Deserialize;
use serde_json::Value;

use crate::support::{self, Row, equal};

#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Input {
    File {
        from_file: String,
        bytes: String,
    },
    Login {
        server: Option<String>,
        username: String,
        password: String,
        #[serde(default)]
        email: String,
        #[serde(default)]
        append_hash: bool,
    },
}

#[derive(Deserialize)]
pub(crate) struct Expected {
    ok: bool,
    dockerconfigjson: Option<String>,
    object_keys_in_order: Option<Vec<String>>,
    metadata: Option<Value>,
    #[serde(rename = "metadata.name")]
    name: Option<String>,
    stdout: Option<String>,
}

pub(crate) fn trials() -> Vec<Trial> {
    let name = |row: &Row<Input, Expected>| match &row.input {
        Input::File { from_file, .. } => format!("file {from_file}"),
        Input::Login {
            server, username, ..
        } => format!("{} {username}", server.as_deref().unwrap_or("default")),
    };
    support::trials("kubectl_secret", name, check)
}

fn check(row: &Row<Input, Expected>) -> Result<(), Failed> {
    let (content, append_hash) = match &row.input {
        Input::File { bytes, .. } => (bytes.clone().into_bytes().into(), false),
        Input::Login {
            server,
            username,
            password,
            email,
            append_hash,
        } => {
            let server = server.as_deref().unwrap_or(DEFAULT_SERVER);
            let login = Login {
                server,
                username,
                password: password.as_bytes(),
            };
            equal("refused", &is_refused(&login), &!row.expected.ok)?;
            let content = docker_config_json(server, username, password.as_bytes(), email);
            (content, *append_hash)
        }
    };
    if !row.expected.ok {
        return Ok(());
    }
    let manifest = SecretManifest::new("regcred", None, content);
    let manifest = if append_hash {
        manifest.with_hash()
    } else {
        manifest
    };
    compare(&manifest, &row.expected)
}

/// What cotter takes no manifest from: a user or a password that cannot work.
fn is_refused(login: &Login<'_>) -> bool {
    let found = check_login(login, jiff::Timestamp::UNIX_EPOCH);
    found
        .iter()
        .any(|finding| finding.severity == Severity::Error && finding.about != About::Server)
}

fn compare(manifest: &SecretManifest, expected: &Expected) -> Result<(), Failed> {
    let json = manifest.json();
    let object: Value = serde_json::from_str(&json)?;
    if let Some(content) = &expected.dockerconfigjson {
        let coded = object
            .pointer("/data/.dockerconfigjson")
            .and_then(Value::as_str);
        let actual = BASE64_STANDARD.decode(coded.unwrap_or_default())?;
        equal("content", std::str::from_utf8(&actual)?, content.as_str())?;
    }
    if let Some(keys) = &expected.object_keys_in_order {
        let of_top = |line: &str| {
            let name = line.strip_prefix("    \"")?.split('"').next()?;
            Some(name.to_owned())
        };
        let actual: Vec<_> = json.lines().filter_map(of_top).collect();
        equal("members", &actual, keys)?;
    }
    if let Some(metadata) = &expected.metadata {
        equal(
            "metadata",
            object.get("metadata").unwrap_or(&Value::Null),
            metadata,
        )?;
    }
    if let Some(name) = &expected.name {
        equal("name", manifest.name(), name.as_str())?;
    }
    match &expected.stdout {
        Some(stdout) => equal("yaml", manifest.yaml().as_str(), stdout.as_str()),
        None => Ok(()),
    }
}
