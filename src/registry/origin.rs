//! Scheme, host and port: what a credential belongs to, and how a registry's host becomes a URL.

use http::{Uri, uri::Authority};
use smol_str::SmolStr;

/// Where requests go. Two URLs of one origin are equal here, whether they write the default port or not.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    https: bool,
    /// In lower case; an IPv6 address in brackets.
    host: SmolStr,
    port: u16,
}

/// A URL or host that is nobody's origin. It names the rule, not the text: that is an attacker's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoOrigin {
    /// Not an absolute URL, or not a host.
    #[error("it is no absolute URL")]
    Syntax,
    /// A scheme other than http and https.
    #[error("its scheme is neither https nor http")]
    Scheme,
    /// `user:password@`.
    #[error("it carries user information")]
    UserInfo,
}

// === impl Origin ===

impl Origin {
    /// The origin of the registry that references spell `host`. Docker Hub's API has a host of its own.
    pub(super) fn of_registry(host: &str, plain_http: bool) -> Result<Self, NoOrigin> {
        let host = match host {
            "docker.io" | "index.docker.io" => "registry-1.docker.io",
            other => other,
        };
        let authority = Authority::try_from(host).map_err(|_| NoOrigin::Syntax)?;
        Self::new(!plain_http, &authority)
    }

    /// The origin of an absolute URL.
    pub(super) fn of(url: &Uri) -> Result<Self, NoOrigin> {
        let authority = url.authority().ok_or(NoOrigin::Syntax)?;
        match url.scheme_str() {
            Some("https") => Self::new(true, authority),
            Some("http") => Self::new(false, authority),
            _ => Err(NoOrigin::Scheme),
        }
    }

    fn new(https: bool, authority: &Authority) -> Result<Self, NoOrigin> {
        if authority.as_str().contains('@') {
            return Err(NoOrigin::UserInfo);
        }
        let host = authority.host();
        let port = match authority.as_str().strip_prefix(host) {
            Some("" | ":") => default_port(https),
            _ => authority.port_u16().ok_or(NoOrigin::Syntax)?,
        };
        let host = SmolStr::new(host.to_ascii_lowercase());
        if host.is_empty() {
            return Err(NoOrigin::Syntax);
        }
        Ok(Self { https, host, port })
    }

    /// Whether it is spoken to over TLS.
    pub(super) fn is_https(&self) -> bool {
        self.https
    }

    /// The host alone, an IPv6 address in brackets.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// The port, the scheme's own where the URL has none.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// The host, and the port where it is not the scheme's own.
    pub(super) fn authority(&self) -> String {
        if self.port == default_port(self.https) {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// The URL of a path (and query) at this origin.
    pub(super) fn url(&self, path: &str) -> Result<Uri, NoOrigin> {
        let scheme = if self.https { "https" } else { "http" };
        let url = Uri::builder()
            .scheme(scheme)
            .authority(self.authority())
            .path_and_query(path);
        url.build().map_err(|_| NoOrigin::Syntax)
    }

    /// Whether `entry` (`host` or `host:port`) of a list names this origin. Without a port it names all of them.
    pub(super) fn is_named(&self, entry: &str) -> bool {
        let entry = entry.to_ascii_lowercase();
        let port = entry.strip_prefix(self.host.as_str());
        match port.map(|port| port.strip_prefix(':').unwrap_or(port)) {
            Some("") => true,
            Some(port) => port.parse() == Ok(self.port),
            None => false,
        }
    }
}

fn default_port(https: bool) -> u16 {
    if https { 443 } else { 80 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::hub("docker.io", "https://registry-1.docker.io/v2/")]
    #[case::default_port("ghcr.io:443", "https://ghcr.io/v2/")]
    #[case::port("registry.example:5000", "https://registry.example:5000/v2/")]
    #[case::ipv6("[2606::1]:5000", "https://[2606::1]:5000/v2/")]
    fn urls_of_a_registry(#[case] host: &str, #[case] expected: &str) {
        let url = Origin::of_registry(host, false).unwrap().url("/v2/");
        assert_eq!(url.unwrap().to_string(), expected);
    }

    #[rstest]
    #[case::same("https://a.example/x", "https://a.example:443/y", true)]
    #[case::case("https://A.example", "https://a.EXAMPLE", true)]
    #[case::port("https://a.example", "https://a.example:444", false)]
    #[case::scheme("https://a.example:80", "http://a.example:80", false)]
    #[case::host("https://a.example", "https://b.example", false)]
    fn equality(#[case] one: Uri, #[case] other: Uri, #[case] expected: bool) {
        let same = Origin::of(&one).unwrap() == Origin::of(&other).unwrap();
        assert_eq!(same, expected);
    }

    #[rstest]
    #[case::user_info("https://user:pw@a.example/", NoOrigin::UserInfo)]
    #[case::user("https://ghcr.io@a.example/", NoOrigin::UserInfo)]
    #[case::file("file://host/etc/passwd", NoOrigin::Scheme)]
    #[case::relative("/token", NoOrigin::Syntax)]
    #[case::port_too_big("https://a.example:99999/", NoOrigin::Syntax)]
    fn refuses(#[case] url: Uri, #[case] expected: NoOrigin) {
        assert_eq!(Origin::of(&url), Err(expected));
    }

    #[rstest]
    #[case::any_port("auth.example", true)]
    #[case::the_port("auth.example:8443", true)]
    #[case::another_port("auth.example:443", false)]
    #[case::suffix("auth.example.org", false)]
    #[case::prefix("auth.exam", false)]
    #[case::empty("", false)]
    fn names(#[case] entry: &str, #[case] expected: bool) {
        let url = Uri::from_static("https://auth.example:8443/token");
        assert_eq!(Origin::of(&url).unwrap().is_named(entry), expected);
    }
}
