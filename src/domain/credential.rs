//! A registry user and password, and the fingerprint that keeps caches of different credentials apart.

use std::fmt;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// A user and a password as the kubelet would send them. Bytes, because Go's strings need not be UTF-8.
///
/// Both may be empty: an `auths` entry without usable members matches and makes the kubelet pull anonymously.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    username: Zeroizing<Box<[u8]>>,
    password: Zeroizing<Box<[u8]>>,
    fingerprint: Fingerprint,
}

/// A digest of a credential, or of an identity; equal fingerprints mean that both may read the same. Safe to keep in cache
/// keys and logs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 16]);

// === impl Credential ===

impl Credential {
    /// A credential of this user and password.
    #[must_use]
    pub fn new(username: impl Into<Vec<u8>>, password: impl Into<Vec<u8>>) -> Self {
        let (username, password) = (username.into(), password.into());
        let mut hash = Sha256::new();
        hash.update((username.len() as u64).to_be_bytes());
        hash.update(&username);
        hash.update(&password);
        let fingerprint = Fingerprint::of(hash);
        Self {
            username: Zeroizing::new(username.into_boxed_slice()),
            password: Zeroizing::new(password.into_boxed_slice()),
            fingerprint,
        }
    }

    /// The login that `identity` has now. It gets another password now and then and may read the same with each, so they
    /// all share one fingerprint, which no other credential has.
    #[must_use]
    pub fn of_identity(
        identity: Fingerprint,
        username: impl Into<Vec<u8>>,
        password: impl Into<Vec<u8>>,
    ) -> Self {
        Self {
            fingerprint: identity,
            ..Self::new(username, password)
        }
    }

    /// The user's name.
    #[must_use]
    pub fn username(&self) -> &[u8] {
        &self.username
    }

    /// The password. Never log it, never put it into an error.
    #[must_use]
    pub fn password(&self) -> &[u8] {
        &self.password
    }

    /// Neither a user nor a password: such a match is pulled anonymously.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.username.is_empty() && self.password.is_empty()
    }

    /// What tells this credential from every other one in a cache key.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        if self.is_empty() {
            Fingerprint::ANONYMOUS
        } else {
            self.fingerprint
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("username", &"…")
            .field("password", &"…")
            .finish()
    }
}

// === impl Fingerprint ===

impl Fingerprint {
    /// The fingerprint of no credential at all.
    pub const ANONYMOUS: Self = Self([0; 16]);

    /// The fingerprint of cotter's own identity at the registry `host`.
    #[must_use]
    pub fn of_own_identity(host: &str) -> Self {
        let mut hash = Sha256::new();
        // In the place of a user's length: no user is as long.
        hash.update(u64::MAX.to_be_bytes());
        hash.update(host);
        Self::of(hash)
    }

    fn of(hash: Sha256) -> Self {
        let mut short = [0; 16];
        for (to, from) in short.iter_mut().zip(hash.finalize()) {
            *to = from;
        }
        Self(short)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0.iter().take(4) {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_neither_user_nor_password() {
        let shown = format!("{:?}", Credential::new("alice", "s3cret"));
        assert!(
            !shown.contains("alice") && !shown.contains("s3cret"),
            "{shown}"
        );
    }

    #[test]
    fn fingerprints_tell_the_split_between_user_and_password() {
        let one = Credential::new("ab", "c").fingerprint();
        let other = Credential::new("a", "bc").fingerprint();
        assert_ne!(one, other);
    }

    #[test]
    fn an_identity_keeps_its_fingerprint_and_shares_it_with_nobody() {
        let own = Fingerprint::of_own_identity("gcr.io");
        let login = |password: &str| Credential::of_identity(own, "user", password);
        assert_eq!(login("old").fingerprint(), login("new").fingerprint());
        assert_ne!(own, Fingerprint::of_own_identity("eu.gcr.io"));
        assert_ne!(own, Credential::new("", "gcr.io").fingerprint());
    }

    #[test]
    fn an_empty_credential_is_the_anonymous_one() {
        assert_eq!(
            Credential::new("", "").fingerprint(),
            Fingerprint::ANONYMOUS
        );
    }
}
