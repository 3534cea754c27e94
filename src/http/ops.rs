//! What the kubelet and Prometheus ask: `/livez`, `/readyz` and `/metrics`. Plain HTTP, on a port of its own.

use std::{fmt::Write, sync::Arc};

use axum::{
    Router,
    extract::{RawQuery, State},
    routing::get,
};
use http::{HeaderValue, Response, StatusCode, header::CONTENT_TYPE};

use super::{Request, Site};
use crate::telemetry::{metrics::Metrics, readiness::Readiness};

const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// The site of the operations port.
///
/// `/livez` is 200 while the process can answer at all. `/readyz` is 200 and `ok`, or 503, with a line for each check
/// that has not passed or has a flaw; with `?verbose` it has a line for every check. `/metrics` is OpenMetrics 1.0.
pub fn site(metrics: Arc<Metrics>, readiness: Readiness) -> Router {
    Router::new()
        .route("/livez", get(|| async { text(StatusCode::OK, "ok\n") }))
        .route("/readyz", get(ready).with_state(readiness))
        .route("/metrics", get(exposition).with_state(metrics))
}

async fn ready(
    RawQuery(query): RawQuery,
    State(readiness): State<Readiness>,
) -> Response<axum::body::Body> {
    let verbose = query.is_some_and(|query| {
        let mut names = query.split('&').map(|pair| pair.split('=').next());
        names.any(|name| name == Some("verbose"))
    });
    let checks = readiness.checks();
    let ready = checks.iter().all(|check| check.waits_for.is_none());
    let mut lines = String::new();
    for check in checks {
        if verbose || check.waits_for.is_some() || check.flaw.is_some() {
            // Writing into a String cannot fail.
            let _ = writeln!(lines, "{check}");
        }
    }
    match (ready, verbose) {
        (true, false) => text(StatusCode::OK, lines + "ok\n"),
        (true, true) => text(StatusCode::OK, lines + "ready\n"),
        (false, _) => text(StatusCode::SERVICE_UNAVAILABLE, lines + "not ready\n"),
    }
}

async fn exposition(State(metrics): State<Arc<Metrics>>) -> Response<axum::body::Body> {
    let mut response = text(StatusCode::OK, metrics.encode());
    response.headers_mut().insert(CONTENT_TYPE, OPEN_METRICS);
    response
}

fn text(status: StatusCode, text: impl Into<axum::body::Body>) -> Response<axum::body::Body> {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, TEXT);
    response
}

// === impl Router ===

impl Site for Router {
    type Body = axum::body::Body;

    async fn answer(self, request: Request) -> Response<Self::Body> {
        match tower::ServiceExt::oneshot(self, request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http_body_util::BodyExt;
    use rstest::rstest;
    use tower::ServiceExt;

    use super::*;

    async fn get(site: &Router, path: &str) -> (u16, String, String) {
        let request = http::Request::get(path).body(Body::empty()).unwrap();
        let response = site.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let kind = head.headers.get(CONTENT_TYPE).map(|kind| kind.to_str());
        let body = body.collect().await.unwrap().to_bytes();
        (
            head.status.as_u16(),
            kind.transpose().unwrap().unwrap_or_default().to_owned(),
            String::from_utf8(body.to_vec()).unwrap(),
        )
    }

    #[rstest]
    #[case::waiting(
        "/readyz",
        false,
        503,
        "[-] watches: namespaces not listed\nnot ready\n"
    )]
    #[case::waiting_all(
        "/readyz?verbose",
        false,
        503,
        "[+] certificate\n[-] watches: namespaces not listed\nnot ready\n"
    )]
    #[case::ready("/readyz", true, 200, "ok\n")]
    #[case::ready_all(
        "/readyz?verbose=1",
        true,
        200,
        "[+] certificate\n[+] watches\nready\n"
    )]
    #[case::live("/livez", false, 200, "ok\n")]
    #[tokio::test]
    async fn probes(
        #[case] path: &str,
        #[case] ready: bool,
        #[case] status: u16,
        #[case] body: &str,
    ) {
        let readiness = Readiness::default();
        readiness.check("certificate").pass();
        let watches = readiness.check("watches");
        watches.wait_for("namespaces not listed");
        if ready {
            watches.pass();
        }
        let site = site(Arc::default(), readiness);
        let (got, _, text) = get(&site, path).await;
        assert_eq!((got, text.as_str()), (status, body));
    }

    #[tokio::test]
    async fn metrics_are_open_metrics() {
        let site = site(Arc::default(), Readiness::default());
        let (status, kind, text) = get(&site, "/metrics").await;
        assert_eq!(status, 200);
        assert!(kind.starts_with("application/openmetrics-text"));
        assert!(text.ends_with("# EOF\n") && text.contains("cotter_admissions_in_flight"));
    }

    #[tokio::test]
    async fn other_paths_and_methods_are_refused() {
        let site = site(Arc::default(), Readiness::default());
        assert_eq!(get(&site, "/mutate").await.0, 404);
        let post = http::Request::post("/livez").body(Body::empty()).unwrap();
        assert_eq!(site.oneshot(post).await.unwrap().status(), 405);
    }
}
