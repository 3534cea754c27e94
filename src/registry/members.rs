//! By which digests one image is known: a container runtime may tell its index, a manifest that the index lists, or a
//! manifest's configuration.

use std::time::Duration;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use tokio::time::timeout;

use super::{
    client::Client,
    document::{self, Document},
    exchange::Exchange,
    manifest,
    reading::Place,
    trouble::Trouble,
};
use crate::domain::{digest::Digest, question::Failure};

/// Manifests of one index that are read; buildx knows about twenty platforms, each with an attestation.
const MOST: usize = 64;
/// Manifests that are read at a time.
const AT_ONCE: usize = 8;
/// How often the time of one look-up all of it may take: the index, then its manifests, so many at once.
const PARTS: u32 = 4;

/// The digests of what an image is made of, besides its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// The manifests that an index lists; none for an image of one platform.
    pub manifests: Vec<Digest>,
    /// The configurations of all manifests, which are the image IDs of a container runtime.
    pub configs: Vec<Digest>,
}

// === impl Members ===

impl Members {
    /// Whether the image is known by this digest.
    #[must_use]
    pub fn contains(&self, digest: &Digest) -> bool {
        self.manifests.contains(digest) || self.configs.contains(digest)
    }
}

// === impl Client ===

impl Client {
    /// What the image of `digest` is made of.
    ///
    /// # Errors
    /// [`Failure`], with the cause.
    pub async fn members(&self, place: Place, digest: &Digest) -> Result<Members, Failure> {
        let members = async |exchange: &Exchange, limit: Duration| {
            let limit = limit * PARTS;
            let read = timeout(limit, members(exchange, digest)).await;
            read.unwrap_or_else(|_| Err(Trouble::timed_out(limit)))
        };
        self.0.read(place, members).await
    }
}

async fn members(exchange: &Exchange, digest: &Digest) -> Result<Members, Trouble> {
    let top: Document = document::read(&manifest::fetch(exchange, digest).await?)?;
    let Some(listed) = &top.manifests else {
        return Ok(Members {
            manifests: Vec::new(),
            configs: top.config().into_iter().collect(),
        });
    };
    let parsed = listed
        .iter()
        .filter_map(|one| Digest::parse_sha256(&one.digest).ok());
    let manifests: Vec<Digest> = parsed.take(MOST).collect();
    let config = |digest: Digest| async move {
        let manifest: Document = document::read(&manifest::fetch(exchange, &digest).await?)?;
        Ok::<_, Trouble>(manifest.config())
    };
    let reads = stream::iter(manifests.clone()).map(config);
    let configs: Vec<_> = reads.buffered(AT_ONCE).try_collect().await?;
    Ok(Members {
        manifests,
        configs: configs.into_iter().flatten().collect(),
    })
}
