//! Which commit an image was built from, and which of the commit's tags is that image. Tags are never listed.

use smol_str::SmolStr;

use super::{
    bounded::Bounded,
    document::{self, Document, ImageConfig},
    exchange::Exchange,
    manifest,
    trouble::Trouble,
};
use crate::{
    domain::{credential::Fingerprint, digest::Digest, git_sha},
    telemetry::metrics::Cache,
};

/// Digests whose revision is remembered.
const ENTRIES: usize = 8192;

/// Digest to revision, for each credential. What a digest means never changes, so nothing expires.
#[derive(Debug)]
pub(super) struct Revisions(Bounded<(Digest, Fingerprint), Option<SmolStr>>);

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
        match revision {
            Some(revision) => proven_tag(exchange, digest, &revision).await,
            None => Ok(None),
        }
    }
}

/// The tag of the commit `revision` that is `digest`. What an image says of itself is no proof: the tag has to be this very
/// image.
///
/// # Errors
/// [`Trouble`] if it cannot be told.
pub(super) async fn proven_tag(
    exchange: &Exchange,
    digest: &Digest,
    revision: &str,
) -> Result<Option<SmolStr>, Trouble> {
    for tag in git_sha::candidate_tags(revision) {
        match manifest::resolve(exchange, &tag, None).await {
            Ok(found) if found == *digest => return Ok(Some(tag.into())),
            Ok(_) | Err(Trouble::NotFound(_)) => {}
            Err(trouble) => return Err(trouble),
        }
    }
    Ok(None)
}

/// The revision by the index's annotation, the manifest's, or the label in its configuration.
async fn of_image(exchange: &Exchange, digest: &Digest) -> Result<Option<SmolStr>, Trouble> {
    let commit = |(commit, _): document::Named| commit;
    let mut read: Document = document::read(&manifest::fetch(exchange, digest).await?)?;
    if let Some(found) = document::revision(read.annotations.as_ref()) {
        return Ok(Some(commit(found)));
    }
    if let Some(manifests) = &read.manifests {
        let Some(image) = document::speaker(manifests) else {
            return Ok(None);
        };
        read = document::read(&manifest::fetch(exchange, &image).await?)?;
        if let Some(found) = document::revision(read.annotations.as_ref()) {
            return Ok(Some(commit(found)));
        }
    }
    let Some(config) = read.config() else {
        return Ok(None);
    };
    let config: ImageConfig = document::read(&manifest::blob(exchange, &config).await?)?;
    Ok(document::revision(config.labels()).map(commit))
}
