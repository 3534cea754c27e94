//! One request, one answer, counted. It follows nothing, repeats only what cannot have been answered, and reads no body.

use std::{error::Error, io};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri,
    header::{ACCEPT, AUTHORIZATION, USER_AGENT},
};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::time::Instant;

use super::{guard::Guard, origin::Origin, setup::Profile, trouble::Trouble};
use crate::telemetry::metrics::{Ended, Metrics};

pub(super) const AGENT: &str = concat!("cotter/", env!("CARGO_PKG_VERSION"));

/// A request without a body; all of them are GET or HEAD.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    pub(super) method: Method,
    pub(super) url: Uri,
    pub(super) accept: Option<HeaderValue>,
    pub(super) authorization: Option<HeaderValue>,
}

/// Sends `outgoing` with the connections of `profile`, counted under the registry `host`.
///
/// # Errors
/// [`Trouble::Refused`] by the guard, [`Trouble::Unreachable`] without an answer. Every status is an answer.
pub(super) async fn send(
    profile: &Profile,
    outgoing: Outgoing,
    host: &str,
    metrics: &Metrics,
) -> Result<Response<Incoming>, Trouble> {
    let start = Instant::now();
    let reply = attempt(profile, &outgoing).await;
    let ended = match &reply {
        Ok(reply) => ended(reply.status()),
        Err(Trouble::Refused(_)) => Ended::Refused,
        Err(_) => Ended::Unreachable,
    };
    metrics.registry_request(host, ended, start.elapsed());
    reply
}

async fn attempt(profile: &Profile, outgoing: &Outgoing) -> Result<Response<Incoming>, Trouble> {
    // The connector checks the name again. Here it comes before TLS, which has its own idea of names.
    let origin = Origin::of(&outgoing.url)?;
    Guard::check_name(origin.host(), profile.host.allow_private)?;
    if !origin.is_https() && !profile.host.plain_http {
        let host = origin.authority();
        return Err(Trouble::Refused(format!(
            "{host} is not listed for plain HTTP"
        )));
    }
    let first = profile.connections.request(request(outgoing)).await;
    let repeated = match first {
        // A server may close an idle connection just as it is used again, and hyper cannot tell whether it read the
        // request. GET and HEAD change nothing, so one more try on another connection is safe.
        Err(error) if was_cut(&error) => profile.connections.request(request(outgoing)).await,
        other => other,
    };
    repeated.map_err(|error| Trouble::from_chain(&error))
}

fn request(outgoing: &Outgoing) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::default());
    *request.method_mut() = outgoing.method.clone();
    *request.uri_mut() = outgoing.url.clone();
    *request.headers_mut() = headers(outgoing);
    request
}

fn headers(outgoing: &Outgoing) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(4);
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    if let Some(accept) = &outgoing.accept {
        headers.insert(ACCEPT, accept.clone());
    }
    if let Some(authorization) = &outgoing.authorization {
        headers.insert(AUTHORIZATION, authorization.clone());
    }
    headers
}

fn was_cut(error: &hyper_util::client::legacy::Error) -> bool {
    if error.is_connect() {
        return false;
    }
    let mut next = error.source();
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<hyper::Error>()
            && (error.is_incomplete_message() || error.is_canceled() || error.is_closed())
        {
            return true;
        }
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        if matches!(
            kind,
            Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)
        ) {
            return true;
        }
        next = error.source();
    }
    false
}

fn ended(status: StatusCode) -> Ended {
    match status {
        status if status.is_success() => Ended::Ok,
        StatusCode::NOT_FOUND => Ended::NotFound,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Ended::Unauthorized,
        StatusCode::TOO_MANY_REQUESTS => Ended::Limited,
        _ => Ended::Status,
    }
}
