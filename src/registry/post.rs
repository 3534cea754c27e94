//! Requests to the services that make logins, by the same way out as the registries' own: proxy, trust, limits.

use std::time::Duration;

use bytes::Bytes;
use http::{
    HeaderValue, Request, StatusCode,
    header::{CONTENT_TYPE, USER_AGENT},
};
use http_body_util::Full;
use tokio::time::timeout;

use super::{
    client::Client,
    guard::Guard,
    limits::{self, read_at_most},
    origin::Origin,
    transport::AGENT,
    trouble::Trouble,
};

/// How long an answer may take; nobody waits for it.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a service answered. It may hold a token, so it has no `Debug`.
#[derive(Clone)]
pub struct Answer {
    /// Its status; any one is an answer.
    pub status: StatusCode,
    /// All of its body.
    pub body: Bytes,
}

impl Client {
    /// Sends `request` to a host that the operator chose, never one that a Pod names. A host among the registries is spoken
    /// to as its settings say. Any other one may have a private address; metadata services stay out of reach.
    ///
    /// # Errors
    /// In one line, why there is no answer. It names hosts and addresses, and nothing that was sent.
    pub async fn send(&self, request: Request<Bytes>) -> Result<Answer, String> {
        let sent = timeout(PATIENCE, self.send_now(request)).await;
        let sent = sent.unwrap_or_else(|_| Err(Trouble::timed_out(PATIENCE)));
        sent.map_err(|trouble| trouble.into_failure().detail)
    }

    /// Posts a form, as [`send`](Self::send).
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn post_form(&self, url: &str, form: &str) -> Result<Answer, String> {
        let request = Request::post(url)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Bytes::copy_from_slice(form.as_bytes()));
        self.send(request.map_err(|_| format!("{url} is no URL"))?)
            .await
    }

    async fn send_now(&self, request: Request<Bytes>) -> Result<Answer, Trouble> {
        let setup = self.0.setup.load_full();
        if setup.settings.offline {
            return Err(Trouble::Refused("offline: nobody is asked".to_owned()));
        }
        let origin = Origin::of(request.uri())?;
        let profile = setup.listed(&origin).unwrap_or(setup.services());
        Guard::check_name(origin.host(), profile.host.allow_private)?;
        if !origin.is_https() && !profile.host.plain_http {
            let host = origin.authority();
            return Err(Trouble::Refused(format!(
                "{host} is not listed for plain HTTP"
            )));
        }
        let mut request = request.map(Full::new);
        let headers = request.headers_mut();
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        let reply = profile.connections.request(request).await;
        let reply = reply.map_err(|error| Trouble::from_chain(&error))?;
        Ok(Answer {
            status: reply.status(),
            body: read_at_most(reply.into_body(), limits::TOKEN).await?,
        })
    }
}
