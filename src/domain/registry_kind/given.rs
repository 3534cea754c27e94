//! A credential as it came out of its Secret.

use std::fmt;

use jiff::Timestamp;
use zeroize::Zeroizing;

use super::{Place, secret::Keys};
use crate::domain::{credential::Credential, expiry, registry_key::RegistryKey, registry_type};

/// A credential. Its `Debug` shows only which of these it is.
#[derive(Clone, PartialEq, Eq)]
pub enum Given {
    /// A user and a password, as they are to stand in a pull secret.
    Login {
        /// The user's name; without a colon.
        username: Zeroizing<String>,
        /// The password or token; it need not be UTF-8.
        password: Zeroizing<Vec<u8>>,
    },
    /// What AWS makes ECR's passwords for.
    AwsKeys {
        /// The id of the key.
        access_key_id: Zeroizing<String>,
        /// The key.
        secret_access_key: Zeroizing<String>,
        /// What a temporary key comes with.
        session_token: Option<Zeroizing<String>>,
    },
    /// The AWS identity that cotter itself runs with.
    AmbientAws,
    /// None: the registry is asked anonymously.
    Nobody,
}

/// A login out of two keys of a Secret, the second a token that is text.
pub(super) fn token_login(
    keys: &mut Keys<'_>,
    user: &'static str,
    token: &'static str,
) -> Option<Given> {
    let (user, token) = (keys.text(user), keys.text(token));
    Some(login(user?, token?.as_bytes()))
}

/// A login out of the keys `username` and `password`.
pub(super) fn password_login(keys: &mut Keys<'_>) -> Option<Given> {
    let (user, password) = (keys.text("username"), keys.bytes("password"));
    let password = password?;
    if std::str::from_utf8(password).is_err() {
        let text =
            "not UTF-8: few registries take such a password (Windows may have made UTF-16 of it)";
        keys.hint("password", text);
    }
    Some(login(user?, password))
}

pub(super) fn login(username: &str, password: &[u8]) -> Given {
    Given::Login {
        username: Zeroizing::new(username.to_owned()),
        password: Zeroizing::new(password.to_vec()),
    }
}

// === impl Given ===

impl Given {
    /// When it ends, where it says so itself or its kind is known to live for so long from the moment it was `written`.
    /// `None` where nothing says that it does, and for what is no login.
    #[must_use]
    pub fn expires(&self, place: &Place, written: Option<Timestamp>) -> Option<Timestamp> {
        let Self::Login { username, password } = self else {
            return None;
        };
        let key = RegistryKey::prepare(&place.key)?;
        let credential = Credential::new(username.as_bytes(), password.as_slice());
        expiry::expiry(&key, &credential, written).map(|expiry| expiry.at)
    }

    /// The login, for `server`.
    pub(super) fn login<'a>(&'a self, server: &'a str) -> Option<registry_type::Login<'a>> {
        let Self::Login { username, password } = self else {
            return None;
        };
        Some(registry_type::Login {
            server,
            username,
            password,
        })
    }
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Login { .. } => "Login(…)",
            Self::AwsKeys { .. } => "AwsKeys(…)",
            Self::AmbientAws => "AmbientAws",
            Self::Nobody => "Nobody",
        })
    }
}
