//! A webhook that answers whatever a row wants, and remembers what it was asked.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use axum::{Extension, Router};
use futures_util::stream;
use serde_json::{Value, json};

use crate::answers;
use crate::support::ca::Ca;
use crate::support::https_server::{HttpsServer, Peer};

/// What goes out, byte for byte.
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// Spaces in front of the body.
    pub padding: usize,
    pub delay: Duration,
}

/// What came in.
#[derive(Clone)]
pub struct Call {
    pub path: String,
    pub query: String,
    pub peer: SocketAddr,
    /// Bytes of the body.
    pub size: usize,
    pub review: Value,
}

pub struct Scripted {
    ca: Ca,
    server: HttpsServer,
    nameless: HttpsServer,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Scripted {
    pub fn start() -> Self {
        let ca = Ca::new("scripted webhook");
        let calls = Arc::default();
        let router = Router::new()
            .fallback(answer)
            .layer(axum::extract::DefaultBodyLimit::disable())
            .with_state(Arc::clone(&calls));
        let nameless = HttpsServer::start_http1(0, &ca.server(&[]), router.clone());
        let server = HttpsServer::start_http1(0, &ca.local_server(), router);
        Self {
            ca,
            server,
            nameless,
            calls,
        }
    }

    pub fn ca(&self) -> &str {
        self.ca.pem()
    }

    /// `127.0.0.1:port`.
    pub fn host(&self) -> String {
        self.server.address().to_string()
    }

    /// The same webhook with a certificate that names nobody.
    pub fn nameless_host(&self) -> String {
        self.nameless.address().to_string()
    }

    /// The calls of a site, oldest first.
    pub fn calls(&self, wanted: impl Fn(&Call) -> bool) -> Vec<Call> {
        let calls = self.calls.lock().expect("calls");
        calls.iter().filter(|call| wanted(call)).cloned().collect()
    }
}

impl Call {
    pub fn request(&self) -> &Value {
        &self.review["request"]
    }
}

impl Answer {
    /// A `response` in the review that answers v1.
    pub fn response(response: &Value) -> Self {
        Self::review(
            &json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}),
        )
    }

    pub fn review(review: &Value) -> Self {
        Self::body("application/json", review.to_string())
    }

    pub fn body(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            headers: vec![("content-type", content_type.to_owned())],
            body: body.into(),
            padding: 0,
            delay: Duration::ZERO,
        }
    }

    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn after(mut self, seconds: u64) -> Self {
        self.delay = Duration::from_secs(seconds);
        self
    }

    pub fn padded(mut self, bytes: usize) -> Self {
        self.padding = bytes;
        self
    }
}

async fn answer(
    State(calls): State<Arc<Mutex<Vec<Call>>>>,
    Extension(Peer(peer)): Extension<Peer>,
    uri: Uri,
    body: Bytes,
) -> Response {
    let call = Call {
        path: uri.path().to_owned(),
        query: uri.query().unwrap_or_default().to_owned(),
        peer,
        size: body.len(),
        review: serde_json::from_slice(&body).unwrap_or_default(),
    };
    let namespace = &call.request()["namespace"];
    let same = |one: &&Call| one.path == call.path && one.request()["namespace"] == *namespace;
    let (answer, delay) = {
        let mut calls = calls.lock().expect("calls");
        let before = calls.iter().filter(same).count();
        let answer = answers::to(&call, before);
        calls.push(call);
        let delay = answer.delay;
        (answer, delay)
    };
    tokio::time::sleep(delay).await;
    let mut response = Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(*name, value);
    }
    response
        .body(body_of(answer.padding, answer.body))
        .expect("a response")
}

fn body_of(padding: usize, rest: Vec<u8>) -> Body {
    const CHUNK: usize = 1 << 20;
    static SPACES: &[u8] = &[b' '; CHUNK];
    if padding == 0 {
        return Body::from(rest);
    }
    let spaces = std::iter::repeat_n(Bytes::from_static(SPACES), padding / CHUNK);
    let chunks = spaces.chain([Bytes::from(rest)]);
    Body::from_stream(stream::iter(chunks.map(Ok::<_, Infallible>)))
}
