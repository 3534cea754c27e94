//! Hosts, mirrors and address ranges as `cotter.yaml` writes them.

use ipnet::IpNet;
use smol_str::SmolStr;

/// Reads `host[:port]` as image references spell it.
///
/// # Errors
/// What to write instead.
pub(super) fn host(text: &str) -> Result<SmolStr, String> {
    let host = authority(text)?;
    let named = host.contains(['.', ':']) || host == "localhost";
    if !named {
        return Err(format!(
            "{text:?} is not a host in an image reference, where a host has a dot or a port; \
             write its full name or its port, as in {host}.example.com or {host}:5000"
        ));
    }
    if host == "index.docker.io" {
        return Err("Docker Hub is known by one name; write docker.io".to_owned());
    }
    Ok(host)
}

/// Reads `host[:port][/path]`, a mirror.
///
/// # Errors
/// What to write instead.
pub(super) fn mirror(text: &str) -> Result<SmolStr, String> {
    let (authority, path) = text.split_once('/').unwrap_or((text, ""));
    let slashes = path.split('/').any(str::is_empty) && !path.is_empty();
    if text.contains("://") || authority.is_empty() || slashes || text.ends_with('/') {
        return Err(format!(
            "{text:?} is not a mirror; write host[:port][/path] without a scheme, as in harbor.internal/hub-proxy"
        ));
    }
    let path_is_fine = path
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-/".contains(&b));
    if !path_is_fine {
        return Err(format!(
            "{text:?} has a path that no repository has; use lower-case letters, digits, dots, hyphens and underscores"
        ));
    }
    host(authority)?;
    Ok(text.into())
}

/// Reads a range of addresses.
///
/// # Errors
/// What to write instead.
pub(super) fn cidr(text: &str) -> Result<IpNet, String> {
    if let Ok(address) = text.parse::<std::net::IpAddr>() {
        return Err(format!(
            "{text:?} is an address, not a range; write {}",
            IpNet::from(address)
        ));
    }
    let net: IpNet = text.parse().map_err(|_| {
        format!("{text:?} is not a range of addresses; write it as in 10.96.0.0/12 or fd00::/8")
    })?;
    if net.trunc() == net {
        Ok(net)
    } else {
        Err(format!(
            "{text:?} has bits beyond its prefix; write {}",
            net.trunc()
        ))
    }
}

fn authority(text: &str) -> Result<SmolStr, String> {
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let (rest, path) = rest.split_once('/').unwrap_or((rest, ""));
    let bare = rest
        .rsplit_once('@')
        .map_or(rest, |(_, host)| host)
        .to_ascii_lowercase();
    let (name, port) = split_port(&bare);
    if name.is_empty() {
        return Err(format!(
            "{text:?} names no host; write host[:port], as in registry.internal:5000"
        ));
    }
    if !scheme.is_empty() || !path.is_empty() || text.ends_with('/') || bare != *rest {
        let why = if !scheme.is_empty() {
            "a scheme does not belong here"
        } else if !path.is_empty() || text.ends_with('/') {
            "a path does not belong here"
        } else if rest.contains('@') {
            "a user does not belong here"
        } else {
            "references are compared in lower case"
        };
        return Err(format!("{why}; write {bare}"));
    }
    if name.contains('*') {
        return Err(format!(
            "{text:?} has a wildcard; write each host by its name"
        ));
    }
    let inside = name.strip_prefix('[').and_then(|n| n.strip_suffix(']'));
    let fine = match inside {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => name.split('.').all(is_label),
    };
    let port_is_fine = port.is_none_or(|port| {
        port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    if fine && port_is_fine {
        Ok(bare.into())
    } else {
        Err(format!(
            "{text:?} is not a host; write host[:port], as in registry.internal:5000 or [fd00::1]:5000"
        ))
    }
}

/// A host name's label: letters, digits and inner hyphens.
fn is_label(label: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    !label.is_empty()
        && label.bytes().all(inner)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// The name and the port; the colons of a bracketed address are no port.
fn split_port(host: &str) -> (&str, Option<&str>) {
    if host.ends_with(']') {
        return (host, None);
    }
    match host.rsplit_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (host, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::name("ghcr.io")]
    #[case::port("registry:5000")]
    #[case::localhost("localhost")]
    #[case::v4("10.0.0.1:5000")]
    #[case::v6("[fd00::1]:5000")]
    fn hosts(#[case] text: &str) {
        assert_eq!(host(text).as_deref(), Ok(text));
    }

    #[rstest]
    #[case::scheme("https://ghcr.io/v2/", "a scheme does not belong here; write ghcr.io")]
    #[case::path("ghcr.io/acme", "a path does not belong here; write ghcr.io")]
    #[case::slash("ghcr.io/", "a path does not belong here; write ghcr.io")]
    #[case::case("GHCR.io", "references are compared in lower case; write ghcr.io")]
    #[case::user("me@ghcr.io", "a user does not belong here; write ghcr.io")]
    #[case::wildcard(
        "*.internal",
        "\"*.internal\" has a wildcard; write each host by its name"
    )]
    #[case::hub("index.docker.io", "Docker Hub is known by one name; write docker.io")]
    #[case::empty(
        "",
        "\"\" names no host; write host[:port], as in registry.internal:5000"
    )]
    #[case::short(
        "harbor",
        "\"harbor\" is not a host in an image reference, where a host has a dot or a port; \
         write its full name or its port, as in harbor.example.com or harbor:5000"
    )]
    #[case::port(
        "a.b:70000",
        "\"a.b:70000\" is not a host; write host[:port], as in registry.internal:5000 or [fd00::1]:5000"
    )]
    #[case::plus_port(
        "a.b:+1",
        "\"a.b:+1\" is not a host; write host[:port], as in registry.internal:5000 or [fd00::1]:5000"
    )]
    fn bad_hosts(#[case] text: &str, #[case] said: &str) {
        assert_eq!(host(text), Err(said.to_owned()));
    }

    #[rstest]
    #[case::bare(
        "10.0.0.1",
        Err("\"10.0.0.1\" is an address, not a range; write 10.0.0.1/32")
    )]
    #[case::bits(
        "10.1.0.0/8",
        Err("\"10.1.0.0/8\" has bits beyond its prefix; write 10.0.0.0/8")
    )]
    #[case::word(
        "pods",
        Err("\"pods\" is not a range of addresses; write it as in 10.96.0.0/12 or fd00::/8")
    )]
    #[case::fine("10.96.0.0/12", Ok("10.96.0.0/12"))]
    fn cidrs(#[case] text: &str, #[case] expected: Result<&str, &str>) {
        let read = cidr(text).map(|net| net.to_string());
        assert_eq!(read, expected.map(str::to_owned).map_err(str::to_owned));
    }

    #[rstest]
    #[case::path("harbor.internal/hub-proxy", true)]
    #[case::host("harbor.internal", true)]
    #[case::scheme("https://harbor.internal", false)]
    #[case::slash("harbor.internal/", false)]
    #[case::upper("harbor.internal/Hub", false)]
    fn mirrors(#[case] text: &str, #[case] fine: bool) {
        assert_eq!(mirror(text).is_ok(), fine);
    }
}
