//! What people ask beyond the meaning of a tag: the tags of a repository, and what an image is. Each answer is read anew;
//! nothing of it is kept.

use std::{sync::Arc, time::Duration};

use smol_str::SmolStr;
use tokio::time::{Instant, timeout};

use super::{
    client::{Client, Inner, offline},
    describe::{self, Depth, Description},
    exchange::Exchange,
    tags::{self, TagList},
    trouble::Trouble,
};
use crate::{
    admission::ports::Ask,
    domain::{credential::Credential, digest::Digest, question::Failure},
};

/// How often the time of one look-up an image may take: its index, a manifest, its configuration, then all other manifests at
/// once.
const PARTS: u32 = 4;

/// A repository, and who asks for it.
#[derive(Clone, Debug)]
pub struct Place {
    /// The registry as references spell it, in lower case, with its port if it has one (`docker.io` for Hub).
    pub host: SmolStr,
    /// The repository, `library/nginx` for Hub's `nginx`; empty where the registry as such is asked.
    pub repository: SmolStr,
    /// Who asks; `None`, or an empty one, asks anonymously.
    pub credential: Option<Arc<Credential>>,
}

// === impl Place ===

impl Place {
    /// The repository of an ask.
    #[must_use]
    pub fn of(ask: &Ask) -> Self {
        Self {
            host: ask.host.clone(),
            repository: ask.repository.clone(),
            credential: ask.credential.clone(),
        }
    }
}

// === impl Client ===

impl Client {
    /// The tags of a repository.
    ///
    /// # Errors
    /// [`Failure`], with the cause.
    pub async fn tags(&self, place: Place) -> Result<TagList, Failure> {
        self.0.read(place, tags::list).await
    }

    /// What the image of `digest` is.
    ///
    /// # Errors
    /// [`Failure`], with the cause.
    pub async fn describe(
        &self,
        place: Place,
        digest: &Digest,
        depth: Depth,
    ) -> Result<Description, Failure> {
        let describe = async |exchange: &Exchange, limit: Duration| {
            let limit = limit * PARTS;
            let described = timeout(limit, describe::describe(exchange, digest, depth)).await;
            described.unwrap_or_else(|_| Err(Trouble::timed_out(limit)))
        };
        self.0.read(place, describe).await
    }
}

// === impl Inner ===

impl Inner {
    /// Opens a conversation about `place` and has `read` lead it, which is told how long one look-up may take.
    pub(super) async fn read<T>(
        &self,
        place: Place,
        read: impl AsyncFnOnce(&Exchange, Duration) -> Result<T, Trouble>,
    ) -> Result<T, Failure> {
        let setup = self.setup.load_full();
        if setup.settings.offline {
            return Err(offline());
        }
        let limit = setup.settings.timeout;
        let open = self.open(&setup, place, Instant::now() + limit).await;
        let open = open.map_err(Trouble::into_failure)?;
        let answer = read(&open.exchange, limit).await;
        open.leave.report(&open.exchange.host, &answer);
        answer.map_err(Trouble::into_failure)
    }
}
