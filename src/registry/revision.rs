//! Which commit an image was built from, and which of the commit's tags is that image. Tags are never listed.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use smol_str::SmolStr;

use super::{bounded::Bounded, exchange::Exchange, manifest, trouble::Trouble};
use crate::{
    domain::{credential::Fingerprint, digest::Digest, git_sha},
    telemetry::metrics::Cache,
};

/// The OCI name, then the one that label-schema.org had before.
const NAMES: [&str; 2] = [
    "org.opencontainers.image.revision",
    "org.label-schema.vcs-ref",
];

/// Digests whose revision is remembered.
const ENTRIES: usize = 8192;

/// Digest to revision, for each credential. What a digest means never changes, so nothing expires.
#[derive(Debug)]
pub(super) struct Revisions(Bounded<(Digest, Fingerprint), Option<SmolStr>>);

type Texts = BTreeMap<String, Value>;

/// An index, a manifest or an image's configuration: what is read of any of them.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Document {
    annotations: Option<Texts>,
    manifests: Option<Vec<Descriptor>>,
    config: Option<Descriptor>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Descriptor {
    digest: String,
    platform: Option<Platform>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Platform {
    os: String,
    architecture: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ImageConfig {
    config: Option<Labelled>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Labelled {
    #[serde(rename = "Labels")]
    labels: Option<Texts>,
}

// === impl Revisions ===

impl Default for Revisions {
    fn default() -> Self {
        Self(Bounded::new(ENTRIES))
    }
}

impl Revisions {
    /// The git-SHA tag of `digest`'s commit that is `digest`, if the registry has one.
    ///
    /// # Errors
    /// [`Trouble`] if it cannot be told; nothing is remembered then.
    pub(super) async fn tag_of(
        &self,
        exchange: &Exchange,
        digest: &Digest,
    ) -> Result<Option<SmolStr>, Trouble> {
        let key = (digest.clone(), exchange.who);
        let known = self.0.read(&key, Clone::clone);
        exchange
            .shared
            .metrics
            .cache(Cache::Revision, known.is_some());
        let revision = if let Some(revision) = known {
            revision
        } else {
            let revision = of_image(exchange, digest).await?;
            self.0.insert(key, revision.clone());
            revision
        };
        for tag in git_sha::candidate_tags(revision.as_deref().unwrap_or_default()) {
            match manifest::resolve(exchange, &tag, None).await {
                Ok(found) if found == *digest => return Ok(Some(tag.into())),
                // The label alone is no proof: the tag has to be this very image.
                Ok(_) | Err(Trouble::NotFound(_)) => {}
                Err(trouble) => return Err(trouble),
            }
        }
        Ok(None)
    }
}

/// The revision by the index's annotation, the manifest's, or the label in its configuration.
async fn of_image(exchange: &Exchange, digest: &Digest) -> Result<Option<SmolStr>, Trouble> {
    let mut document: Document = read(&manifest::fetch(exchange, digest).await?)?;
    if let Some(revision) = named(document.annotations.as_ref()) {
        return Ok(Some(revision));
    }
    if let Some(manifests) = &document.manifests {
        let Some(image) = image_of(manifests) else {
            return Ok(None);
        };
        document = read(&manifest::fetch(exchange, &image).await?)?;
        if let Some(revision) = named(document.annotations.as_ref()) {
            return Ok(Some(revision));
        }
    }
    let config = document.config.unwrap_or_default();
    let Ok(config) = Digest::parse_sha256(&config.digest) else {
        return Ok(None);
    };
    let config: ImageConfig = read(&manifest::blob(exchange, &config).await?)?;
    let labels = config.config.unwrap_or_default().labels;
    Ok(named(labels.as_ref()))
}

/// The image that speaks for an index: linux/amd64, else the first. Attestations (platform `unknown`) are no images.
fn image_of(manifests: &[Descriptor]) -> Option<Digest> {
    let is_common =
        |platform: &Platform| platform.os == "linux" && platform.architecture == "amd64";
    let is_image = |platform: &Platform| platform.os != "unknown";
    let with = |wanted: fn(&Platform) -> bool, without: bool| {
        let mut all = manifests.iter();
        all.find(|one| one.platform.as_ref().map_or(without, wanted))
    };
    let chosen = with(is_common, false).or_else(|| with(is_image, true))?;
    Digest::parse_sha256(&chosen.digest).ok()
}

fn named(texts: Option<&Texts>) -> Option<SmolStr> {
    let texts = texts?;
    let mut found = NAMES.iter().filter_map(|name| texts.get(*name)?.as_str());
    found
        .find(|text| git_sha::is_revision(text))
        .map(SmolStr::new)
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Trouble> {
    let unreadable = |_| Trouble::Unavailable("the image's description cannot be read".to_owned());
    serde_json::from_slice(body).map_err(unreadable)
}
