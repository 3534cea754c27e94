//! Indexes, manifests and image configurations: the members that are read of them, and what they say of a commit.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use smol_str::SmolStr;

use super::trouble::Trouble;
use crate::domain::{digest::Digest, git_sha};

/// The OCI name, then the one that label-schema.org had before.
const REVISION: [&str; 2] = [
    "org.opencontainers.image.revision",
    "org.label-schema.vcs-ref",
];
const CREATED: &str = "org.opencontainers.image.created";

/// Annotations or labels.
pub(super) type Texts = BTreeMap<String, Value>;

/// An index or a manifest.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Document {
    pub(super) media_type: Value,
    pub(super) annotations: Option<Texts>,
    /// What an index lists; a manifest has none.
    pub(super) manifests: Option<Vec<Descriptor>>,
    pub(super) config: Option<Descriptor>,
    pub(super) layers: Option<Vec<Descriptor>>,
}

/// A reference to content.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Descriptor {
    pub(super) digest: String,
    /// In bytes.
    pub(super) size: Value,
    pub(super) platform: Option<Platform>,
}

/// What an image runs on.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Platform {
    pub(super) os: String,
    pub(super) architecture: String,
    pub(super) variant: Value,
}

/// An image's configuration.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ImageConfig {
    pub(super) created: Value,
    pub(super) config: Option<Labelled>,
    os: Value,
    architecture: Value,
    variant: Value,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Labelled {
    #[serde(rename = "Labels")]
    pub(super) labels: Option<Texts>,
}

/// A commit, and the annotation or label that names it.
pub(super) type Named = (SmolStr, &'static str);

// === impl Document ===

impl Document {
    /// The configuration of a manifest, if it has one that can be named.
    pub(super) fn config(&self) -> Option<Digest> {
        let config = self.config.as_ref()?;
        Digest::parse_sha256(&config.digest).ok()
    }
}

// === impl Descriptor ===

impl Descriptor {
    /// Whether it is an image; attestations (platform `unknown`) are none.
    pub(super) fn is_image(&self) -> bool {
        let platform = self.platform.as_ref();
        platform.is_none_or(|platform| platform.os != "unknown")
    }

    fn is_common(&self) -> bool {
        let platform = self.platform.as_ref();
        platform.is_some_and(|one| one.os == "linux" && one.architecture == "amd64")
    }
}

// === impl Platform ===

impl Platform {
    /// `os/architecture[/variant]`, if it has both and they are plain words.
    pub(super) fn text(&self) -> Option<SmolStr> {
        platform([
            Some(&self.os),
            Some(&self.architecture),
            self.variant.as_str(),
        ])
    }
}

// === impl ImageConfig ===

impl ImageConfig {
    /// As [`Platform::text`].
    pub(super) fn platform(&self) -> Option<SmolStr> {
        platform([
            self.os.as_str(),
            self.architecture.as_str(),
            self.variant.as_str(),
        ])
    }

    pub(super) fn labels(&self) -> Option<&Texts> {
        self.config.as_ref()?.labels.as_ref()
    }
}

fn platform(words: [Option<&str>; 3]) -> Option<SmolStr> {
    let [os, architecture, variant] = words;
    let is_word = |word: &&str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    };
    let (os, architecture) = (os.filter(is_word)?, architecture.filter(is_word)?);
    Some(match variant.filter(is_word) {
        Some(variant) => format!("{os}/{architecture}/{variant}").into(),
        None => format!("{os}/{architecture}").into(),
    })
}

/// Reads a document.
///
/// # Errors
/// [`Trouble::Unavailable`] for what is none.
pub(super) fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Trouble> {
    let unreadable = |_| Trouble::Unavailable("the image's description cannot be read".to_owned());
    serde_json::from_slice(body).map_err(unreadable)
}

/// The image that speaks for an index: linux/amd64, else the first one.
pub(super) fn speaker(manifests: &[Descriptor]) -> Option<Digest> {
    let common = manifests.iter().find(|one| one.is_common());
    let chosen = common.or_else(|| manifests.iter().find(|one| one.is_image()))?;
    Digest::parse_sha256(&chosen.digest).ok()
}

/// The whole commit that annotations or labels name.
pub(super) fn revision(texts: Option<&Texts>) -> Option<Named> {
    let texts = texts?;
    let found = REVISION
        .iter()
        .filter_map(|name| Some((texts.get(*name)?.as_str()?, *name)));
    let mut commits = found.filter(|(text, _)| git_sha::is_revision(text));
    commits
        .next()
        .map(|(text, name)| (SmolStr::new(text), name))
}

/// When the image was built, as annotations say.
pub(super) fn created(texts: Option<&Texts>) -> Option<&str> {
    texts?.get(CREATED)?.as_str()
}
