//! What `cotter resolve -o json` prints. These names are a promise to programs.

use jiff::Timestamp;
use serde::Serialize;
use smol_str::SmolStr;

use crate::{
    cli::answer::{CredentialReport, Trouble},
    domain::{policy::Cause, question::Resolution},
};

/// The document.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct Document {
    /// One entry for each argument, in the same order.
    pub(super) images: Vec<ImageReport>,
}

/// What is known of one image. What does not apply, or was not asked, is left out.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct ImageReport {
    /// The image as it was written.
    pub(super) image: String,
    /// As cotter writes it into a Pod, without a pin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) canonical: Option<String>,
    /// The whole of what that means: host, repository, tag or digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reference: Option<String>,
    /// What the kubelet makes of the text as it was written.
    pub(super) kubelet: Kubelet,
    /// Whether the same text may mean another image tomorrow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mutable: Option<bool>,
    /// Why not, where it is not mutable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) immutable_by: Option<ImmutableBy>,
    /// The digest of the manifest or index: `sha256:…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) digest: Option<String>,
    /// The canonical form pinned to that digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pinned: Option<String>,
    /// The media type of what the digest names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) media_type: Option<SmolStr>,
    /// The commit it was built from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) git_sha: Option<GitSha>,
    /// When it was built, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) created: Option<Timestamp>,
    /// Its platforms.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) platforms: Vec<PlatformReport>,
    /// The credential that was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) credential: Option<CredentialReport>,
    /// All ways to ask, in the order in which they are tried.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) ways: Vec<WayReport>,
    /// Why it could not be resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<Trouble>,
    /// Why the image of the digest could not be read to its end; the digest stands nevertheless.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) incomplete: Option<String>,
}

/// Why a reference means the same image for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) enum ImmutableBy {
    /// It has a digest.
    Digest,
    /// The tag is a git SHA.
    GitSha,
    /// The policy declares the tag immutable.
    Policy,
}

/// What the kubelet makes of a text.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct Kubelet {
    /// Whether it takes the text for an image; otherwise the container is `InvalidImageName`.
    pub(super) accepts: bool,
    /// What it would pull, where it accepts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reference: Option<String>,
    /// Why it does not accept, or what goes wrong although it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) problem: Option<String>,
}

/// The commit that an image says it was built from.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct GitSha {
    /// The whole commit id.
    pub(super) commit: SmolStr,
    /// Where the image says so.
    pub(super) evidence: Evidence,
    /// The name of the annotation or label.
    pub(super) name: &'static str,
    /// The commit's tag that is this very image, which proves it; left out where the registry has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tag: Option<SmolStr>,
}

/// Where an image names its commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) enum Evidence {
    /// An annotation of the index.
    IndexAnnotation,
    /// An annotation of the manifest.
    ManifestAnnotation,
    /// A label in the configuration. It may be the base image's.
    ConfigLabel,
}

/// The image of one platform.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct PlatformReport {
    /// `os/architecture[/variant]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) platform: Option<SmolStr>,
    /// The digest of its manifest.
    pub(super) digest: String,
    /// The bytes of its layers as they are pulled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) size: Option<u64>,
}

/// A way to ask, and what came of it.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct WayReport {
    /// Who asks.
    pub(super) credential: CredentialReport,
    /// What came of it.
    pub(super) outcome: Outcome,
    /// What happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) detail: Option<String>,
}

/// What came of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) enum Outcome {
    /// The registry told what the image is.
    Answered,
    /// An earlier one was answered, or nobody was to be asked.
    NotAsked,
    /// The registry knows no such tag or repository.
    NotFound,
    /// The registry wants another credential.
    Unauthorized,
    /// The registry could not be asked, or did not answer.
    Unavailable,
    /// The address or the configuration does not allow it.
    Refused,
}

// === impl Outcome ===

impl Outcome {
    /// What a resolution comes to; `None` for nobody asked.
    pub(super) fn of(resolution: Option<&Resolution>) -> Self {
        let cause = match resolution {
            None => return Self::NotAsked,
            Some(Ok(_)) => return Self::Answered,
            Some(Err(failure)) => failure.cause,
        };
        match cause {
            Cause::NotFound => Self::NotFound,
            Cause::Unauthorized => Self::Unauthorized,
            Cause::Unavailable => Self::Unavailable,
            Cause::Refused | Cause::Invalid => Self::Refused,
        }
    }
}
