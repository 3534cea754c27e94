//! The grammar of distribution/reference v0.6.0 (`regexp.go`) as byte scanners.

/// A reference behind its domain, checked.
pub(super) struct Parts<'a> {
    /// Whether the domain is one; otherwise it belongs to the path.
    pub(super) has_domain: bool,
    pub(super) path: &'a str,
    pub(super) tag: Option<&'a str>,
    /// Of a digest's shape, but of any algorithm.
    pub(super) digest: Option<&'a str>,
}

impl<'a> Parts<'a> {
    /// Checks `domain/remainder` against the whole grammar.
    pub(super) fn of(domain: &str, remainder: &'a str) -> Option<Self> {
        let (named, digest) = cut(remainder, '@');
        let (path, tag) = cut(named, ':');
        let has_domain = is_domain(domain);
        let fits = (has_domain || is_path(domain))
            && is_path(path)
            && tag.is_none_or(is_tag)
            && digest.is_none_or(is_digest);
        fits.then_some(Self {
            has_domain,
            path,
            tag,
            digest,
        })
    }
}

/// 64 lower-case hex figures.
pub(super) fn is_identifier(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// Whether `first`, a component that a slash follows, stands for a host and not for a Hub user.
pub(super) fn is_host_like(first: &str) -> bool {
    first == "localhost" || first.bytes().any(|b| b == b'.' || b == b':') || !is_lower_case(first)
}

/// Whether lower-casing leaves `text` as it is.
pub(super) fn is_lower_case(text: &str) -> bool {
    if text.is_ascii() {
        return !text.bytes().any(|b| b.is_ascii_uppercase());
    }
    text.chars().all(|c| c.to_lowercase().eq([c]))
}

fn cut(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

/// Labels joined by dots, or an IPv6 address in brackets; then perhaps a port.
fn is_domain(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, "")) => (address, None),
            Some((address, rest)) => match rest.strip_prefix(':') {
                Some(port) => (address, Some(port)),
                None => return false,
            },
            None => return false,
        },
        None => cut(text, ':'),
    };
    let good_host = if text.starts_with('[') {
        !host.is_empty() && host.bytes().all(|b| b.is_ascii_hexdigit() || b == b':')
    } else {
        are_labels(host)
    };
    good_host
        && port.is_none_or(|port| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()))
}

/// `[a-zA-Z0-9]` at both ends of every label, dashes within.
fn are_labels(text: &str) -> bool {
    let mut before = b'.';
    for b in text.bytes() {
        let fits = match b {
            b'.' => before != b'.' && before != b'-',
            b'-' => before != b'.',
            _ => b.is_ascii_alphanumeric(),
        };
        if !fits {
            return false;
        }
        before = b;
    }
    before != b'.' && before != b'-'
}

/// Components joined by slashes: `[a-z0-9]+` joined by one dot, one or two underscores, or dashes.
fn is_path(text: &str) -> bool {
    #[derive(Clone, Copy, PartialEq)]
    enum Last {
        Start,
        Alphanumeric,
        Underscore,
        Dash,
        Closed,
    }
    let mut last = Last::Start;
    for b in text.bytes() {
        last = match (b, last) {
            (b'a'..=b'z' | b'0'..=b'9', _) => Last::Alphanumeric,
            (b'/', Last::Alphanumeric) => Last::Start,
            (b'_', Last::Alphanumeric) => Last::Underscore,
            (b'-', Last::Alphanumeric | Last::Dash) => Last::Dash,
            (b'.', Last::Alphanumeric) | (b'_', Last::Underscore) => Last::Closed,
            _ => return false,
        };
    }
    last == Last::Alphanumeric
}

/// Whether `text` is a tag: a word character, then up to 127 of them, dots and dashes.
#[must_use]
pub fn is_tag(text: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    text.len() <= 128
        && text.bytes().next().is_some_and(is_word)
        && text.bytes().all(|b| is_word(b) || b == b'.' || b == b'-')
}

/// `algorithm:hex` with at least 32 figures, in any case.
fn is_digest(text: &str) -> bool {
    let Some((algorithm, hex)) = text.split_once(':') else {
        return false;
    };
    let is_name = |name: &str| {
        name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
            && name.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    algorithm.split(['-', '_', '+', '.']).all(is_name)
        && hex.len() >= 32
        && hex.bytes().all(|b| b.is_ascii_hexdigit())
}
