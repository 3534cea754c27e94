//! As much of Go 1.26's `net/url` and `net.SplitHostPort` as decides about a registry key.

use std::{borrow::Cow, net::Ipv6Addr};

/// Host and path of an `https` URL.
pub(super) struct Url<'a> {
    /// With its port.
    pub(super) host: Cow<'a, [u8]>,
    /// Empty, or from the slash on.
    pub(super) path: Cow<'a, [u8]>,
}

/// Where a text stands, which decides what may be in it and what may be escaped.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Host,
    Zone,
    Elsewhere,
}

impl<'a> Url<'a> {
    /// Parses what follows `https://`; `None` where `url.Parse` fails.
    pub(super) fn parse(text: &'a [u8]) -> Option<Self> {
        let (text, fragment) = cut(text, b'#');
        if text.iter().any(u8::is_ascii_control) {
            return None;
        }
        let (text, _query) = cut(text, b'?');
        let slash = text.iter().position(|b| *b == b'/').unwrap_or(text.len());
        let (authority, path) = text.split_at_checked(slash)?;
        let url = Self {
            host: host(authority)?,
            path: unescape(path, Place::Elsewhere)?,
        };
        unescape(fragment, Place::Elsewhere)?;
        Some(url)
    }
}

/// Host and port of an authority; the whole of it and no port where `net.SplitHostPort` fails.
pub(super) fn split_host_port(authority: &[u8]) -> (&[u8], &[u8]) {
    split(authority).unwrap_or((authority, &[]))
}

fn split(authority: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = authority.iter().rposition(|b| *b == b':')?;
    let (host, port) = (authority.get(..colon)?, authority.get(colon + 1..)?);
    let none_of = |text: &[u8], unwanted: &[u8]| !text.iter().any(|b| unwanted.contains(b));
    let host = match host.strip_prefix(b"[") {
        Some(host) => host
            .strip_suffix(b"]")
            .filter(|host| none_of(host, b"[]"))?,
        None => Some(host).filter(|host| none_of(host, b":[]"))?,
    };
    none_of(port, b"[]").then_some((host, port))
}

/// `parseAuthority`: what stands in front of the last `@` is dropped, but has to be well formed.
fn host(authority: &[u8]) -> Option<Cow<'_, [u8]>> {
    let Some(at) = authority.iter().rposition(|b| *b == b'@') else {
        return parse_host(authority);
    };
    let (userinfo, host) = (authority.get(..at)?, authority.get(at + 1..)?);
    let allowed = |b: &u8| b.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(b);
    if !userinfo.iter().all(allowed) {
        return None;
    }
    let (user, password) = cut(userinfo, b':');
    unescape(user, Place::Elsewhere)?;
    unescape(password, Place::Elsewhere)?;
    parse_host(host)
}

/// `parseHost`, with the strict colons that Go 1.26 has by default.
fn parse_host(host: &[u8]) -> Option<Cow<'_, [u8]>> {
    match host.iter().rposition(|b| *b == b'[') {
        Some(0) => parse_ip_literal(host),
        Some(_) => None,
        None => {
            let colon = host.iter().position(|b| *b == b':').unwrap_or(host.len());
            if !is_optional_port(host.get(colon..)?) {
                return None;
            }
            unescape(host, Place::Host)
        }
    }
}

/// `[IPv6]`, perhaps with a zone behind `%25`, perhaps with a port.
fn parse_ip_literal(host: &[u8]) -> Option<Cow<'_, [u8]>> {
    let close = host.iter().rposition(|b| *b == b']')?;
    let (literal, port) = (host.get(1..close)?, host.get(close + 1..)?);
    if !is_optional_port(port) {
        return None;
    }
    let zone = literal.windows(3).position(|w| w == b"%25");
    let (address, zone) = literal.split_at_checked(zone.unwrap_or(literal.len()))?;
    let mut unescaped = unescape(address, Place::Host)?.into_owned();
    unescaped.extend_from_slice(&unescape(zone, Place::Zone)?);
    if !is_ipv6(&unescaped) {
        return None;
    }
    let mut whole = vec![b'['];
    whole.append(&mut unescaped);
    whole.push(b']');
    whole.extend_from_slice(port);
    Some(Cow::Owned(whole))
}

/// `netip.ParseAddr`, and no IPv4: the zone, if there is one, is not empty.
fn is_ipv6(text: &[u8]) -> bool {
    let address = match text.iter().position(|b| *b == b'%') {
        Some(at) if at + 1 == text.len() => return false,
        Some(at) => text.get(..at).unwrap_or_default(),
        None => text,
    };
    std::str::from_utf8(address).is_ok_and(|text| text.parse::<Ipv6Addr>().is_ok())
}

fn is_optional_port(port: &[u8]) -> bool {
    match port {
        [] => true,
        [b':', digits @ ..] => digits.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// Go's `unescape`: `None` for a broken escape, for one that its place does not allow, and for a character that may
/// not stand in a host.
fn unescape(text: &[u8], place: Place) -> Option<Cow<'_, [u8]>> {
    let allowed = |b: &u8| place == Place::Elsewhere || !b.is_ascii() || is_host_byte(*b);
    if !text.contains(&b'%') {
        return text.iter().all(allowed).then_some(Cow::Borrowed(text));
    }
    let mut unescaped = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        if *first != b'%' {
            if !allowed(first) {
                return None;
            }
            unescaped.push(*first);
            continue;
        }
        let [high, low, behind @ ..] = rest else {
            return None;
        };
        let byte = hex(*high)? << 4 | hex(*low)?;
        let fits = match place {
            Place::Elsewhere => true,
            Place::Host => byte == b'%' || !byte.is_ascii(),
            Place::Zone => byte == b'%' || byte == b' ' || is_host_byte(byte),
        };
        if !fits {
            return None;
        }
        unescaped.push(byte);
        rest = behind;
    }
    Some(Cow::Owned(unescaped))
}

/// The ASCII bytes that Go leaves alone in a host.
fn is_host_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!\"$&'()*+,-.:;<=>[]_~".contains(&b)
}

fn hex(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

fn cut(text: &[u8], at: u8) -> (&[u8], &[u8]) {
    match text.iter().position(|b| *b == at) {
        Some(i) => (
            text.get(..i).unwrap_or_default(),
            text.get(i + 1..).unwrap_or_default(),
        ),
        None => (text, &[]),
    }
}
