//! The CNCF registry itself, as the servers before it ask it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{StatusCode, Uri, Version};
use axum::response::Response;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// Cheap to clone; clones share the delay.
#[derive(Clone)]
pub(super) struct Behind {
    client: Client<HttpConnector, Body>,
    host: String,
    delay: Arc<AtomicU64>,
}

impl Behind {
    pub(super) fn new(host: String) -> Self {
        Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            host,
            delay: Arc::default(),
        }
    }

    /// Every answer is late by this much.
    pub(super) fn delay(&self, delay: Duration) {
        let millis = u64::try_from(delay.as_millis()).expect("a short time");
        self.delay.store(millis, Ordering::SeqCst);
    }

    /// Passes a request on as it is: the registry answers with relative locations.
    pub(super) async fn pass(&self, mut request: Request) -> Response {
        let path = request
            .uri()
            .path_and_query()
            .map_or("/", |path| path.as_str());
        let uri = format!("http://{}{path}", self.host).parse::<Uri>();
        *request.uri_mut() = uri.expect("a path that came in a request");
        *request.version_mut() = Version::HTTP_11;
        let delay = Duration::from_millis(self.delay.load(Ordering::SeqCst));
        tokio::time::sleep(delay).await;
        match self.client.request(request).await {
            Ok(response) => response.map(Body::new),
            Err(error) => Response::builder()
                .status(StatusCode::BAD_GATEWAY)
                .body(Body::from(error.to_string()))
                .expect("a response"),
        }
    }
}
