//! `cotter resolve`: what an image means, and who was told so.

mod look;
mod report;
mod text;

use std::process::ExitCode;

use clap::Args;
use futures_util::stream::{self, StreamExt as _};

use self::{look::Look, report::Document};
use super::{
    asking::RegistryArgs,
    exit::Exit,
    output::{self, Format},
    pod::PodArgs,
    running,
};

/// Images that are looked up at a time.
const AT_ONCE: usize = 8;

/// Say what images mean: canonical form, digest, git SHA, platforms, and which credential was told so
///
/// Each image is asked for with the credentials of Docker's configuration, with the pull secrets of manifests, or with those of
/// a namespace, in the order in which the kubelet tries them. Exit code 1: an image cannot be resolved.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  cotter resolve nginx:1.27 ghcr.io/acme/app:dev
  cotter resolve -n shop ghcr.io/acme/app:dev   # with what the kubelet of that namespace will try
  cotter resolve --no-network ghcr.io/ByteQuester/App:dev -o json")]
pub struct Resolve {
    /// Images as a Pod names them
    #[arg(value_name = "IMAGE", required = true)]
    pub images: Vec<String>,

    /// Ask nobody: canonical form, what the kubelet makes of it, and whether the tag is mutable
    #[arg(long, conflicts_with = "namespace")]
    pub no_network: bool,

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

/// Looks up all images and prints what was found, in their order.
///
/// # Errors
/// If the configuration, the credentials or the cluster cannot be read, or stdout is gone.
pub fn run(args: Resolve) -> anyhow::Result<ExitCode> {
    running::run(resolve(args))
}

async fn resolve(args: Resolve) -> anyhow::Result<Exit> {
    let Resolve {
        images,
        no_network,
        output,
        pod,
        registries,
    } = args;
    let file = registries.file()?;
    let source = pod.open(&registries.credentials, &file.policies).await?;
    let look = Look {
        asker: registries.asker(&file, source.credentials, no_network)?,
        policy: source.policy,
        no_network,
    };
    let looks = stream::iter(&images).map(|image| look.at(image));
    let images: Vec<_> = looks.buffered(AT_ONCE).collect().await;
    let is_found = images.iter().all(|image| image.error.is_none());
    match output {
        Format::Text => text::print(&images)?,
        Format::Json => output::json(&Document { images })?,
    }
    Ok(if is_found { Exit::Fine } else { Exit::Findings })
}

#[cfg(test)]
pub(super) fn json_schema() -> serde_json::Value {
    super::json_page::schema_of::<Document>()
}
