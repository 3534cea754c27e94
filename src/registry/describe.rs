//! What an image is: its type, platforms, sizes and age, and the commit it was built from with the evidence for that.

use std::fmt;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use serde_json::Value;
use smol_str::SmolStr;

use super::{
    document::{self, Document, ImageConfig, Named},
    exchange::Exchange,
    manifest, revision,
    trouble::Trouble,
};
use crate::domain::digest::Digest;

/// Images of one index that are read; buildx knows about twenty platforms.
const MOST_PLATFORMS: usize = 64;
/// Manifests of one image that are read at a time.
const AT_ONCE: usize = 8;
/// Reproducible builds write a date of 1970 or 1980 where they mean none: 1980-01-02T00:00:00Z, in seconds.
const NO_DATE: i64 = 315_619_200;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// How much is read of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// What one of its platforms says.
    Summary,
    /// The manifest of each platform too, for the sizes.
    Sizes,
}

/// An image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// The media type of its manifest or index.
    pub media_type: SmolStr,
    /// Its platforms, in the index's order.
    pub platforms: Vec<PlatformImage>,
    /// When it was built, where it says so.
    pub created: Option<Timestamp>,
    /// The commit it was built from, where it says so.
    pub revision: Option<Revision>,
}

/// The image of one platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformImage {
    /// `os/architecture[/variant]`; `None` where the image does not say.
    pub platform: Option<SmolStr>,
    /// The digest of its manifest.
    pub digest: Digest,
    /// The bytes of its layers as they are pulled, compressed; `None` where they were not read.
    pub size: Option<u64>,
}

/// The commit that an image says it was built from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// The whole commit id.
    pub commit: SmolStr,
    /// Where the image says so.
    pub place: RevisionPlace,
    /// The name of the annotation or label.
    pub name: &'static str,
    /// The commit's tag that is this very image, which proves it. Without one, a label may be the base image's.
    pub tag: Option<SmolStr>,
}

/// Where an image names its commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevisionPlace {
    /// An annotation of the index.
    Index,
    /// An annotation of the manifest.
    Manifest,
    /// A label in the configuration.
    Label,
}

impl fmt::Display for RevisionPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Index => "index annotation",
            Self::Manifest => "manifest annotation",
            Self::Label => "config label",
        })
    }
}

/// Reads the image of `digest`.
///
/// # Errors
/// [`Trouble`] if a part of it cannot be read.
pub(super) async fn describe(
    exchange: &Exchange,
    digest: &Digest,
    depth: Depth,
) -> Result<Description, Trouble> {
    let top: Document = document::read(&manifest::fetch(exchange, digest).await?)?;
    let fallback = if top.manifests.is_some() {
        INDEX
    } else {
        MANIFEST
    };
    let media_type = plain(&top.media_type).unwrap_or_else(|| fallback.into());
    let mut platforms = listed(&top);
    let mut said = Said::default();
    if let Some((image, manifest)) = speaker(exchange, digest, top, &mut said).await? {
        said.hear(&manifest, RevisionPlace::Manifest);
        let config = config_of(exchange, &manifest).await?;
        said.hear_config(&config);
        let size = size(&manifest);
        match platforms.iter_mut().find(|one| one.digest == image) {
            Some(one) => {
                one.size = size;
                one.platform = one.platform.take().or_else(|| config.platform());
            }
            None => platforms.push(PlatformImage {
                platform: config.platform(),
                digest: image,
                size,
            }),
        }
    }
    if depth == Depth::Sizes {
        platforms = sized(exchange, platforms).await?;
    }
    Ok(Description {
        media_type,
        platforms,
        created: said.created,
        revision: said.proven(exchange, digest).await?,
    })
}

/// The manifest that speaks for `top`: itself, or one of those that it lists. What an index says itself is heard first.
async fn speaker(
    exchange: &Exchange,
    digest: &Digest,
    top: Document,
    said: &mut Said,
) -> Result<Option<(Digest, Document)>, Trouble> {
    let Some(manifests) = &top.manifests else {
        return Ok(Some((digest.clone(), top)));
    };
    said.hear(&top, RevisionPlace::Index);
    let Some(speaker) = document::speaker(manifests) else {
        return Ok(None);
    };
    let manifest = document::read(&manifest::fetch(exchange, &speaker).await?)?;
    Ok(Some((speaker, manifest)))
}

/// What was heard of commit and date; the first word counts.
#[derive(Default)]
struct Said {
    revision: Option<(Named, RevisionPlace)>,
    created: Option<Timestamp>,
}

// === impl Said ===

impl Said {
    fn hear(&mut self, document: &Document, place: RevisionPlace) {
        let texts = document.annotations.as_ref();
        self.say(document::revision(texts), place, document::created(texts));
    }

    /// A label that names a date is likely to be the base image's, which a build inherits; `created` is its own.
    fn hear_config(&mut self, config: &ImageConfig) {
        let named = document::revision(config.labels());
        self.say(named, RevisionPlace::Label, config.created.as_str());
    }

    fn say(&mut self, named: Option<Named>, place: RevisionPlace, created: Option<&str>) {
        let found = named.map(|named| (named, place));
        self.revision = self.revision.take().or(found);
        let date = created.and_then(|text| text.parse().ok());
        let date = date.filter(|date: &Timestamp| date.as_second() > NO_DATE);
        self.created = self.created.or(date);
    }

    async fn proven(
        self,
        exchange: &Exchange,
        digest: &Digest,
    ) -> Result<Option<Revision>, Trouble> {
        let Some(((commit, name), place)) = self.revision else {
            return Ok(None);
        };
        let tag = revision::proven_tag(exchange, digest, &commit).await?;
        Ok(Some(Revision {
            commit,
            place,
            name,
            tag,
        }))
    }
}

/// The images that an index lists.
fn listed(index: &Document) -> Vec<PlatformImage> {
    let manifests = index.manifests.iter().flatten();
    let images = manifests.filter(|one| one.is_image()).take(MOST_PLATFORMS);
    let image = |one: &document::Descriptor| {
        Some(PlatformImage {
            platform: one.platform.as_ref().and_then(document::Platform::text),
            digest: Digest::parse_sha256(&one.digest).ok()?,
            size: None,
        })
    };
    images.filter_map(image).collect()
}

async fn config_of(exchange: &Exchange, manifest: &Document) -> Result<ImageConfig, Trouble> {
    match manifest.config() {
        Some(config) => document::read(&manifest::blob(exchange, &config).await?),
        None => Ok(ImageConfig::default()),
    }
}

async fn sized(
    exchange: &Exchange,
    platforms: Vec<PlatformImage>,
) -> Result<Vec<PlatformImage>, Trouble> {
    let read = |mut one: PlatformImage| async move {
        if one.size.is_none() {
            one.size = match manifest::fetch(exchange, &one.digest).await {
                Ok(manifest) => size(&document::read(&manifest)?),
                // A copy of an index need not have all that it lists.
                Err(Trouble::NotFound(_)) => None,
                Err(trouble) => return Err(trouble),
            };
        }
        Ok(one)
    };
    let reads = stream::iter(platforms).map(read);
    reads.buffered(AT_ONCE).try_collect().await
}

/// The sum of a manifest's layers; `None` where it does not tell.
fn size(manifest: &Document) -> Option<u64> {
    let mut sizes = manifest
        .layers
        .as_ref()?
        .iter()
        .map(|layer| layer.size.as_u64());
    sizes.try_fold(0_u64, |sum, size| sum.checked_add(size?))
}

/// A media type as RFC 6838 spells one.
fn plain(text: &Value) -> Option<SmolStr> {
    let text = text.as_str()?;
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"!#$&-^_.+/".contains(&b);
    let fits = !text.is_empty() && text.len() <= 255 && text.bytes().all(is_plain);
    fits.then(|| text.into())
}
