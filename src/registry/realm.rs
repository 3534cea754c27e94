//! Where a token may be fetched: a registry says so itself, so its word is not enough. A credential sent to a realm of a
//! registry's choice is how CVE-2020-15157 and its successors worked.

use http::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{challenge::Challenge, origin::Origin, settings::HostSettings, trouble::Trouble};

/// Registries whose token server is known to be elsewhere.
const PAIRS: [(&str, &str); 2] = [
    ("registry-1.docker.io", "auth.docker.io"),
    ("registry.gitlab.com", "gitlab.com"),
];

/// What a query value may hold as it is, RFC 3986 "unreserved".
const VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A token server and what is asked of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Realm {
    pub(super) origin: Origin,
    pub(super) url: Uri,
}

/// The token request that a Bearer `challenge` of `registry` for `repository` leads to. For no repository, which is the
/// empty name, the token says who asks and grants nothing.
///
/// # Errors
/// [`Trouble::Refused`] if the realm is not one that this registry's credentials may go to, with the remedy.
pub(super) fn realm(
    challenge: &Challenge,
    registry: &Origin,
    host: &HostSettings,
    repository: &str,
) -> Result<Realm, Trouble> {
    let param = |name| challenge.params.get(name).map(String::as_str);
    let refused = |reason: &str| Trouble::Refused(format!("the token realm is refused: {reason}"));
    let url: Uri = param("realm")
        .and_then(|realm| realm.parse().ok())
        .ok_or_else(|| refused("it is no URL"))?;
    let origin = Origin::of(&url).map_err(|reason| refused(&reason.to_string()))?;
    if !origin.is_https() && registry.is_https() {
        return Err(refused("it is plain HTTP, the registry is not"));
    }
    if !may_have_tokens(&origin, registry, host) {
        let named = origin.authority();
        return Err(refused(&format!(
            "{named} is not among the registry's authHosts"
        )));
    }
    let query = query(&url, param("service"), param("scope"), repository);
    let mark = if query.is_empty() { "" } else { "?" };
    let url = origin.url(&format!("{}{mark}{query}", url.path()))?;
    Ok(Realm { origin, url })
}

fn may_have_tokens(realm: &Origin, registry: &Origin, host: &HostSettings) -> bool {
    let is_pair = |pair: &(&str, &str)| pair.0 == registry.host() && pair.1 == realm.authority();
    realm == registry
        || PAIRS.iter().any(is_pair)
        || host.auth_hosts.iter().any(|entry| realm.is_named(entry))
}

/// The realm's own query, then ours. The scope is what this request needs, not what the registry would like; only a
/// scope that is no resource at all (ECR Public: `aws`) is asked for too.
fn query(url: &Uri, service: Option<&str>, scope: Option<&str>, repository: &str) -> String {
    let mut query: Vec<_> = url.query().map(str::to_owned).into_iter().collect();
    let mut add = |name: &str, value: &str| {
        query.push(format!("{name}={}", utf8_percent_encode(value, VALUE)));
    };
    if let Some(service) = service.filter(|service| !service.is_empty()) {
        add("service", service);
    }
    if let Some(scope) = scope.filter(|scope| !scope.is_empty() && !scope.contains(':')) {
        add("scope", scope);
    }
    if !repository.is_empty() {
        add("scope", &format!("repository:{repository}:pull"));
    }
    query.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::challenge::Scheme;
    use rstest::rstest;

    fn asked(
        registry: &str,
        params: &[(&str, &str)],
        host: &HostSettings,
    ) -> Result<Realm, Trouble> {
        let params = params.iter().map(|(k, v)| ((*k).into(), (*v).into()));
        let challenge = Challenge {
            scheme: Scheme::Bearer,
            params: params.collect(),
        };
        let origin = Origin::of_registry(registry, host.plain_http).unwrap();
        realm(&challenge, &origin, host, "team/app")
    }

    #[rstest]
    #[case::own_host("ghcr.io", "https://ghcr.io/token", true)]
    #[case::own_host_with_its_port("ghcr.io", "https://ghcr.io:443/token", true)]
    #[case::own_host_upper_case("ghcr.io", "https://GHCR.IO/token", true)]
    #[case::own_host_with_port("r.example:5000", "https://r.example:5000/token", true)]
    #[case::hub("docker.io", "https://auth.docker.io/token", true)]
    #[case::hub_api("registry-1.docker.io", "https://auth.docker.io/token", true)]
    #[case::gitlab("registry.gitlab.com", "https://gitlab.com/jwt/auth", true)]
    #[case::listed("r.example", "https://auth.listed.example/token", true)]
    #[case::listed_port("r.example", "https://ported.example:8443/token", true)]
    #[case::listed_other_port("r.example", "https://ported.example/token", false)]
    #[case::another_host("ghcr.io", "https://evil.example/token", false)]
    #[case::another_port("r.example:5000", "https://r.example:5001/token", false)]
    #[case::subdomain("ghcr.io", "https://evil.ghcr.io/token", false)]
    #[case::suffix("ghcr.io", "https://ghcr.io.evil.example/token", false)]
    #[case::hub_for_another("ghcr.io", "https://auth.docker.io/token", false)]
    #[case::pair_with_port("docker.io", "https://auth.docker.io:444/token", false)]
    #[case::plain_http("ghcr.io", "http://ghcr.io/token", false)]
    #[case::plain_http_listed("r.example", "http://auth.listed.example/token", false)]
    #[case::metadata("ghcr.io", "http://169.254.169.254/latest/api/token", false)]
    #[case::user_info("ghcr.io", "https://user:pw@ghcr.io/token", false)]
    #[case::host_as_user("ghcr.io", "https://ghcr.io@evil.example/token", false)]
    #[case::file("ghcr.io", "file:///etc/passwd", false)]
    #[case::relative("ghcr.io", "/token", false)]
    #[case::empty("ghcr.io", "", false)]
    fn realms(#[case] registry: &str, #[case] url: &str, #[case] expected: bool) {
        let host = HostSettings {
            auth_hosts: vec!["auth.listed.example".into(), "ported.example:8443".into()],
            ..HostSettings::default()
        };
        let realm = asked(registry, &[("realm", url)], &host);
        assert_eq!(realm.is_ok(), expected, "{realm:?}");
    }

    #[rstest]
    #[case::own_host("http://r.example:5000/token", true)]
    #[case::another_host("http://evil.example/token", false)]
    fn a_plain_registry_may_have_a_plain_realm(#[case] url: &str, #[case] expected: bool) {
        let host = HostSettings {
            plain_http: true,
            ..HostSettings::default()
        };
        assert_eq!(
            asked("r.example:5000", &[("realm", url)], &host).is_ok(),
            expected
        );
    }

    #[rstest]
    #[case::plain(&[], "scope=repository%3Ateam%2Fapp%3Apull")]
    #[case::service(&[("service", "a b&c")], "service=a%20b%26c&scope=repository%3Ateam%2Fapp%3Apull")]
    #[case::wider_scope(&[("scope", "repository:other:pull,push")], "scope=repository%3Ateam%2Fapp%3Apull")]
    #[case::ecr_public(&[("scope", "aws")], "scope=aws&scope=repository%3Ateam%2Fapp%3Apull")]
    fn queries(#[case] params: &[(&str, &str)], #[case] expected: &str) {
        for (realm, before) in [
            ("https://r.example/t", ""),
            ("https://r.example/t?x=1&y=2", "x=1&y=2&"),
        ] {
            let params = [params, &[("realm", realm)]].concat();
            let asked = asked("r.example", &params, &HostSettings::default()).unwrap();
            assert_eq!(
                asked.url.to_string(),
                format!("https://r.example/t?{before}{expected}")
            );
        }
    }

    #[rstest]
    #[case::plain("https://r.example/t", "https://r.example/t")]
    #[case::query("https://r.example/t?x=1", "https://r.example/t?x=1")]
    fn without_a_repository_nothing_is_asked_for(#[case] url: &str, #[case] expected: &str) {
        let params = [("realm".to_owned(), url.to_owned())];
        let challenge = Challenge {
            scheme: Scheme::Bearer,
            params: params.into(),
        };
        let registry = Origin::of_registry("r.example", false).unwrap();
        let realm = realm(&challenge, &registry, &HostSettings::default(), "").unwrap();
        assert_eq!(realm.url.to_string(), expected);
    }
}
