//! The key of an `auths` entry, prepared and matched as the kubelet does (`pkg/credentialprovider/keyring.go`).
//!
//! Nothing is repaired: neither case, nor default ports, nor `..`, nor a name outside ASCII, because Go's `net/url`
//! repairs none of them.

mod shell_glob;
#[cfg(test)]
mod tests;
mod url;

use std::{borrow::Cow, cmp::Ordering, fmt, sync::Arc};

use smol_str::SmolStr;

use self::url::Url;

/// A prepared key: host, port and path, and the text by which keys are sorted. Cheap to clone.
#[derive(Clone)]
pub struct RegistryKey(Arc<Prepared>);

struct Prepared {
    text: SmolStr,
    /// The text's bytes, where percent-escapes made them something else than UTF-8.
    raw: Option<Box<[u8]>>,
    /// The prepared text parsed once more; `None` where that fails, and then nothing matches.
    pattern: Option<Target<'static>>,
    /// Whether the host has nothing that a glob gives a meaning to.
    literal: bool,
}

/// A normalised repository name, parsed for matching against many keys.
#[derive(Debug)]
pub struct Target<'a> {
    host: Cow<'a, [u8]>,
    port: Cow<'a, [u8]>,
    path: Cow<'a, [u8]>,
}

// === impl RegistryKey ===

impl RegistryKey {
    /// Prepares a key; `None` where the kubelet drops the entry because its URL does not parse.
    #[must_use]
    pub fn prepare(server: &str) -> Option<Self> {
        let schemeless = server
            .strip_prefix("https://")
            .or_else(|| server.strip_prefix("http://"))
            .unwrap_or(server);
        let url = Url::parse(schemeless.as_bytes())?;
        let path = match &*url.path {
            [b'/', b'v', b'1' | b'2', rest @ ..] if rest.starts_with(b"/") => rest,
            path => path,
        };
        let mut key = url.host.into_owned();
        if path != b"/" {
            key.extend_from_slice(path);
        }
        Some(Self(Arc::new(Prepared::new(key))))
    }

    /// The prepared text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// The prepared text's bytes, by which a keyring is sorted.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.raw.as_deref().unwrap_or(self.0.text.as_bytes())
    }

    /// Whether this key matches the normalised repository name `lookup_name`.
    #[must_use]
    pub fn matches(&self, lookup_name: &str) -> bool {
        Target::parse(lookup_name).is_some_and(|target| self.matches_target(&target))
    }

    /// As [`RegistryKey::matches`]: equal ports, as many labels, each label a shell glob, and the key's path a plain
    /// prefix of the target's, which need not end at a slash.
    #[must_use]
    pub fn matches_target(&self, target: &Target<'_>) -> bool {
        let Some(pattern) = &self.0.pattern else {
            return false;
        };
        if self.0.literal && !same(&pattern.host, &target.host) {
            return false;
        }
        let below = pattern.path.is_empty() || target.path.starts_with(&pattern.path);
        if !below || !same(&pattern.port, &target.port) {
            return false;
        }
        if self.0.literal {
            return true;
        }
        let labels = |host: &Target<'_>| host.labels().count();
        labels(pattern) == labels(target)
            && pattern
                .labels()
                .zip(target.labels())
                .all(|(pattern, label)| shell_glob::matches(pattern, label))
    }
}

/// Equality that asks `memcmp` nothing of empty slices: their pointers dangle, and its masked loads then take 100 ns
/// and more (measured with glibc on AVX-512).
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && (a.is_empty() || a == b)
}

impl PartialEq for RegistryKey {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for RegistryKey {}

impl PartialOrd for RegistryKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for RegistryKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl fmt::Debug for RegistryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

// === impl Prepared ===

impl Prepared {
    fn new(key: Vec<u8>) -> Self {
        let pattern = Target::from_bytes(&key).map(Target::into_owned);
        let is_special = |b: &u8| matches!(b, b'*' | b'?' | b'[' | b'\\');
        let literal = pattern
            .as_ref()
            .is_some_and(|p| !p.host.iter().any(is_special));
        let text = String::from_utf8_lossy(&key).into();
        let raw = std::str::from_utf8(&key).is_err();
        Self {
            text,
            raw: raw.then(|| key.into_boxed_slice()),
            pattern,
            literal,
        }
    }
}

// === impl Target ===

impl<'a> Target<'a> {
    /// Parses `docker.io/library/nginx`; `None` where Go finds no URL in it, and then no key matches it.
    #[must_use]
    pub fn parse(lookup_name: &'a str) -> Option<Self> {
        Self::from_bytes(lookup_name.as_bytes())
    }

    fn from_bytes(schemeless: &'a [u8]) -> Option<Self> {
        let Url { host, path } = Url::parse(schemeless)?;
        let (host, port) = match host {
            Cow::Borrowed(authority) => {
                let (host, port) = url::split_host_port(authority);
                (Cow::Borrowed(host), Cow::Borrowed(port))
            }
            Cow::Owned(authority) => {
                let (host, port) = url::split_host_port(&authority);
                (Cow::Owned(host.to_vec()), Cow::Owned(port.to_vec()))
            }
        };
        Some(Self { host, port, path })
    }

    fn into_owned(self) -> Target<'static> {
        Target {
            host: Cow::Owned(self.host.into_owned()),
            port: Cow::Owned(self.port.into_owned()),
            path: Cow::Owned(self.path.into_owned()),
        }
    }

    fn labels(&self) -> impl Iterator<Item = &[u8]> {
        self.host.split(|b| *b == b'.')
    }
}
