//! Content digests: `algorithm:hex`, as go-digest v1.0.0 checks them.

use std::{borrow::Borrow, fmt};

use sha2::{Digest as _, Sha256};
use smol_str::SmolStr;

/// A checked digest: sha256, sha384 or sha512 and as many lower-case hex figures as that algorithm has.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(SmolStr);

/// Why a text is no digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// Not `algorithm:hex`.
    #[error("invalid checksum digest format")]
    Format,
    /// The hex part has the wrong length for its algorithm.
    #[error("invalid checksum digest length")]
    Length,
    /// An algorithm other than sha256, sha384 and sha512.
    #[error("unsupported digest algorithm")]
    Algorithm,
}

impl Digest {
    /// Checks `text`.
    ///
    /// # Errors
    /// [`DigestError`] says which rule it breaks.
    pub fn parse(text: &str) -> Result<Self, DigestError> {
        let (algorithm, hex) = text.split_once(':').ok_or(DigestError::Format)?;
        let length = match algorithm {
            "sha256" => 64,
            "sha384" => 96,
            "sha512" => 128,
            _ => return Err(why_not(algorithm, hex)),
        };
        if hex.is_empty() {
            return Err(DigestError::Format);
        }
        if hex.len() != length {
            return Err(DigestError::Length);
        }
        let is_lower_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if !hex.bytes().all(is_lower_hex) {
            return Err(DigestError::Format);
        }
        Ok(Self(SmolStr::new(text)))
    }

    /// Checks a digest that a registry names; only sha256 is taken from there.
    ///
    /// # Errors
    /// As [`Digest::parse`], and [`DigestError::Algorithm`] for the longer algorithms.
    pub fn parse_sha256(text: &str) -> Result<Self, DigestError> {
        if text.starts_with("sha256:") {
            Self::parse(text)
        } else {
            Err(DigestError::Algorithm)
        }
    }

    /// The sha256 digest of `content`.
    #[must_use]
    pub fn of(content: &[u8]) -> Self {
        use fmt::Write as _;
        let mut text = String::with_capacity(71);
        text.push_str("sha256:");
        for byte in Sha256::digest(content) {
            let _ = write!(text, "{byte:02x}");
        }
        Self(SmolStr::new(text))
    }

    /// `algorithm:hex`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first 12 hex figures behind the algorithm, as people are shown it: `sha256:4f0c2f1a9b3e`.
    #[must_use]
    pub fn short(&self) -> &str {
        let colon = self.0.find(':').unwrap_or_default();
        self.0.get(..colon + 13).unwrap_or(&self.0)
    }
}

/// go-digest's `DigestRegexp` decides whether a digest of no known algorithm at least has the form of one.
fn why_not(algorithm: &str, encoded: &str) -> DigestError {
    let is_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let named = algorithm
        .split(['.', '+', '_', '-'])
        .all(|part| !part.is_empty() && part.bytes().all(is_name));
    let is_encoded = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'=' | b'_' | b'-');
    if named && !encoded.is_empty() && encoded.bytes().all(is_encoded) {
        DigestError::Algorithm
    } else {
        DigestError::Format
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for Digest {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    #[rstest]
    #[case::sha256(format!("sha256:{A}"), Ok(()))]
    #[case::sha512(format!("sha512:{A}{A}"), Ok(()))]
    #[case::upper_case_hex(format!("sha256:{}", A.to_uppercase()), Err(DigestError::Format))]
    #[case::too_short("sha256:abc".to_owned(), Err(DigestError::Length))]
    #[case::no_colon(A.to_owned(), Err(DigestError::Format))]
    #[case::unknown_algorithm(format!("md5:{A}"), Err(DigestError::Algorithm))]
    #[case::upper_case_algorithm(format!("SHA256:{A}"), Err(DigestError::Format))]
    #[case::nothing_behind_the_colon("sha256:".to_owned(), Err(DigestError::Format))]
    #[case::nothing_before_the_colon(format!(":{A}"), Err(DigestError::Format))]
    fn parses(#[case] text: String, #[case] expected: Result<(), DigestError>) {
        assert_eq!(Digest::parse(&text).map(|_| ()), expected);
    }

    #[test]
    fn hashes_content() {
        let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Digest::of(b"").as_str(), empty);
        assert_eq!(Digest::of(b"").short(), "sha256:e3b0c44298fc");
    }
}
