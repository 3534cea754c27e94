//! What a tag means: HEAD and its digest header; where that does not serve, GET and the hash of the body.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header::CONTENT_TYPE,
};
use hyper::body::Incoming;
use serde::{Deserialize, de::IgnoredAny};

use super::{
    exchange::{Exchange, Inquiry},
    flight::Began,
    limits::{self, read_at_most},
    trouble::Trouble,
};
use crate::domain::digest::Digest;

/// All four types in one line. Without the indexes a registry answers 404 or with one platform's digest, and some
/// proxies read the first of several lines only.
const ACCEPT: HeaderValue = HeaderValue::from_static(
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json",
);
const TYPES: [&str; 4] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];
const SCHEMA_1: &str = "application/vnd.docker.distribution.manifest.v1+";
const DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

#[derive(Deserialize)]
struct Version {
    #[serde(rename = "schemaVersion")]
    schema_version: u64,
}

#[derive(Default, Deserialize)]
struct Errors {
    #[serde(default)]
    errors: Vec<Coded>,
}

#[derive(Deserialize)]
struct Coded {
    #[serde(default)]
    code: String,
    #[serde(default, rename = "message")]
    _message: IgnoredAny,
}

/// The digest of the manifest or index that `tag` names now. `tag` may be a digest: then it is that one or a failure.
///
/// # Errors
/// [`Trouble`]; [`Trouble::Refused`] for schema 1, which containerd 2 does not pull, and where header and body are at
/// odds.
pub(super) async fn resolve(
    exchange: &Exchange,
    tag: &str,
    began: Option<&Began>,
) -> Result<Digest, Trouble> {
    let reply = exchange
        .ask(&inquiry(exchange, Method::HEAD, tag, began)?)
        .await?;
    if let Some(digest) = by_head(&reply, tag)? {
        return Ok(digest);
    }
    let reply = exchange
        .ask(&inquiry(exchange, Method::GET, tag, began)?)
        .await?;
    let (digest, _) = by_body(reply, tag).await?;
    Ok(digest)
}

/// The manifest or index of `digest`, its hash checked.
///
/// # Errors
/// [`Trouble`]; [`Trouble::Refused`] for a body of another digest.
pub(super) async fn fetch(exchange: &Exchange, digest: &Digest) -> Result<Bytes, Trouble> {
    let inquiry = inquiry(exchange, Method::GET, digest.as_str(), None)?;
    let (_, body) = by_body(exchange.ask(&inquiry).await?, digest.as_str()).await?;
    Ok(body)
}

/// A blob, its hash checked.
///
/// # Errors
/// As [`fetch`].
pub(super) async fn blob(exchange: &Exchange, digest: &Digest) -> Result<Bytes, Trouble> {
    let inquiry = Inquiry {
        method: Method::GET,
        path: format!("/v2/{}/blobs/{digest}", checked(&exchange.repository)?),
        accept: None,
        began: None,
    };
    let reply = exchange.ask(&inquiry).await?;
    if reply.status() != StatusCode::OK {
        return Err(status(reply).await);
    }
    let body = read_at_most(reply.into_body(), limits::CONFIG).await?;
    same(&Digest::of(&body), digest)?;
    Ok(body)
}

fn inquiry<'a>(
    exchange: &Exchange,
    method: Method,
    tag: &str,
    began: Option<&'a Began>,
) -> Result<Inquiry<'a>, Trouble> {
    let (repository, tag) = (checked(&exchange.repository)?, checked(tag)?);
    Ok(Inquiry {
        method,
        path: format!("/v2/{repository}/manifests/{tag}"),
        accept: Some(ACCEPT),
        began,
    })
}

/// A repository or tag goes into a path as it is, so it may hold nothing that means something there.
pub(super) fn checked(name: &str) -> Result<&str, Trouble> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"._-/:".contains(&b);
    let has_dots = name.split('/').any(|part| matches!(part, "" | "." | ".."));
    if name.bytes().all(is_plain) && !has_dots {
        Ok(name)
    } else {
        Err(Trouble::Refused(
            "no repository or tag has such a name".to_owned(),
        ))
    }
}

/// What HEAD tells; `None` where GET has to.
fn by_head(reply: &Response<Incoming>, tag: &str) -> Result<Option<Digest>, Trouble> {
    match reply.status().as_u16() {
        200 => {}
        // Registries and proxies without HEAD answer so; a 403 that is meant comes again with GET.
        400 | 403 | 405 | 501 => return Ok(None),
        404 => return Err(not_found()),
        status => {
            return Err(Trouble::Unavailable(format!(
                "the registry answered {status}"
            )));
        }
    }
    if is_schema_1(reply.headers()) {
        return Err(schema_1());
    }
    let is_manifest = TYPES.contains(&content_type(reply.headers()).as_str());
    match named_digest(reply.headers()).filter(|_| is_manifest) {
        Some(named) => {
            if let Ok(asked) = Digest::parse(tag) {
                same(&named, &asked)?;
            }
            Ok(Some(named))
        }
        None => Ok(None),
    }
}

/// What GET tells: the hash of the body. The header and the digest that was asked for have to agree with it.
async fn by_body(reply: Response<Incoming>, tag: &str) -> Result<(Digest, Bytes), Trouble> {
    if reply.status() != StatusCode::OK {
        return Err(status(reply).await);
    }
    if is_schema_1(reply.headers()) {
        return Err(schema_1());
    }
    let named = named_digest(reply.headers());
    let body = read_at_most(reply.into_body(), limits::MANIFEST).await?;
    let digest = Digest::of(&body);
    // Static stores say `application/octet-stream`, so the body has the word, not its type.
    match serde_json::from_slice::<Version>(&body).map(|version| version.schema_version) {
        Ok(2) => {}
        Ok(1) => return Err(schema_1()),
        _ => {
            return Err(Trouble::Unavailable(
                "the registry sent no manifest".to_owned(),
            ));
        }
    }
    for expected in named.into_iter().chain(Digest::parse(tag).ok()) {
        same(&digest, &expected)?;
    }
    Ok((digest, body))
}

/// The cause of a GET that was not answered with 200; where its code says more than its status, by the code.
pub(super) async fn status(reply: Response<Incoming>) -> Trouble {
    let status = reply.status();
    let body = read_at_most(reply.into_body(), limits::ERROR).await;
    let errors: Errors = body
        .ok()
        .and_then(|body| serde_json::from_slice(&body).ok())
        .unwrap_or_default();
    let codes = || errors.errors.iter().map(|error| error.code.as_str());
    let unknown = |code| {
        matches!(
            code,
            "NAME_UNKNOWN" | "MANIFEST_UNKNOWN" | "BLOB_UNKNOWN" | "NAME_INVALID"
        )
    };
    let denied = |code| matches!(code, "UNAUTHORIZED" | "DENIED");
    let detail = format!("the registry answered {status}");
    match status {
        StatusCode::NOT_FOUND => not_found(),
        _ if status.is_client_error() && codes().any(unknown) => not_found(),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Trouble::Unauthorized(detail),
        _ if status.is_client_error() && codes().any(denied) => Trouble::Unauthorized(detail),
        _ => Trouble::Unavailable(detail),
    }
}

fn named_digest(headers: &HeaderMap) -> Option<Digest> {
    let text = headers.get(DIGEST)?.to_str().ok()?;
    Digest::parse_sha256(text).ok()
}

fn content_type(headers: &HeaderMap) -> String {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = value.unwrap_or_default().split(';').next();
    essence.unwrap_or_default().trim().to_ascii_lowercase()
}

fn is_schema_1(headers: &HeaderMap) -> bool {
    content_type(headers).starts_with(SCHEMA_1)
}

fn same(found: &Digest, expected: &Digest) -> Result<(), Trouble> {
    if found == expected {
        return Ok(());
    }
    let (found, expected) = (found.short(), expected.short());
    let detail = format!("the registry sent content of {found} for {expected}");
    Err(Trouble::Refused(detail))
}

fn not_found() -> Trouble {
    Trouble::NotFound("the registry knows no such tag or repository".to_owned())
}

fn schema_1() -> Trouble {
    Trouble::Refused("the image is of schema 1, which container runtimes pull no more".to_owned())
}
