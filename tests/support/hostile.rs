//! A registry that does what a real one does not: it lies, stalls, floods, and sends its clients elsewhere.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use axum::body::Body;
use bytes::Bytes;
use cotter::domain::digest::Digest;
use futures_util::stream::{self, StreamExt as _};
use http::{Method, Request, Response, StatusCode, Version, header};
use hyper::body::Incoming;
use serde_json::json;
use tokio::time::sleep;

use super::{
    ca::Ca,
    serve::{Distance, Served, serve, tls},
};

/// The manifest behind every tag.
pub const MANIFEST: &str =
    r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json"}"#;
const MEDIA_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

/// The switches; without any of them it is an open registry of one image.
#[derive(Clone, Debug, Default)]
pub struct Tricks {
    /// Requests of manifests are answered with 401 unless they carry what this wants.
    pub wants: Wants,
    /// The realm of the challenge in place of its own `/token`.
    pub realm: Option<String>,
    /// The challenge is left off a manifest's 401.
    pub silent: bool,
    /// HEAD is answered with this status.
    pub head: Option<u16>,
    /// Every manifest request is answered with this status and error code.
    pub status: Option<(u16, &'static str)>,
    /// `Docker-Content-Digest`: `None` for the right one, empty for none at all.
    pub digest: Option<String>,
    /// `Content-Type` in place of the manifest's.
    pub media_type: Option<&'static str>,
    /// What a manifest request is answered with.
    pub content: Content,
    /// Manifests are answered with this `Location`.
    pub redirect: Option<String>,
    /// Manifests are answered with 429 and this `Retry-After`.
    pub limited: Option<String>,
    /// What `/token` answers in place of a grant.
    pub token: Option<Grant>,
    /// Nothing is answered.
    pub hangs: bool,
}

/// What a manifest request has to carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wants {
    #[default]
    Nothing,
    Basic,
    Bearer,
}

/// The body of a manifest.
#[derive(Clone, Debug, Default)]
pub enum Content {
    /// [`MANIFEST`].
    #[default]
    Right,
    /// These bytes.
    Bytes(Vec<u8>),
    /// It never ends.
    Endless,
    /// It stops in the middle.
    Stalling,
}

/// What a token server answers.
#[derive(Clone, Debug)]
pub enum Grant {
    Body(String),
    Status(u16),
    Endless,
    Redirect(String),
}

/// One request as it arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: Method,
    pub path: String,
    pub version: Version,
    pub accept: Vec<String>,
    pub authorization: Option<String>,
}

/// The registry; it ends when this is dropped.
pub struct Hostile {
    served: Served,
    ca_pem: String,
    state: Arc<Mutex<State>>,
}

struct State {
    host: String,
    scheme: &'static str,
    tricks: Tricks,
    seen: Vec<Seen>,
    granted: String,
}

impl Hostile {
    /// Over TLS, HTTP/1.1 and 2.
    pub async fn start(tricks: Tricks) -> Self {
        Self::speaking(&["h2", "http/1.1"], tricks).await
    }

    /// Over TLS with these protocols only.
    pub async fn speaking(alpn: &[&str], tricks: Tricks) -> Self {
        Self::serving(Some(alpn), tricks).await
    }

    /// Without TLS.
    pub async fn plain(tricks: Tricks) -> Self {
        Self::serving(None, tricks).await
    }

    async fn serving(alpn: Option<&[&str]>, tricks: Tricks) -> Self {
        let ca = Ca::new("a hostile registry's CA");
        let identity = ca.server(&["127.0.0.1", "localhost", "registry.example"]);
        let state = Arc::new(Mutex::new(State {
            host: String::new(),
            scheme: if alpn.is_some() { "https" } else { "http" },
            tricks,
            seen: Vec::new(),
            granted: "granted".to_owned(),
        }));
        let shared = Arc::clone(&state);
        let tls = alpn.map(|alpn| tls(&identity, alpn));
        let served = serve(tls, Distance::default(), move |request| {
            let answer = shared.lock().unwrap().answer(&request);
            async move {
                match answer {
                    Some(answer) => answer,
                    None => std::future::pending().await,
                }
            }
        })
        .await;
        let ca_pem = ca.pem().to_owned();
        let registry = Self {
            served,
            ca_pem,
            state,
        };
        registry.state().host = registry.host();
        registry
    }

    /// Its address, as references spell it.
    pub fn host(&self) -> String {
        self.served.address().to_string()
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.served.address().port()
    }

    /// The CA that its certificate is from.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Changes the switches.
    pub fn trick(&self, change: impl FnOnce(&mut Tricks)) {
        change(&mut self.state().tricks);
    }

    /// Grants, and takes, another token from now on.
    pub fn grant(&self, token: &str) {
        token.clone_into(&mut self.state().granted);
    }

    /// The requests since the start, or since this was last called.
    pub fn take_seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.state().seen)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl State {
    fn answer(&mut self, request: &Request<Incoming>) -> Option<Response<Body>> {
        self.seen.push(Seen::of(request));
        if self.tricks.hangs {
            return None;
        }
        let path = request.uri().path();
        Some(match path {
            "/token" => self.token(),
            "/v2/" => self.challenge(),
            _ if path.contains("/manifests/") => self.manifest(request),
            _ => status(404),
        })
    }

    fn token(&self) -> Response<Body> {
        match &self.tricks.token {
            None => Response::new(Body::from(json!({"token": self.granted}).to_string())),
            Some(Grant::Body(body)) => Response::new(Body::from(body.clone())),
            Some(Grant::Status(code)) => status(*code),
            Some(Grant::Endless) => Response::new(endless(b"{\"token\":\"")),
            Some(Grant::Redirect(to)) => redirect(to),
        }
    }

    fn manifest(&self, request: &Request<Incoming>) -> Response<Body> {
        let tricks = &self.tricks;
        if !self.is_authorised(request) {
            return if tricks.silent {
                status(401)
            } else {
                self.challenge()
            };
        }
        if let Some(after) = &tricks.limited {
            let mut response = status(429);
            let after = http::HeaderValue::from_bytes(after.as_bytes()).unwrap();
            response.headers_mut().insert(header::RETRY_AFTER, after);
            return response;
        }
        if let Some(to) = &tricks.redirect {
            return redirect(to);
        }
        if let Some(code) = tricks.head.filter(|_| request.method() == Method::HEAD) {
            return status(code);
        }
        if let Some((code, name)) = tricks.status {
            let mut response = status(code);
            *response.body_mut() = Body::from(json!({"errors": [{"code": name}]}).to_string());
            return response;
        }
        self.content()
    }

    fn content(&self) -> Response<Body> {
        let tricks = &self.tricks;
        let mut response = Response::builder().header(
            header::CONTENT_TYPE,
            tricks.media_type.unwrap_or(MEDIA_TYPE),
        );
        let right = || Digest::of(MANIFEST.as_bytes()).to_string();
        let digest = tricks.digest.clone().unwrap_or_else(right);
        if !digest.is_empty() {
            response = response.header("docker-content-digest", digest);
        }
        let body = match &tricks.content {
            Content::Right => Body::from(MANIFEST),
            Content::Bytes(bytes) => Body::from(bytes.clone()),
            Content::Endless => endless(b"{"),
            Content::Stalling => stalling(),
        };
        response.body(body).unwrap()
    }

    fn is_authorised(&self, request: &Request<Incoming>) -> bool {
        let carried = request.headers().get(header::AUTHORIZATION);
        let carried = carried
            .map(|value| value.to_str().unwrap())
            .unwrap_or_default();
        match self.tricks.wants {
            Wants::Nothing => true,
            Wants::Basic => carried.starts_with("Basic "),
            Wants::Bearer => carried.strip_prefix("Bearer ") == Some(&self.granted),
        }
    }

    fn challenge(&self) -> Response<Body> {
        let mut response = status(401);
        let own = format!("{}://{}/token", self.scheme, self.host);
        let challenge = match self.tricks.wants {
            Wants::Nothing => return status(200),
            Wants::Basic => r#"Basic realm="here""#.to_owned(),
            Wants::Bearer => {
                let realm = self.tricks.realm.as_ref().unwrap_or(&own);
                format!(r#"Bearer realm="{realm}",service="hostile""#)
            }
        };
        let headers = response.headers_mut();
        headers.insert(header::WWW_AUTHENTICATE, challenge.parse().unwrap());
        response
    }
}

impl Seen {
    fn of(request: &Request<Incoming>) -> Self {
        let texts = |name| {
            let values = request.headers().get_all(name).iter();
            values.map(|value| value.to_str().unwrap().to_owned())
        };
        Self {
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            version: request.version(),
            accept: texts(header::ACCEPT).collect(),
            authorization: texts(header::AUTHORIZATION).next(),
        }
    }
}

fn status(code: u16) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(code).unwrap();
    response
}

fn redirect(to: &str) -> Response<Body> {
    let mut response = status(307);
    response
        .headers_mut()
        .insert(header::LOCATION, to.parse().unwrap());
    response
}

fn endless(start: &'static [u8]) -> Body {
    let piece = Bytes::from_static(&[b' '; 16 << 10]);
    let pieces = stream::repeat_with(move || Ok::<_, std::io::Error>(piece.clone()));
    let start = stream::once(async move { Ok(Bytes::from_static(start)) });
    Body::from_stream(start.chain(pieces))
}

fn stalling() -> Body {
    let first = stream::once(async { Ok::<_, std::io::Error>(Bytes::from_static(b"{")) });
    let never = stream::once(async {
        sleep(Duration::from_hours(1)).await;
        Ok(Bytes::new())
    });
    Body::from_stream(first.chain(never))
}
