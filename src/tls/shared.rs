//! What all replicas share, and how the Secret holds it:
//!
//! | key | what |
//! |---|---|
//! | `ca.crt`, `ca.key` | the authority that signs |
//! | `path` | the secret part of the webhook's path |
//! | `next.crt`, `next.key`, `next.path` | what takes their place once it is known everywhere |
//! | `previous.crt` | authorities that still have leaves, each below a line `trusted until TIME` |
//! | `previous.path` | the path before, still accepted |

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use jiff::Timestamp;
use zeroize::Zeroizing;

use super::{
    authority::Authority,
    bundle::{self, Ca},
    path::SecretPath,
    ports::Stored,
};

const CERT: &str = "ca.crt";
const KEY: &str = "ca.key";
const PATH: &str = "path";
const NEXT_CERT: &str = "next.crt";
const NEXT_KEY: &str = "next.key";
const NEXT_PATH: &str = "next.path";
const PREVIOUS_CERTS: &str = "previous.crt";
const PREVIOUS_PATH: &str = "previous.path";

const UNTIL: &str = "trusted until ";

/// What callers are shown and what they have to know: an authority, and a path.
#[derive(Clone, Debug)]
pub(super) struct Generation {
    /// `None` where certificates come from files.
    pub(super) ca: Option<Arc<Authority>>,
    pub(super) path: SecretPath,
}

/// An authority that signs no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Retired {
    pub(super) ca: Ca,
    /// When no leaf of it is left, in seconds since 1970.
    pub(super) until: i64,
}

/// All that replicas share.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    pub(super) current: Generation,
    pub(super) next: Option<Generation>,
    pub(super) retired: Vec<Retired>,
    pub(super) previous_path: Option<SecretPath>,
}

/// What of it could be read.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    pub(super) ca: Option<Arc<Authority>>,
    pub(super) path: Option<SecretPath>,
    pub(super) next_ca: Option<Arc<Authority>>,
    pub(super) next_path: Option<SecretPath>,
    pub(super) retired: Vec<Retired>,
    pub(super) previous_path: Option<SecretPath>,
    /// The keys that hold what they should not.
    damaged: Vec<&'static str>,
}

// === impl Shared ===

impl Shared {
    /// Every authority of which a leaf may be served.
    pub(super) fn authorities(&self) -> Vec<Ca> {
        let generations = [Some(&self.current), self.next.as_ref()];
        let signers = generations.into_iter().flatten();
        let signers = signers.filter_map(|one| one.ca.as_ref().map(|ca| ca.der().clone()));
        let mut all: Vec<Ca> = Vec::new();
        for ca in signers.chain(self.retired.iter().map(|old| old.ca.clone())) {
            if !all.contains(&ca) {
                all.push(ca);
            }
        }
        all
    }

    /// Every path by which a caller may come.
    pub(super) fn paths(&self) -> Vec<SecretPath> {
        let next = self.next.as_ref().map(|next| &next.path);
        let all = [Some(&self.current.path), next, self.previous_path.as_ref()];
        all.into_iter().flatten().cloned().collect()
    }

    /// The contents of the Secret, every key of ours.
    pub(super) fn encode(&self) -> BTreeMap<&'static str, Option<Zeroizing<Vec<u8>>>> {
        let text = |text: &str| Some(Zeroizing::new(text.as_bytes().to_vec()));
        let cert = |ca: &Option<Arc<Authority>>| ca.as_ref().and_then(|ca| text(ca.pem()));
        let key = |ca: &Option<Arc<Authority>>| ca.as_ref().and_then(|ca| text(&ca.key_pem()));
        let path = |path: &SecretPath| text(path.token());
        let next = self.next.as_ref();
        let next_ca = next.and_then(|next| next.ca.clone());
        BTreeMap::from([
            (CERT, cert(&self.current.ca)),
            (KEY, key(&self.current.ca)),
            (PATH, path(&self.current.path)),
            (NEXT_CERT, cert(&next_ca)),
            (NEXT_KEY, key(&next_ca)),
            (NEXT_PATH, next.and_then(|next| path(&next.path))),
            (PREVIOUS_CERTS, Retired::encode(&self.retired)),
            (PREVIOUS_PATH, self.previous_path.as_ref().and_then(path)),
        ])
    }
}

// === impl Found ===

impl Found {
    /// Reads what the Secret holds.
    pub(super) fn decode(stored: &Stored) -> Self {
        let mut found = Self::default();
        let data = |key: &str| stored.data.get(key).map(|data| data.as_slice());
        found.ca = found.authority((CERT, data(CERT)), (KEY, data(KEY)));
        found.next_ca = found.authority((NEXT_CERT, data(NEXT_CERT)), (NEXT_KEY, data(NEXT_KEY)));
        found.path = found.path_of(PATH, data(PATH));
        found.next_path = found.path_of(NEXT_PATH, data(NEXT_PATH));
        found.previous_path = found.path_of(PREVIOUS_PATH, data(PREVIOUS_PATH));
        if let Some(text) = data(PREVIOUS_CERTS) {
            let old = Retired::decode(text);
            found.note(PREVIOUS_CERTS, old.is_none());
            found.retired = old.unwrap_or_default();
        }
        found
    }

    /// All of it, if nothing is missing or damaged. `own`: whether an authority must be there.
    pub(super) fn whole(&self, own: bool) -> Option<Shared> {
        if self.faults(own).is_some() {
            return None;
        }
        let next = self.next_path.clone().map(|path| Generation {
            ca: self.next_ca.clone(),
            path,
        });
        Some(Shared {
            current: Generation {
                ca: self.ca.clone(),
                path: self.path.clone()?,
            },
            next,
            retired: self.retired.clone(),
            previous_path: self.previous_path.clone(),
        })
    }

    /// What is wrong with it, a few words; never a content.
    pub(super) fn faults(&self, own: bool) -> Option<String> {
        let mut faults = self.damaged.clone();
        let mut missing = |key, missing: bool| {
            if missing && !faults.contains(&key) {
                faults.push(key);
            }
        };
        missing(CERT, own && self.ca.is_none());
        missing(PATH, self.path.is_none());
        missing(
            NEXT_CERT,
            own && self.next_path.is_some() && self.next_ca.is_none(),
        );
        missing(
            NEXT_PATH,
            own && self.next_ca.is_some() && self.next_path.is_none(),
        );
        (!faults.is_empty()).then(|| faults.join(", "))
    }

    fn authority(
        &mut self,
        cert: (&'static str, Option<&[u8]>),
        key: (&'static str, Option<&[u8]>),
    ) -> Option<Arc<Authority>> {
        if cert.1.is_none() && key.1.is_none() {
            return None;
        }
        let text =
            |data: Option<&[u8]>| data.and_then(|data| String::from_utf8(data.to_vec()).ok());
        let (pem, secret) = (text(cert.1), text(key.1).map(Zeroizing::new));
        let read = pem
            .zip(secret)
            .map(|(pem, key)| Authority::from_pem(&pem, &key));
        let authority = read.and_then(Result::ok).map(Arc::new);
        self.note(cert.0, authority.is_none());
        authority
    }

    fn path_of(&mut self, key: &'static str, data: Option<&[u8]>) -> Option<SecretPath> {
        let path = SecretPath::from_token(data?);
        self.note(key, path.is_none());
        path
    }

    fn note(&mut self, key: &'static str, damaged: bool) {
        if damaged {
            self.damaged.push(key);
        }
    }
}

// === impl Retired ===

impl Retired {
    fn encode(all: &[Self]) -> Option<Zeroizing<Vec<u8>>> {
        let mut text = String::new();
        for Self { ca, until } in all {
            let until = Timestamp::from_second(*until).unwrap_or(Timestamp::MAX);
            // Writing into a String cannot fail.
            let _ = write!(text, "{UNTIL}{until}\n{}", bundle::pem(ca));
        }
        (!text.is_empty()).then(|| Zeroizing::new(text.into_bytes()))
    }

    /// `None` if anything of it cannot be read.
    fn decode(text: &[u8]) -> Option<Vec<Self>> {
        let text = str::from_utf8(text).ok()?;
        let mut parts = text.split(UNTIL);
        if !parts.next()?.trim().is_empty() {
            return None;
        }
        parts.map(Self::one).collect()
    }

    fn one(text: &str) -> Option<Self> {
        let (until, pem) = text.split_once('\n')?;
        let until: Timestamp = until.trim().parse().ok()?;
        let mut certificates = bundle::read(pem.as_bytes());
        let ca = certificates.pop().filter(|_| certificates.is_empty())?;
        Some(Self {
            ca,
            until: until.as_second(),
        })
    }
}

#[cfg(test)]
#[path = "shared/tests.rs"]
mod tests;
