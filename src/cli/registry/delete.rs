//! `cotter registry delete`: a `Registry`, its pull secrets, and the credential that `add` made for it.

use std::{collections::BTreeSet, io::Write as _, process::ExitCode};

use anyhow::{Context as _, bail};
use clap::Args;
use serde::Serialize;

use super::{
    manifests, name,
    site::{ClusterArgs, Site, WaitArgs},
    wait,
};
use crate::{
    api::registry::{Deletion, Registry},
    cli::{
        exit::Exit,
        output::{self, Format},
        running, terminal,
    },
    cluster::registry_objects::ObjectError,
};

/// How many names are shown.
const NAMED: usize = 5;

/// Delete a Registry, and with it the pull secrets that it keeps and the credential that add made
///
/// Shows which namespaces lose their pull secret and which Pods name it, and asks. The API server refuses it while Pods need it.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  cotter registry delete my-ghcr
  cotter registry delete my-ghcr --keep-pull-secrets --yes")]
#[expect(clippy::struct_excessive_bools, reason = "flags, each by itself")]
pub struct Delete {
    /// The name of the Registry
    #[arg(value_name = "NAME")]
    pub name: String,

    /// Do not ask whether to go on
    #[arg(long, short)]
    pub yes: bool,

    /// Leave the pull secrets where they are; nobody looks after them any more
    #[arg(long)]
    pub keep_pull_secrets: bool,

    /// Leave the Secret with the credential, even if add made it
    #[arg(long)]
    pub keep_credential: bool,

    /// Delete it although Pods name its pull secrets: what a node has to pull again then fails
    #[arg(long, conflicts_with = "keep_pull_secrets")]
    pub in_use: bool,

    /// The form of the answer
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: Format,

    /// Whether to wait.
    #[command(flatten)]
    pub wait: WaitArgs,

    /// Which cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

/// What `cotter registry delete -o json` prints. These names are a promise to programs.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct DeleteReport {
    /// The name of the `Registry`.
    name: String,
    /// Whether it was deleted.
    deleted: bool,
    /// What depended on it before; left out where it could not be listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    uses: Option<Uses>,
    /// Whether the pull secrets stay.
    pull_secrets_stay: bool,
    /// The Secret with its credential, in cotter's namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    /// Whether that Secret was deleted, too.
    secret_deleted: bool,
}

/// Who has, and who names, the pull secrets of a `Registry`.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct Uses {
    /// Namespaces with a pull secret.
    namespaces: Vec<String>,
    /// Pods that name one and have not ended, each `namespace/name`.
    pods: BTreeSet<String>,
}

/// Deletes.
///
/// # Errors
/// If there is none, nobody can be asked, or the API server refuses it.
pub fn run(args: Delete) -> anyhow::Result<ExitCode> {
    running::run(delete(args))
}

async fn delete(args: Delete) -> anyhow::Result<Exit> {
    let name = name::plain(&args.name);
    let site = args.cluster.open().await?;
    let registry = site.objects.get(name).await?;
    let uses = uses(&site, name).await;
    let credentials = registry.spec.credentials.as_ref();
    let secret = credentials.map(|credentials| credentials.secret_ref.name.clone());
    let takes_secret = match &secret {
        Some(secret) if !args.keep_credential => is_ours(&site, name, secret).await,
        _ => false,
    };
    let mut report = DeleteReport {
        name: name.to_owned(),
        deleted: false,
        pull_secrets_stay: args.keep_pull_secrets || registry.spec.deletion == Deletion::Retain,
        uses: uses.as_ref().ok().cloned(),
        secret,
        secret_deleted: false,
    };
    if !args.yes {
        if !terminal::is_interactive() {
            bail!("missing: --yes; without a terminal nobody can be asked whether to delete it");
        }
        show(&report, uses.as_ref().err(), takes_secret)?;
        if !terminal::agrees(&format!("Delete Registry {name}?")).await? {
            output::note("nothing is deleted")?;
            return Ok(Exit::Findings);
        }
    }
    remove(&site, &registry, &args, report.pull_secrets_stay).await?;
    report.deleted = true;
    if !args.wait.no_wait {
        wait::until_gone(&site, name, &args.wait).await?;
    }
    if let (true, Some(secret)) = (takes_secret, &report.secret) {
        let deleted = site.objects.delete_secret(secret).await;
        deleted.context("the Registry is deleted, its credential is not")?;
        report.secret_deleted = true;
    }
    end(&report, &site.own_namespace, args.output)
}

/// Deletes it, with what lets the API server agree.
async fn remove(
    site: &Site,
    registry: &Registry,
    args: &Delete,
    stays: bool,
) -> anyhow::Result<()> {
    let name = registry.metadata.name.as_deref().unwrap_or_default();
    let objects = &site.objects;
    if args.keep_pull_secrets && registry.spec.deletion != Deletion::Retain {
        objects.retain(name).await?;
    }
    if args.in_use {
        objects.allow_deletion_in_use(name).await?;
    }
    // cotter may not have seen yet that they stay: their owner is taken off by the garbage collector.
    match objects.delete(name, stays).await {
        Err(ObjectError::Denied(said)) => bail!(
            "{said}\nwith this command: --keep-pull-secrets leaves the pull secrets where they are, --in-use deletes all the same"
        ),
        other => Ok(other?),
    }
}

/// Who would lose a pull secret.
async fn uses(site: &Site, name: &str) -> Result<Uses, String> {
    let users = site.users();
    let kept = users.kept(name).await.map_err(|error| error.to_string())?;
    let mut found = Uses {
        namespaces: kept.keys().cloned().collect(),
        pods: BTreeSet::new(),
    };
    let add = |namespace: &str, pod: &str| {
        found.pods.insert(format!("{namespace}/{pod}"));
    };
    let listed = users.of(kept, add).await;
    listed.map_err(|error| error.to_string())?;
    Ok(found)
}

/// Whether `add` made the Secret, for this `Registry`. What may not be read is not ours to delete.
async fn is_ours(site: &Site, name: &str, secret: &str) -> bool {
    let secret = site.objects.secret(secret).await.ok().flatten();
    secret.is_some_and(|secret| manifests::is_ours(&secret) && secret.is_for(name, None).is_ok())
}

fn show(report: &DeleteReport, unknown: Option<&String>, takes_secret: bool) -> anyhow::Result<()> {
    let mut out = anstream::stderr();
    if let Some(why) = unknown {
        terminal::warn(&format!("who uses it cannot be told: {why}"))?;
    }
    if let Some(Uses { namespaces, pods }) = &report.uses {
        let verb = if report.pull_secrets_stay {
            "keep"
        } else {
            "lose"
        };
        writeln!(
            out,
            "{} {verb} their pull secret{}",
            counted(namespaces.len(), "namespace"),
            listed(namespaces.iter())
        )?;
        writeln!(
            out,
            "{} that have not ended name it{}",
            counted(pods.len(), "Pod"),
            listed(pods.iter())
        )?;
    }
    match &report.secret {
        Some(secret) if takes_secret => writeln!(out, "the credential, Secret {secret}, goes too")?,
        Some(secret) => writeln!(out, "the credential, Secret {secret}, stays")?,
        None => {}
    }
    Ok(())
}

fn counted(many: usize, what: &str) -> String {
    match many {
        1 => format!("1 {what}"),
        many => format!("{many} {what}s"),
    }
}

/// The first of them, behind a colon.
fn listed<'n>(names: impl ExactSizeIterator<Item = &'n String>) -> String {
    let more = names.len().saturating_sub(NAMED);
    let first: Vec<_> = names.take(NAMED).map(String::as_str).collect();
    match (first.is_empty(), more) {
        (true, _) => String::new(),
        (false, 0) => format!(": {}", first.join(", ")),
        (false, more) => format!(": {} and {more} more", first.join(", ")),
    }
}

fn end(report: &DeleteReport, own: &str, format: Format) -> anyhow::Result<Exit> {
    if format == Format::Json {
        output::json(report)?;
        return Ok(Exit::Fine);
    }
    let mut out = anstream::stdout();
    writeln!(out, "registry.cotter.dev/{} deleted", report.name)?;
    match &report.secret {
        Some(secret) if report.secret_deleted => writeln!(out, "secret/{secret} deleted")?,
        Some(secret) => writeln!(
            out,
            "secret/{secret} stays in {own}: kubectl delete secret -n {own} {secret}"
        )?,
        None => {}
    }
    Ok(Exit::Fine)
}

#[cfg(test)]
pub(in crate::cli) fn json_schema() -> serde_json::Value {
    crate::cli::json_page::schema_of::<DeleteReport>()
}
