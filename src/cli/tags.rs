//! `cotter tags`: the tags of a repository and the images behind them.

mod order;
mod read;
mod text;

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use jiff::Timestamp;
use serde::Serialize;
use smol_str::SmolStr;

use self::read::Reader;
use super::{
    answer::{CredentialReport, Trouble},
    asking::RegistryArgs,
    exit::Exit,
    output::{self, Format},
    pod::PodArgs,
    running,
};
use crate::domain::{glob::Glob, reference};

/// List the tags of a repository with digest, git SHA and age, and which of them are the same image as latest
///
/// Newest first, as far as that is told: by Google's registries for all tags; elsewhere each image is read for its date, so only
/// that many tags are looked at as --limit says, latest and versions before git SHAs. Exit code 1: the list cannot be read, or
/// a tag in it.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  cotter tags ghcr.io/acme/app
  cotter tags nginx --match '1.27*' --limit 10")]
pub struct Tags {
    /// The repository, as a Pod names an image; a tag behind it is left off
    #[arg(value_name = "IMAGE")]
    pub image: String,

    /// How many tags are looked at and shown; 0 for all
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: usize,

    /// Only tags that match: * is any text, ? one character
    #[arg(long = "match", value_name = "GLOB")]
    pub glob: Option<String>,

    /// The form of the answer
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: Format,

    /// For which Pods.
    #[command(flatten)]
    pub pod: PodArgs,

    /// How registries are asked.
    #[command(flatten)]
    pub registries: RegistryArgs,
}

/// What `cotter tags -o json` prints. These names are a promise to programs. What is not known is left out.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct TagsReport {
    /// Host and repository.
    repository: String,
    /// The credential that was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    credential: Option<CredentialReport>,
    /// The tags that were looked at, newest first as far as that is known.
    tags: Vec<TagReport>,
    /// How many tags of the repository match.
    matching: usize,
    /// Whether the registry's list was read to its end; it ends after 100 pages.
    complete: bool,
    /// Why there is no list.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Trouble>,
}

/// One tag.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct TagReport {
    /// The tag.
    tag: SmolStr,
    /// What it means now: `sha256:…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    /// Whether that is what `latest` means; left out where there is no `latest`.
    #[serde(skip_serializing_if = "Option::is_none")]
    is_latest: Option<bool>,
    /// The commit that the image says it was built from.
    #[serde(skip_serializing_if = "Option::is_none")]
    git_sha: Option<SmolStr>,
    /// A tag of that commit which is this very image; without one, what the image says of the commit is not proven.
    #[serde(skip_serializing_if = "Option::is_none")]
    git_sha_tag: Option<SmolStr>,
    /// When the image was built, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<Timestamp>,
    /// When the tag was pushed, RFC 3339; only Google's registries say so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pushed: Option<Timestamp>,
    /// Why it could not be looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// Reads the list and the images of its first tags, and prints both.
///
/// # Errors
/// If the image is none, the configuration, the credentials or the cluster cannot be read, or stdout is gone.
pub fn run(args: Tags) -> anyhow::Result<ExitCode> {
    running::run(list(args))
}

async fn list(args: Tags) -> anyhow::Result<Exit> {
    let Tags {
        image,
        limit,
        glob,
        output,
        pod,
        registries,
    } = args;
    let canonical = reference::canonicalise(&image, false)
        .with_context(|| format!("{} is no image", output::printable(&image)))?;
    let file = registries.file()?;
    let source = pod.open(&registries.credentials, &file.policies).await?;
    if file.resolve.offline {
        bail!("the configuration says offline: true, so no registry is asked");
    }
    let reader = Reader {
        asker: registries.asker(&file, source.credentials, false)?,
        image: canonical.reference,
        glob: glob.map(|glob| Glob::new(&glob)),
        limit: if limit == 0 { usize::MAX } else { limit },
    };
    let report = reader.read().await;
    let is_fine = report.error.is_none() && report.tags.iter().all(|tag| tag.problem.is_none());
    match output {
        Format::Text => text::print(&report)?,
        Format::Json => output::json(&report)?,
    }
    Ok(if is_fine { Exit::Fine } else { Exit::Findings })
}

#[cfg(test)]
pub(super) fn json_schema() -> serde_json::Value {
    super::json_page::schema_of::<TagsReport>()
}
