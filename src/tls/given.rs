//! The authority of a certificate that comes from files, itself from a file: what `caBundle` is to hold then.

use std::{io, path::PathBuf, time::Duration};

use thiserror::Error;
use tokio::sync::watch;
use tracing::{info, warn};

use super::{
    bundle::{self, Ca},
    content::Content,
};

/// Why there is nothing to trust.
#[derive(Debug, Error)]
pub enum GivenError {
    /// The file cannot be read.
    #[error("cannot read {path} (--ca)")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It holds no certificate.
    #[error("{0} (--ca) holds no PEM certificate that can be read")]
    Empty(PathBuf),
}

/// Follows the file.
#[derive(Debug)]
pub struct Given {
    content: Content,
    authorities: watch::Sender<Vec<Ca>>,
}

// === impl Given ===

impl Given {
    /// Reads the file for the first time.
    ///
    /// # Errors
    ///
    /// [`GivenError`] if it holds no certificate.
    pub fn start(path: PathBuf) -> Result<Self, GivenError> {
        let (content, pem) = Content::open(path.clone()).map_err(|source| GivenError::Read {
            path: path.clone(),
            source,
        })?;
        let authorities = some(&pem, path)?;
        Ok(Self {
            content,
            authorities: watch::Sender::new(authorities),
        })
    }

    /// What it held when it last held any.
    #[must_use]
    pub fn authorities(&self) -> watch::Receiver<Vec<Ca>> {
        self.authorities.subscribe()
    }

    /// Reads the file every `pause`, for ever. What cannot be used is logged once, and the last good content stays.
    pub async fn follow(mut self, pause: Duration) {
        loop {
            tokio::time::sleep(pause).await;
            self.look();
        }
    }

    /// Reads the file once.
    pub fn look(&mut self) {
        let Some(read) = self.content.news() else {
            return;
        };
        let path = self.content.path().to_owned();
        let read = read.map_err(|source| GivenError::Read {
            path: path.clone(),
            source,
        });
        match read.and_then(|pem| some(&pem, path)) {
            Ok(authorities) => {
                info!("callers are to trust new authorities");
                self.authorities.send_replace(authorities);
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                warn!(
                    error,
                    "the new authorities cannot be used, the old ones stay"
                );
            }
        }
    }
}

fn some(pem: &[u8], path: PathBuf) -> Result<Vec<Ca>, GivenError> {
    let found = bundle::read(pem);
    if found.is_empty() {
        return Err(GivenError::Empty(path));
    }
    Ok(found)
}
