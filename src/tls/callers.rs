//! The authorities of callers, from a file: who presents no certificate of theirs does not get through the handshake.
//!
//! A new content takes effect with the next handshake. Connections that are open stay, until they are idle for long
//! enough or the caller closes them.

use std::{io, path::PathBuf, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use thiserror::Error;
use tracing::{info, warn};

use super::{
    content::Content,
    resolver::{self, ConfigError, Served},
};

/// Why callers cannot be told apart.
#[derive(Debug, Error)]
pub enum CallersError {
    /// The file cannot be read.
    #[error("cannot read {path} (--client-ca)")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Its content cannot be used.
    #[error("{path} (--client-ca) cannot be used")]
    Use {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: ConfigError,
    },
}

/// Keeps a listener's TLS configuration equal to the file.
#[derive(Debug)]
pub struct Callers {
    content: Content,
    served: Arc<Served>,
    config: Arc<ArcSwap<ServerConfig>>,
}

// === impl Callers ===

impl Callers {
    /// A TLS configuration that serves `served` to callers of the authorities in the file.
    ///
    /// # Errors
    ///
    /// [`CallersError`] if the file holds none that can be read.
    pub fn start(path: PathBuf, served: Arc<Served>) -> Result<Self, CallersError> {
        let (content, pem) = Content::open(path.clone()).map_err(|source| CallersError::Read {
            path: path.clone(),
            source,
        })?;
        let config = resolver::server_config(served.clone(), Some(&pem))
            .map_err(|source| CallersError::Use { path, source })?;
        Ok(Self {
            content,
            served,
            config: Arc::new(ArcSwap::from_pointee(config)),
        })
    }

    /// The configuration of the moment.
    #[must_use]
    pub fn config(&self) -> Arc<ArcSwap<ServerConfig>> {
        Arc::clone(&self.config)
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
        let read = read.map_err(|source| CallersError::Read {
            path: path.clone(),
            source,
        });
        let config = read.and_then(|pem| {
            resolver::server_config(self.served.clone(), Some(&pem)).map_err(|source| {
                CallersError::Use {
                    path: path.clone(),
                    source,
                }
            })
        });
        match config {
            Ok(config) => {
                // A configuration of its own has no memory of sessions: who was let in before has to show who they are.
                self.config.store(Arc::new(config));
                info!(path = %path.display(), "callers are told by new authorities");
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                warn!(
                    error,
                    "the new authorities of callers cannot be used, the old ones stay"
                );
            }
        }
    }
}
