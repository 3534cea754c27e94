//! Image references: the kubelet's grammar, and cotter's canonical form of what people write.
//!
//! [`Reference::parse`] accepts what the kubelet 1.36 accepts: `ParseNormalizedNamed` of
//! `github.com/distribution/reference` v0.6.0 with the digests of go-digest v1.0.0. It does not repair anything;
//! [`canonicalise`] does.

mod canonical;
mod grammar;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, fmt};

use smol_str::SmolStr;

pub use self::canonical::{Canonical, canonicalise};
use self::grammar::Parts;
pub use self::grammar::is_tag;
use super::digest::{Digest, DigestError};

/// The host that a reference without one means.
pub const HUB: &str = "docker.io";
/// The tag that a reference without tag and digest means.
pub const DEFAULT_TAG: &str = "latest";

/// Docker Hub's older name; normalised to [`HUB`].
const LEGACY_HUB: &str = "index.docker.io";
/// Where a Hub repository of one component lives.
const LIBRARY: &str = "library/";
/// The longest path in bytes; distribution/reference v0.6.0 counts no host.
const MAX_PATH: usize = 255;

/// A parsed reference in its normalised form.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    /// `[domain/]path[:tag][@digest]`.
    text: SmolStr,
    domain_len: usize,
    name_len: usize,
    tag_len: usize,
    digest: Option<Digest>,
}

/// Why a text is no reference. The texts are those of the kubelet's event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// It does not follow the grammar.
    #[error("invalid reference format")]
    Format,
    /// The repository has upper-case letters.
    #[error("invalid reference format: repository name ({0}) must be lowercase")]
    UpperCase(String),
    /// It would follow the grammar if all its letters were in lower case.
    #[error("repository name must be lowercase")]
    UpperCaseElsewhere,
    /// 64 hex figures alone would be taken for an image ID.
    #[error("invalid repository name ({0}), cannot specify 64-byte hexadecimal strings")]
    Identifier(String),
    /// The path has more than 255 bytes.
    #[error("repository name must not be more than {MAX_PATH} characters")]
    TooLong,
    /// What follows the `@` has the shape of a digest, but is none.
    #[error(transparent)]
    Digest(#[from] DigestError),
}

/// Where the domain of a text stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Host {
    Written,
    Legacy,
    Implied,
}

/// A text cut where its domain ends; nothing is checked yet.
struct Cut<'a> {
    host: Host,
    domain: &'a str,
    /// Whether `library/` belongs in front of the remainder.
    library: bool,
    remainder: &'a str,
}

// === impl Reference ===

impl Reference {
    /// Parses and normalises `text`.
    ///
    /// # Errors
    /// [`ReferenceError`] where the kubelet would set `InvalidImageName`.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        Self::from_cut(text, &Cut::of(text), || SmolStr::new(text))
    }

    /// `own` gives `text` itself, for references that are normalised already.
    fn from_cut(
        text: &str,
        cut: &Cut<'_>,
        own: impl FnOnce() -> SmolStr,
    ) -> Result<Self, ReferenceError> {
        if grammar::is_identifier(text) {
            return Err(ReferenceError::Identifier(text.to_owned()));
        }
        cut.refuse_upper_case()?;
        let Some(parts) = Parts::of(cut.domain, cut.remainder) else {
            return Err(cut.why_not());
        };
        let library_len = if cut.library { LIBRARY.len() } else { 0 };
        let name_len = cut.domain.len() + 1 + library_len + parts.path.len();
        let (domain_len, path_len) = if parts.has_domain {
            (cut.domain.len(), name_len - cut.domain.len() - 1)
        } else {
            (0, name_len)
        };
        if path_len > MAX_PATH {
            return Err(ReferenceError::TooLong);
        }
        let text = if cut.host == Host::Written && !cut.library {
            own()
        } else {
            let library = if cut.library { LIBRARY } else { "" };
            let mut full = String::with_capacity(name_len + cut.remainder.len());
            for part in [cut.domain, "/", library, cut.remainder] {
                full.push_str(part);
            }
            full.into()
        };
        Ok(Self {
            text,
            domain_len,
            name_len,
            tag_len: parts.tag.map_or(0, str::len),
            digest: parts.digest.map(Digest::parse).transpose()?,
        })
    }

    /// The host with its port, in the spelling of the text; `docker.io` where none is written. Empty where the
    /// first component looks like a host but has an underscore, as distribution/reference leaves it.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.text.get(..self.domain_len).unwrap_or_default()
    }

    /// What follows the domain, `library/nginx` for `nginx`.
    #[must_use]
    pub fn path(&self) -> &str {
        let start = if self.domain_len == 0 {
            0
        } else {
            self.domain_len + 1
        };
        self.text.get(start..self.name_len).unwrap_or_default()
    }

    /// The host and the repository that a runtime asks: domain and path, and where the domain is empty, the first
    /// component and the rest, because runtimes and the kubelet's keyring cut at the first slash.
    #[must_use]
    pub fn endpoint(&self) -> (&str, &str) {
        let name = self.lookup_name();
        name.split_once('/').unwrap_or((HUB, name))
    }

    /// The tag, if one is written.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        let start = self.name_len + 1;
        let tag = self.text.get(start..start + self.tag_len)?;
        (!tag.is_empty()).then_some(tag)
    }

    /// The tag, or `latest` where neither tag nor digest is written.
    #[must_use]
    pub fn tag_or_default(&self) -> Option<&str> {
        match (self.tag(), &self.digest) {
            (None, None) => Some(DEFAULT_TAG),
            (tag, _) => tag,
        }
    }

    /// The digest, if one is written.
    #[must_use]
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The normalised text, `docker.io/library/nginx` for `nginx`. No tag is added.
    #[must_use]
    pub fn canonical_text(&self) -> &str {
        &self.text
    }

    /// The normalised text with `:latest` where neither tag nor digest is written (`TagNameOnly`).
    #[must_use]
    pub fn tagged_text(&self) -> Cow<'_, str> {
        self.with_default_tag(&self.text)
    }

    /// The short form that people know, `nginx` for `docker.io/library/nginx`.
    #[must_use]
    pub fn familiar(&self) -> &str {
        let Some(short) = self
            .text
            .strip_prefix("docker.io/")
            .filter(|_| self.domain() == HUB)
        else {
            return &self.text;
        };
        match self.path().strip_prefix(LIBRARY) {
            Some(name) if !name.contains('/') => short.strip_prefix(LIBRARY).unwrap_or(short),
            _ => short,
        }
    }

    /// Domain and path: what the kubelet looks up in its keyring.
    #[must_use]
    pub fn lookup_name(&self) -> &str {
        self.text.get(..self.name_len).unwrap_or_default()
    }

    /// What the kubelet hands to the container runtime for `written`, the text that this reference was parsed from.
    #[must_use]
    pub fn cri_image<'a>(&self, written: &'a str) -> Cow<'a, str> {
        self.with_default_tag(written)
    }

    /// The `imagePullPolicy` that the API server writes where none is given: `Always` for `latest`, also with a
    /// digest, else `IfNotPresent`.
    #[must_use]
    pub fn default_pull_policy(&self) -> &'static str {
        if self.tag_or_default() == Some(DEFAULT_TAG) {
            "Always"
        } else {
            "IfNotPresent"
        }
    }

    fn with_default_tag<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.tag_len == 0 && self.digest.is_none() {
            Cow::Owned(format!("{text}:{DEFAULT_TAG}"))
        } else {
            Cow::Borrowed(text)
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)
    }
}

// === impl Cut ===

impl<'a> Cut<'a> {
    /// `splitDockerDomain`: the first component is a host if it has a `.` or `:`, is `localhost`, or has an
    /// upper-case letter.
    fn of(text: &'a str) -> Self {
        let (host, domain, remainder) = match text.split_once('/') {
            Some((LEGACY_HUB, rest)) => (Host::Legacy, HUB, rest),
            Some((first, rest)) if grammar::is_host_like(first) => (Host::Written, first, rest),
            _ => (Host::Implied, HUB, text),
        };
        let library = domain == HUB && !remainder.contains('/');
        Self {
            host,
            domain,
            library,
            remainder,
        }
    }

    fn refuse_upper_case(&self) -> Result<(), ReferenceError> {
        let remote = self.remainder.split(':').next().unwrap_or_default();
        if grammar::is_lower_case(remote) {
            return Ok(());
        }
        let library = if self.library { LIBRARY } else { "" };
        Err(ReferenceError::UpperCase(format!("{library}{remote}")))
    }

    /// Go tries the grammar again on the text in lower case, and two letters outside ASCII have an ASCII lower case.
    fn why_not(&self) -> ReferenceError {
        let lower = |text: &str| {
            text.to_ascii_lowercase()
                .replace('\u{212a}', "k")
                .replace('\u{130}', "i")
        };
        match Parts::of(&lower(self.domain), &lower(self.remainder)) {
            Some(_) => ReferenceError::UpperCaseElsewhere,
            None => ReferenceError::Format,
        }
    }
}
