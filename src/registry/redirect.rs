//! Redirects of manifest and blob requests, followed by hand: the same address rules at every hop, a credential only
//! where it belongs, never from https to http.

use http::{
    HeaderMap, StatusCode, Uri,
    header::LOCATION,
    uri::{Parts, PathAndQuery},
};

use super::{origin::Origin, trouble::Trouble};

/// Registries redirect to one store, at most with a geographic hop before it.
pub(super) const MOST: usize = 3;

/// Whether a status sends a GET or HEAD elsewhere.
pub(super) fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Where an answer to a request for `from` leads.
///
/// # Errors
/// [`Trouble::Refused`] for a target that is not followed, [`Trouble::Unavailable`] where it cannot be read.
pub(super) fn target(from: &Uri, headers: &HeaderMap) -> Result<Uri, Trouble> {
    let location = headers.get(LOCATION).and_then(|value| value.to_str().ok());
    let to = location.and_then(|location| join(from, location));
    let to = to.ok_or_else(|| Trouble::Unavailable("a redirect without a target".to_owned()))?;
    let refused = |reason: &str| Trouble::Refused(format!("a redirect is not followed: {reason}"));
    let origin = Origin::of(&to).map_err(|reason| refused(&reason.to_string()))?;
    if Origin::of(from)?.is_https() && !origin.is_https() {
        return Err(refused("it leads from https to http"));
    }
    Ok(to)
}

/// RFC 3986 section 5.2 for the forms that registries use: absolute, `//host/path`, `/path`, and a path beside `from`'s.
pub(super) fn join(from: &Uri, location: &str) -> Option<Uri> {
    let location = location.split('#').next().unwrap_or_default();
    if location.starts_with("//") {
        return format!("{}:{location}", from.scheme_str()?).parse().ok();
    }
    let has_scheme = location.split(['/', '?']).next()?.contains(':');
    if has_scheme {
        return location.parse().ok();
    }
    let path = if location.starts_with('/') {
        location.to_owned()
    } else {
        let (folder, _) = from.path().rsplit_once('/')?;
        format!("{folder}/{location}")
    };
    let mut parts = Parts::default();
    parts.scheme = from.scheme().cloned();
    parts.authority = from.authority().cloned();
    parts.path_and_query = Some(path.parse::<PathAndQuery>().ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const FROM: &str = "https://reg.example/v2/a/manifests/dev?x=1";

    #[rstest]
    #[case::absolute("https://cdn.example/m?sig=a%2Fb", "https://cdn.example/m?sig=a%2Fb")]
    #[case::absolute_no_path("https://cdn.example", "https://cdn.example/")]
    #[case::no_scheme("//cdn.example/m", "https://cdn.example/m")]
    #[case::path("/blobs/m?x", "https://reg.example/blobs/m?x")]
    #[case::beside("other", "https://reg.example/v2/a/manifests/other")]
    #[case::fragment("/m#part", "https://reg.example/m")]
    #[case::colon_in_the_query("/m?x=a:b", "https://reg.example/m?x=a:b")]
    fn joins(#[case] location: &str, #[case] expected: &str) {
        let to = target(&Uri::from_static(FROM), &headers(location)).unwrap();
        assert_eq!(to.to_string(), expected);
    }

    #[rstest]
    #[case::downgrade("http://reg.example/m")]
    #[case::user_info("https://reg.example@evil.example/m")]
    #[case::file("file:///etc/passwd")]
    #[case::gopher("gopher://evil.example/m")]
    #[case::spaces("https://a b/")]
    fn refuses(#[case] location: &str) {
        let to = target(&Uri::from_static(FROM), &headers(location));
        assert!(to.is_err(), "{to:?}");
    }

    fn headers(location: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(LOCATION, http::HeaderValue::from_str(location).unwrap());
        headers
    }
}
