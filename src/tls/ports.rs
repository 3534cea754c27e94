//! What the certificates need of a cluster: one Secret that all replicas share, and the webhook configurations that tell
//! the API server whom to trust and what to call.

use std::{collections::BTreeMap, fmt};

use thiserror::Error;
use tokio::sync::watch;
use zeroize::Zeroizing;

use super::path::SecretPath;

/// The shared Secret and the webhook configurations: all watched, and written only if nobody wrote meanwhile.
pub trait TrustStore: Send + Sync + 'static {
    /// All as they are, and whenever they change.
    fn observe(&self) -> watch::Receiver<Observed>;

    /// Writes once.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] if what is stored is not what the write was made for: look again.
    fn write(&self, write: &Write) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// There is nothing to write, whatever the last write failed with.
    fn rest(&self);
}

/// What the watches know.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// The shared Secret.
    pub secret: Seen<Stored>,
    /// The webhook configuration that the Secret goes with, and without which nobody is ready.
    pub configuration: Seen<Configuration>,
    /// Further ones, by their names. They are kept right, too, and nobody waits for them.
    pub further: BTreeMap<String, Seen<Configuration>>,
}

/// An object as a watch knows it.
#[derive(Clone, Debug)]
pub enum Seen<T> {
    /// Not listed yet; why, if that failed.
    Unknown(Option<String>),
    /// There is none.
    Absent,
    /// As it was last.
    Present(T),
}

/// The shared Secret.
#[derive(Clone)]
pub struct Stored {
    /// Tells this content from others.
    pub version: String,
    /// Whether it can be deleted only.
    pub immutable: bool,
    /// The uid of the webhook configuration that it goes with.
    pub owner: Option<String>,
    /// Its contents.
    pub data: BTreeMap<String, Zeroizing<Vec<u8>>>,
    /// What a person wrote to ask for a rotation.
    pub rotate: Option<String>,
    /// What of that was last done.
    pub rotated: Option<String>,
}

/// A webhook configuration, as far as it calls cotter.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// Tells this content from others.
    pub version: String,
    /// Tells this object from others of its name.
    pub uid: String,
    /// Its webhooks that call cotter's Service.
    pub hooks: Vec<Hook>,
}

/// A webhook that calls cotter's Service.
#[derive(Clone, Debug)]
pub struct Hook {
    /// Its place among all webhooks of its configuration.
    pub index: usize,
    /// Its name.
    pub name: String,
    /// Its `caBundle`.
    pub bundle: Vec<u8>,
    /// Its path.
    pub path: Option<SecretPath>,
}

/// What to write.
#[derive(Debug)]
pub enum Write {
    /// The shared Secret.
    Secret(SecretWrite),
    /// Delete the shared Secret of this version.
    Delete(String),
    /// The webhooks of a configuration.
    Hooks(Of, Vec<HookWrite>),
}

/// A webhook configuration as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Of {
    /// The name of a further one; `None` for the one that the Secret goes with.
    pub further: Option<String>,
    /// [`Configuration::version`].
    pub version: String,
}

/// What the shared Secret is to hold.
pub struct SecretWrite {
    /// The version that this replaces; `None` where there is none.
    pub version: Option<String>,
    /// The uid of the webhook configuration.
    pub owner: String,
    /// What it is to hold under these keys, `None` for nothing. Other keys are left.
    pub data: BTreeMap<&'static str, Option<Zeroizing<Vec<u8>>>>,
    /// What a person wrote to ask for a rotation, now done.
    pub rotated: Option<String>,
}

/// What one webhook is to say; `None` is left as it is.
#[derive(Debug)]
pub struct HookWrite {
    /// [`Hook::index`].
    pub index: usize,
    /// Its `caBundle`.
    pub bundle: Option<String>,
    /// Its path.
    pub path: Option<SecretPath>,
}

/// Why nothing was written.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Somebody else wrote meanwhile.
    #[error("somebody else wrote meanwhile")]
    Conflict,
    /// It could not be done.
    #[error("{0}")]
    Failed(String),
}

// === impl Observed ===

impl Observed {
    /// The configurations that are there, the one that the Secret goes with first.
    pub(super) fn configurations(&self) -> impl Iterator<Item = (Option<&str>, &Configuration)> {
        let first = self.configuration.present().map(|found| (None, found));
        let further = self.further.iter();
        let further = further.filter_map(|(name, seen)| Some((Some(&**name), seen.present()?)));
        first.into_iter().chain(further)
    }
}

// === impl Seen ===

impl<T> Default for Seen<T> {
    fn default() -> Self {
        Self::Unknown(None)
    }
}

impl<T> Seen<T> {
    /// The object, if there is one.
    pub fn present(&self) -> Option<&T> {
        match self {
            Self::Present(object) => Some(object),
            _ => None,
        }
    }
}

// === impl Stored ===

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stored")
            .field("version", &self.version)
            .field("keys", &self.data.keys())
            .finish_non_exhaustive()
    }
}

// === impl SecretWrite ===

impl fmt::Debug for SecretWrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretWrite")
            .field("version", &self.version)
            .field("keys", &self.data.keys())
            .finish_non_exhaustive()
    }
}
