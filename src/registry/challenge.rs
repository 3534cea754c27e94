//! `WWW-Authenticate`, read as containerd reads it (`core/remotes/docker/auth/parse.go`), quirks included: the node
//! pulls with that parser, so what it cannot read is no challenge here either.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderValue, header::WWW_AUTHENTICATE};

/// One way a registry offers to be authorised. A later scheme in this order is preferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scheme {
    /// A user and a password with every request.
    Basic,
    /// RFC 7616; recognised, never answered.
    Digest,
    /// A token from the realm.
    Bearer,
}

/// One challenge: its scheme and parameters, whose names are in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Challenge {
    pub(super) scheme: Scheme,
    pub(super) params: BTreeMap<String, String>,
}

/// The challenges of all `WWW-Authenticate` lines, one per line, the preferred scheme first.
pub(super) fn challenges(headers: &HeaderMap) -> Vec<Challenge> {
    let lines = headers.get_all(WWW_AUTHENTICATE).into_iter();
    sorted(lines.map(HeaderValue::as_bytes))
}

fn sorted<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Vec<Challenge> {
    let mut found: Vec<_> = lines.filter_map(challenge).collect();
    found.sort_by_key(|challenge| std::cmp::Reverse(challenge.scheme));
    found
}

fn challenge(line: &[u8]) -> Option<Challenge> {
    let mut rest = Rest(line);
    let scheme = match rest.token().to_ascii_lowercase().as_slice() {
        b"basic" => Scheme::Basic,
        b"digest" => Scheme::Digest,
        b"bearer" => Scheme::Bearer,
        _ => return None,
    };
    let mut params = BTreeMap::new();
    loop {
        rest.skip_space();
        let name = rest.token().to_ascii_lowercase();
        if name.is_empty() || !rest.eat(b'=') {
            break;
        }
        let value = rest.token_or_quoted();
        params.insert(text(&name), text(&value));
        rest.skip_space();
        if !rest.eat(b',') {
            break;
        }
    }
    Some(Challenge { scheme, params })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What is left of a line.
struct Rest<'a>(&'a [u8]);

// === impl Rest ===

impl<'a> Rest<'a> {
    fn skip_space(&mut self) {
        self.0 = self.0.trim_ascii_start();
    }

    fn eat(&mut self, byte: u8) -> bool {
        let rest = self.0.strip_prefix(&[byte]);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn token(&mut self) -> &'a [u8] {
        let end = self.0.iter().position(|byte| !is_token(*byte));
        let (token, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest;
        token
    }

    /// A quoted string that never ends is empty and takes the rest of the line with it.
    fn token_or_quoted(&mut self) -> Vec<u8> {
        if !self.eat(b'"') {
            return self.token().to_vec();
        }
        let (mut value, mut escaped) = (Vec::new(), false);
        while let Some((&byte, rest)) = self.0.split_first() {
            self.0 = rest;
            match byte {
                _ if escaped => {
                    escaped = false;
                    value.push(byte);
                }
                b'\\' => escaped = true,
                b'"' => return value,
                _ => value.push(byte),
            }
        }
        Vec::new()
    }
}

/// RFC 2616 section 2.2: any ASCII character except controls and separators.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\"(),/:;<=>?@[]\\{}".contains(&byte)
}

#[cfg(test)]
mod tests;
