//! The proxy that the environment names, read as Go's programs read it, which the other tools of a cluster are.

use std::{fmt, sync::Arc};

use clap::Args;
use http::{Uri, uri::Authority};
use percent_encoding::percent_decode_str;
use smol_str::SmolStr;

use crate::domain::credential::Credential;

/// The port of an `http://` proxy that names none.
const PORT: u16 = 80;

/// The proxies that the environment names. Hidden: they are no options of cotter's.
#[derive(Clone, Default, Args)]
pub struct ProxyArgs {
    #[arg(long, env = "HTTPS_PROXY", hide = true)]
    https_proxy: Option<String>,

    #[arg(long = "https-proxy-lower", env = "https_proxy", hide = true)]
    https_proxy_lower: Option<String>,

    #[arg(long, env = "NO_PROXY", hide = true)]
    no_proxy: Option<String>,

    #[arg(long = "no-proxy-lower", env = "no_proxy", hide = true)]
    no_proxy_lower: Option<String>,
}

/// A proxy for HTTPS. It is shown without its user and password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// Its host, an IPv6 address in brackets.
    pub host: SmolStr,
    /// Its port.
    pub port: u16,
    /// Who asks it.
    pub credential: Option<Arc<Credential>>,
    /// The hosts that are asked without it, as `NO_PROXY` lists them.
    pub except: String,
}

/// A proxy that cannot be used. Its URL is not shown: it may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {why}; write http://[user:password@]host[:port]")]
pub struct ProxyError {
    variable: &'static str,
    why: &'static str,
}

// === impl ProxyArgs ===

impl ProxyArgs {
    /// The proxy for HTTPS. The spelling in upper case goes before the other one; what is empty is not set.
    ///
    /// # Errors
    /// [`ProxyError`] if it is no proxy that cotter can use.
    pub fn proxy(&self) -> Result<Option<Proxy>, ProxyError> {
        let upper = set(self.https_proxy.as_ref()).map(|url| ("HTTPS_PROXY", url));
        let lower = set(self.https_proxy_lower.as_ref()).map(|url| ("https_proxy", url));
        let Some((variable, url)) = upper.or(lower) else {
            return Ok(None);
        };
        let except = set(self.no_proxy.as_ref()).or(set(self.no_proxy_lower.as_ref()));
        let proxy = Proxy::parse(url, except.unwrap_or_default());
        proxy.map(Some).map_err(|why| ProxyError { variable, why })
    }
}

fn set(value: Option<&String>) -> Option<&str> {
    let text = value.map(|text| text.trim());
    text.filter(|text| !text.is_empty())
}

impl fmt::Debug for ProxyArgs {
    // A proxy's URL may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyArgs").finish_non_exhaustive()
    }
}

// === impl Proxy ===

impl Proxy {
    fn parse(url: &str, except: &str) -> Result<Self, &'static str> {
        let url = match url.split_once("://") {
            Some((scheme, _)) if scheme.eq_ignore_ascii_case("https") => {
                return Err("cotter speaks to a proxy in plain HTTP only, not over TLS");
            }
            Some((scheme, _)) if !scheme.eq_ignore_ascii_case("http") => {
                return Err("cotter knows HTTP proxies only");
            }
            Some((_, rest)) => format!("http://{rest}"),
            None => format!("http://{url}"),
        };
        let unreadable = "it is no URL";
        let url: Uri = url.parse().map_err(|_| unreadable)?;
        let authority = url.authority().ok_or(unreadable)?.as_str();
        let (user_info, address) = match authority.rsplit_once('@') {
            Some((user_info, address)) => (Some(user_info), address),
            None => (None, authority),
        };
        let authority: Authority = address.parse().map_err(|_| unreadable)?;
        let host = authority.host();
        let port = match address.strip_prefix(host) {
            Some("" | ":") => PORT,
            _ => authority.port_u16().ok_or("its port is none")?,
        };
        if host.is_empty() {
            return Err("it names no host");
        }
        Ok(Self {
            host: host.to_ascii_lowercase().into(),
            port,
            credential: user_info.and_then(credential),
            except: except.to_owned(),
        })
    }
}

/// User and password, where reserved characters are percent-encoded.
fn credential(user_info: &str) -> Option<Arc<Credential>> {
    let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
    let decoded = |text| percent_decode_str(text).collect::<Vec<u8>>();
    let credential = Credential::new(decoded(user), decoded(password));
    (!credential.is_empty()).then(|| Arc::new(credential))
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn args(upper: &str, lower: &str) -> ProxyArgs {
        ProxyArgs {
            https_proxy: Some(upper.to_owned()),
            https_proxy_lower: Some(lower.to_owned()),
            no_proxy: None,
            no_proxy_lower: Some(".internal".to_owned()),
        }
    }

    #[rstest]
    #[case::url("http://proxy.example:3128", "proxy.example:3128")]
    #[case::slash("http://proxy.example:3128/", "proxy.example:3128")]
    #[case::no_scheme("proxy.example:3128", "proxy.example:3128")]
    #[case::one_label("proxy:3128", "proxy:3128")]
    #[case::no_port("http://proxy.example", "proxy.example:80")]
    #[case::upper_case("HTTP://Proxy.Example:3128", "proxy.example:3128")]
    #[case::ipv4("http://10.0.0.1:3128", "10.0.0.1:3128")]
    #[case::ipv6("http://[fd00::1]:3128", "[fd00::1]:3128")]
    #[case::surrounded(" http://proxy:3128\n", "proxy:3128")]
    fn addresses(#[case] url: &str, #[case] expected: &str) {
        let proxy = args(url, "").proxy().unwrap().unwrap();
        assert_eq!(proxy.to_string(), expected);
        assert_eq!((proxy.credential, &*proxy.except), (None, ".internal"));
    }

    #[rstest]
    #[case::both("http://alice:s3cret@proxy:3128", Some(("alice", "s3cret")))]
    #[case::no_scheme("alice:s3cret@proxy:3128", Some(("alice", "s3cret")))]
    #[case::escaped("http://alice:s%40%3acret@proxy:3128", Some(("alice", "s@:cret")))]
    #[case::two_colons("http://alice:s3:cret@proxy:3128", Some(("alice", "s3:cret")))]
    #[case::user_alone("http://alice@proxy:3128", Some(("alice", "")))]
    #[case::empty("http://:@proxy:3128", None)]
    fn users(#[case] url: &str, #[case] expected: Option<(&str, &str)>) {
        let proxy = args(url, "").proxy().unwrap().unwrap();
        let expected = expected.map(|(user, password)| Credential::new(user, password));
        assert_eq!(proxy.credential.as_deref(), expected.as_ref());
        let shown = format!("{proxy} {proxy:?} {:?}", args(url, ""));
        assert!(!shown.contains("cret"), "{shown}");
    }

    #[rstest]
    #[case::both("http://upper:1", "http://lower:1", Some("upper:1"))]
    #[case::lower_alone("", "http://lower:1", Some("lower:1"))]
    #[case::neither("", " ", None)]
    fn spellings(#[case] upper: &str, #[case] lower: &str, #[case] expected: Option<&str>) {
        let proxy = args(upper, lower).proxy().unwrap();
        assert_eq!(proxy.map(|proxy| proxy.to_string()).as_deref(), expected);
    }

    #[rstest]
    #[case::tls(
        "https://alice:s3cret@proxy:3128",
        "cotter speaks to a proxy in plain HTTP only, not over TLS"
    )]
    #[case::socks("socks5://alice:s3cret@proxy:1080", "cotter knows HTTP proxies only")]
    #[case::spaces("http://alice:s3cret@a proxy:3128", "it is no URL")]
    #[case::no_host("http://alice:s3cret@:3128", "it names no host")]
    #[case::port("http://alice:s3cret@proxy:99999", "its port is none")]
    fn refuses(#[case] url: &str, #[case] why: &str) {
        let error = args(url, "").proxy().unwrap_err().to_string();
        let expected = format!("HTTPS_PROXY: {why}; write http://[user:password@]host[:port]");
        assert_eq!(error, expected);
    }
}
