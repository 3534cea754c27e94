//! A certificate and its key from files, read again when their content changes.
//!
//! Contents are compared, since the kubelet swaps a symbolic link above the files and no event of theirs tells.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};
use thiserror::Error;
use tracing::{info, warn};
use zeroize::Zeroizing;

use super::{
    authority::parse,
    resolver::{PairError, Served, pair},
};
use crate::telemetry::metrics::Metrics;

/// How often the files are read: a kubelet takes up to a minute to bring a new content, so seconds do not matter.
pub const POLL: Duration = Duration::from_secs(5);

/// Where a certificate chain and its key are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The chain, leaf first, PEM.
    pub cert: PathBuf,
    /// The private key, PEM.
    pub key: PathBuf,
}

/// Why files give no certificate.
#[derive(Debug, Error)]
pub enum FilesError {
    /// One cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Their contents are no pair.
    #[error("{cert} and {key} are no certificate and key")]
    Pair {
        /// The chain's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What is wrong with them.
        #[source]
        source: PairError,
    },
}

/// Both contents as they were at one moment.
struct Contents {
    cert: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
}

/// Tells one content of both files from another; an unreadable file is one, too.
type Fingerprint = Option<[u8; 32]>;

/// Keeps a served certificate equal to its files.
#[derive(Debug)]
pub struct Follower {
    files: Files,
    served: Arc<Served>,
    metrics: Arc<Metrics>,
    seen: Fingerprint,
}

// === impl Files ===

impl Files {
    /// Reads the pair as it is now.
    ///
    /// # Errors
    ///
    /// [`FilesError`] if a file cannot be read or they are no pair.
    pub fn load(&self) -> Result<CertifiedKey, FilesError> {
        self.contents().and_then(|contents| self.pair(&contents))
    }

    fn contents(&self) -> Result<Contents, FilesError> {
        Ok(Contents {
            cert: read(&self.cert)?,
            key: Zeroizing::new(read(&self.key)?),
        })
    }

    fn pair(&self, contents: &Contents) -> Result<CertifiedKey, FilesError> {
        pair(&contents.cert, &contents.key).map_err(|source| FilesError::Pair {
            cert: self.cert.clone(),
            key: self.key.clone(),
            source,
        })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, FilesError> {
    std::fs::read(path).map_err(|source| FilesError::Read {
        path: path.to_owned(),
        source,
    })
}

/// Notes when the served certificate ends.
fn tell_end(pair: &CertifiedKey, metrics: &Metrics) {
    let leaf = pair.cert.first().and_then(|der| parse(der));
    if let Some(leaf) = leaf {
        let end = leaf.validity().not_after.timestamp();
        metrics.trust.not_after("leaf", end);
    }
}

// === impl Contents ===

impl Contents {
    fn fingerprint(&self) -> [u8; 32] {
        let length = u64::try_from(self.cert.len()).unwrap_or(u64::MAX);
        Sha256::new()
            .chain_update(length.to_be_bytes())
            .chain_update(&self.cert)
            .chain_update(&*self.key)
            .finalize()
            .into()
    }
}

// === impl Follower ===

impl Follower {
    /// Loads the files; from then on [`Follower::served`] is what they held when they last held a pair.
    ///
    /// # Errors
    ///
    /// [`FilesError`] if they are no pair now: there is nothing to serve.
    pub fn start(files: Files, metrics: Arc<Metrics>) -> Result<Self, FilesError> {
        let contents = files.contents()?;
        let pair = files.pair(&contents)?;
        tell_end(&pair, &metrics);
        let served = Arc::new(Served::new(pair));
        Ok(Self {
            files,
            served,
            metrics,
            seen: Some(contents.fingerprint()),
        })
    }

    /// The certificate that is served.
    #[must_use]
    pub fn served(&self) -> Arc<Served> {
        Arc::clone(&self.served)
    }

    /// Reads the files every `pause`, for ever. What is no pair is logged and counted once, and the last pair stays.
    pub async fn follow(mut self, pause: Duration) {
        loop {
            tokio::time::sleep(pause).await;
            self.look();
        }
    }

    /// Reads the files once. Reading is done on the spot: they are small and on a local disk or in memory.
    pub fn look(&mut self) {
        let contents = self.files.contents();
        let fingerprint = contents.as_ref().ok().map(Contents::fingerprint);
        if fingerprint == self.seen {
            return;
        }
        self.seen = fingerprint;
        let loaded = contents.and_then(|contents| self.files.pair(&contents));
        self.metrics.certificate_reload(loaded.is_ok());
        match loaded {
            Ok(pair) => {
                tell_end(&pair, &self.metrics);
                self.served.replace(pair);
                info!(cert = %self.files.cert.display(), "serving a new certificate");
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                warn!(
                    error,
                    "the new certificate cannot be used, the old one stays"
                );
            }
        }
    }
}
