//! `cotter registry rotate`: a new credential for a `Registry`, tested before it takes the old one's place.

use std::{io::Write as _, process::ExitCode};

use anyhow::{Context as _, bail};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use clap::Args;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    candidate::{AskArgs, Candidate, Data},
    members::MemberArgs,
    name,
    site::{ClusterArgs, WaitArgs},
    test::TestReport,
    wait::{self, Outcome},
};
use crate::{
    api::{credential_secret::CredentialSecret, registry::Registry},
    cli::{
        exit::Exit,
        output::{self, Format},
        running, terminal,
    },
    domain::registry_kind::Kind,
};

/// Change the credential of a Registry: tests the new one, writes it, and waits until it is rolled out
///
/// One that the registry does not take changes nothing. Labels, annotations and other keys of the Secret stay. Running Pods go
/// on; the next pull uses the new credential.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  cotter registry rotate my-ghcr
  printf %s \"$TOKEN\" | cotter registry rotate my-ghcr --password-stdin")]
pub struct Rotate {
    /// The name of the Registry
    #[arg(value_name = "NAME")]
    pub name: String,

    /// The form of the answer
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: Format,

    /// The new credential; what is not secret may stay as it is.
    #[command(flatten)]
    pub members: MemberArgs,

    /// Whether to wait.
    #[command(flatten)]
    pub wait: WaitArgs,

    /// How the credential is tested.
    #[command(flatten)]
    pub ask: AskArgs,

    /// Which cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

/// What `cotter registry rotate -o json` prints. These names are a promise to programs.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct RotateReport {
    /// The name of the `Registry`.
    name: String,
    /// The Secret with its credential, in cotter's namespace.
    secret: String,
    /// Whether the Secret was changed.
    changed: bool,
    /// What came of the test, as `cotter registry test -o json` prints it; left out where none was made from here.
    #[serde(skip_serializing_if = "Option::is_none")]
    test: Option<TestReport>,
    /// What cotter has made of it; left out where nobody waited.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<Outcome>,
}

/// Rotates.
///
/// # Errors
/// If there is nothing to rotate, something is missing that nobody can be asked for, or the cluster refuses it.
pub fn run(args: Rotate) -> anyhow::Result<ExitCode> {
    running::run(rotate(args))
}

async fn rotate(args: Rotate) -> anyhow::Result<Exit> {
    let name = name::plain(&args.name);
    let client = args.ask.client()?;
    let site = args.cluster.open().await?;
    let (registry, secret) = site.read(name).await?;
    let secret = rotatable(&registry, secret)?;
    warn_of_keeper(&secret)?;
    let kind = registry.spec.kind.meant();
    let asks = terminal::is_interactive() && !args.members.password_stdin;
    let members = args.members.complete(kind, &secret.data, asks).await?;
    let data = merged(kind, &secret.data, members);
    let mut report = RotateReport {
        name: name.to_owned(),
        secret: secret.metadata.name.clone().unwrap_or_default(),
        changed: false,
        test: None,
        outcome: None,
    };
    if data == secret.data {
        output::note("the Secret holds this credential already; nothing is changed")?;
        return args.end(&report);
    }
    let candidate = Candidate {
        name,
        spec: &registry.spec,
        data: &data,
    };
    let checked = candidate.check(Timestamp::now());
    checked.judge(client.is_none())?;
    let host = checked.place.as_ref().map(|place| place.host.as_str());
    secret.is_for(name, host).map_err(anyhow::Error::msg)?;
    if let Some(client) = &client {
        report.test = candidate
            .tested(&checked, client, args.output.into())
            .await?;
    }
    if report.test.as_ref().is_some_and(|test| !test.passed) {
        output::note("nothing is changed, as the test failed; --no-test goes on without it")?;
        args.end(&report)?;
        return Ok(Exit::Findings);
    }
    let version = secret
        .metadata
        .resource_version
        .as_deref()
        .unwrap_or_default();
    let change = change(&secret.data, &data);
    let written = site.objects.change_secret(&report.secret, version, &change);
    written.await.context("nothing is changed")?;
    report.changed = true;
    if args.output == Format::Text {
        writeln!(anstream::stdout(), "secret/{} changed", report.secret)?;
    }
    if !args.wait.no_wait {
        let outcome = wait::until_followed(&site, name, Some(&registry), &args.wait);
        report.outcome = Some(outcome.await?);
    }
    args.end(&report)
}

/// The Secret to be changed.
fn rotatable(
    registry: &Registry,
    secret: Option<CredentialSecret>,
) -> anyhow::Result<CredentialSecret> {
    let name = registry.metadata.name.as_deref().unwrap_or_default();
    let kind = registry.spec.kind.meant();
    let Some(secret) = secret else {
        match kind {
            Kind::Ecr => bail!(
                "Registry {name} uses cotter's own AWS identity, which has nothing to rotate: AWS renews it, and cotter its \
                 passwords"
            ),
            _ => bail!(
                "Registry {name} is {kind} and has no credential, so there is nothing to rotate"
            ),
        }
    };
    Ok(secret)
}

/// Somebody else may put the old one back.
fn warn_of_keeper(secret: &CredentialSecret) -> anyhow::Result<()> {
    let mut owners = secret.metadata.owner_references.iter().flatten();
    if let Some(owner) = owners.next() {
        terminal::warn(&format!(
            "the Secret belongs to {} {}, which may write the old credential back: change it there",
            owner.kind, owner.name
        ))?;
    }
    Ok(())
}

/// The keys of the new Secret: what is no member of a credential stays.
fn merged(kind: Kind, before: &Data, members: Data) -> Data {
    let stays = |key: &str| !kind.keys().contains(&key);
    let kept = before.iter().filter(|(key, _)| stays(key));
    let mut data: Data = kept
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    data.extend(members);
    data
}

/// What to write, so that one becomes the other.
fn change(before: &Data, after: &Data) -> Value {
    let gone = before.keys().filter(|key| !after.contains_key(*key));
    let mut change: Map<String, Value> = gone.map(|key| (key.clone(), Value::Null)).collect();
    for (key, value) in after
        .iter()
        .filter(|(key, value)| before.get(*key) != Some(*value))
    {
        change.insert(key.clone(), BASE64_STANDARD.encode(value).into());
    }
    change.into()
}

// === impl Rotate ===

impl Rotate {
    /// Prints what came of it.
    fn end(&self, report: &RotateReport) -> anyhow::Result<Exit> {
        match (self.output, &report.outcome) {
            (Format::Json, _) => output::json(report)?,
            (Format::Text, Some(outcome)) => outcome.tell(&mut anstream::stdout())?,
            (Format::Text, None) => {}
        }
        let is_fine = report.outcome.as_ref().is_none_or(Outcome::is_fine);
        Ok(if is_fine { Exit::Fine } else { Exit::Findings })
    }
}

#[cfg(test)]
pub(in crate::cli) fn json_schema() -> serde_json::Value {
    crate::cli::json_page::schema_of::<RotateReport>()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn data(members: &[(&str, &str)]) -> Data {
        let owned = |&(key, value): &(&str, &str)| {
            let value = zeroize::Zeroizing::new(value.as_bytes().to_vec());
            (key.to_owned(), value)
        };
        members.iter().map(owned).collect()
    }

    #[test]
    fn a_session_token_of_an_old_key_goes_and_the_host_stays() {
        let before = data(&[
            ("accessKeyId", "ASIA1"),
            ("secretAccessKey", "a"),
            ("sessionToken", "t"),
            ("url", "https://r.test"),
        ]);
        let members = data(&[("accessKeyId", "AKIA2"), ("secretAccessKey", "a")]);
        let after = merged(Kind::Ecr, &before, members);
        let expected = json!({"accessKeyId": "QUtJQTI=", "sessionToken": null});
        assert_eq!(change(&before, &after), expected);
    }
}
