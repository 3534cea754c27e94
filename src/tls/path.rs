//! The webhook's path, which only the API server is to know: who knows it is taken for the API server.

use std::fmt;

use rustls::crypto::SecureRandom;
use zeroize::Zeroizing;

use super::resolver;

const PREFIX: &str = "/mutate/";

/// RFC 4648's, in lower case, as the API server wants the segments of a Service's path.
const BASE32: [char; 32] = [
    'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's',
    't', 'u', 'v', 'w', 'x', 'y', 'z', '2', '3', '4', '5', '6', '7',
];

/// Characters of 5 random bits each, 260 in all: more than the 256 of a strong key.
const LENGTH: usize = 52;

/// A path that is a secret. Shown by nothing but [`SecretPath::expose`].
#[derive(Clone, PartialEq, Eq)]
pub struct SecretPath(Zeroizing<String>);

// === impl SecretPath ===

impl SecretPath {
    /// A path that nobody can guess; `None` if the system has no random numbers.
    #[must_use]
    pub fn make() -> Option<Self> {
        let mut random = Zeroizing::new([0_u8; LENGTH]);
        random_numbers().fill(&mut *random).ok()?;
        let text = random
            .iter()
            .filter_map(|byte| BASE32.get(usize::from(byte % 32)));
        let mut path = Zeroizing::new(String::with_capacity(PREFIX.len() + LENGTH));
        path.push_str(PREFIX);
        path.extend(text);
        Some(Self(path))
    }

    /// A path as [`SecretPath::token`] gave it; `None` if it is none.
    #[must_use]
    pub fn from_token(token: &[u8]) -> Option<Self> {
        let token = str::from_utf8(token).ok()?;
        let whole = token.len() == LENGTH && token.chars().all(|c| BASE32.contains(&c));
        whole.then(|| Self(Zeroizing::new(format!("{PREFIX}{token}"))))
    }

    /// Whatever somebody wrote where the path belongs.
    #[must_use]
    pub fn written(path: &str) -> Self {
        Self(Zeroizing::new(path.to_owned()))
    }

    /// The secret part of it.
    #[must_use]
    pub fn token(&self) -> &str {
        self.0.strip_prefix(PREFIX).unwrap_or(&self.0)
    }

    /// The whole path.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

fn random_numbers() -> &'static dyn SecureRandom {
    resolver::provider().secure_random
}

impl fmt::Debug for SecretPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretPath")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_52_characters_of_lower_case_base32_and_no_two_are_the_same() {
        let (one, other) = (SecretPath::make().unwrap(), SecretPath::make().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.token().len(), 52);
        assert_eq!(one.expose(), format!("/mutate/{}", one.token()));
        assert_eq!(SecretPath::from_token(one.token().as_bytes()), Some(one));
    }

    #[test]
    fn what_is_no_path_is_refused() {
        let good = "a".repeat(52);
        assert!(SecretPath::from_token(good.as_bytes()).is_some());
        for bad in [
            "",
            "a",
            &"a".repeat(53),
            &"A".repeat(52),
            &"1".repeat(52),
            &"/".repeat(52),
        ] {
            assert!(SecretPath::from_token(bad.as_bytes()).is_none(), "{bad}");
        }
        assert!(SecretPath::from_token(&[0xff; 52]).is_none());
    }

    #[test]
    fn it_is_not_shown() {
        let path = SecretPath::make().unwrap();
        assert!(!format!("{path:?}").contains(path.token()));
    }
}
