//! What the kubelet and Prometheus ask: `/livez`, `/readyz` and `/metrics`. Plain HTTP, on a port of its own.

use std::{fmt::Write, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{Path, RawQuery, State},
    routing::get,
};
use http::{HeaderValue, Response, StatusCode, header::CONTENT_TYPE};
use percent_encoding::percent_decode_str;

use super::{Request, Site};
use crate::telemetry::{
    metrics::Metrics,
    readiness::{Check, Readiness},
};

const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// The site of the operations port.
///
/// `/livez` is 200 while the process can answer at all. `/readyz` is 200 and `ok`, or 503, with a line for each check
/// that has not passed or has a flaw. Both take what the API server's own take: `?verbose` for a line of every check,
/// `?exclude=NAME` for all but one, as often as wanted, and a check's name as a further segment of the path for that one
/// alone. A space in a name may be written as a hyphen. `/metrics` is OpenMetrics 1.0.
pub fn site(metrics: Arc<Metrics>, readiness: Readiness) -> Router {
    Router::new()
        .route("/livez", get(live))
        .route("/livez/{name}", get(live_one))
        .route("/readyz", get(ready).with_state(readiness.clone()))
        .route("/readyz/{name}", get(ready_one).with_state(readiness))
        .route("/metrics", get(exposition).with_state(metrics))
}

async fn live(query: RawQuery) -> Response<Body> {
    page("livez", &[ping()], query)
}

async fn live_one(Path(name): Path<String>, query: RawQuery) -> Response<Body> {
    one("livez", vec![ping()], &name, query)
}

async fn ready(query: RawQuery, State(readiness): State<Readiness>) -> Response<Body> {
    page("readyz", &readiness.checks(), query)
}

async fn ready_one(
    Path(name): Path<String>,
    query: RawQuery,
    State(readiness): State<Readiness>,
) -> Response<Body> {
    one("readyz", readiness.checks(), &name, query)
}

/// Passed by being asked.
fn ping() -> Check {
    Check {
        name: "ping".into(),
        waits_for: None,
        flaw: None,
    }
}

fn one(probe: &str, mut checks: Vec<Check>, name: &str, query: RawQuery) -> Response<Body> {
    checks.retain(|check| is_called(check, name));
    if checks.is_empty() {
        let line = format!("no check of {probe} is called {name:?}; /{probe}?verbose lists them\n");
        return text(StatusCode::NOT_FOUND, line);
    }
    page(probe, &checks, query)
}

fn page(probe: &str, checks: &[Check], RawQuery(query): RawQuery) -> Response<Body> {
    let query = query.unwrap_or_default();
    let pairs = || {
        query
            .split('&')
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
    };
    let verbose = pairs().any(|(key, _)| key == "verbose");
    let excluded: Vec<_> = pairs()
        .filter(|(key, _)| *key == "exclude")
        .map(|(_, name)| {
            percent_decode_str(name)
                .decode_utf8_lossy()
                .replace('+', " ")
        })
        .collect();
    let is_excluded = |check: &Check| excluded.iter().any(|name| is_called(check, name));
    let failed = checks
        .iter()
        .any(|check| check.waits_for.is_some() && !is_excluded(check));
    // Writing into a String cannot fail, in all of these.
    let mut lines = String::new();
    for check in checks {
        if is_excluded(check) {
            if verbose || failed {
                let _ = writeln!(lines, "[+] {}: excluded", check.name);
            }
        } else if verbose || check.waits_for.is_some() || check.flaw.is_some() {
            let _ = writeln!(lines, "{check}");
        }
    }
    for name in &excluded {
        if !checks.iter().any(|check| is_called(check, name)) {
            let _ = writeln!(lines, "warn: nothing to exclude is called {name:?}");
        }
    }
    let (status, last) = match (failed, verbose) {
        (true, _) => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("{probe} check failed\n"),
        ),
        (false, true) => (StatusCode::OK, format!("{probe} check passed\n")),
        (false, false) => (StatusCode::OK, "ok\n".to_owned()),
    };
    text(status, lines + &last)
}

fn is_called(check: &Check, name: &str) -> bool {
    let letters = |text: &str| text.replace('-', " ");
    letters(&check.name) == letters(name)
}

async fn exposition(State(metrics): State<Arc<Metrics>>) -> Response<Body> {
    let mut response = text(StatusCode::OK, metrics.encode());
    response.headers_mut().insert(CONTENT_TYPE, OPEN_METRICS);
    response
}

fn text(status: StatusCode, text: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, TEXT);
    response
}

// === impl Router ===

impl Site for Router {
    type Body = Body;

    async fn answer(self, request: Request) -> Response<Self::Body> {
        match tower::ServiceExt::oneshot(self, request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

#[cfg(test)]
mod tests {
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
        "[-] watches: namespaces not listed\nreadyz check failed\n"
    )]
    #[case::waiting_all(
        "/readyz?verbose",
        false,
        503,
        "[+] certificate\n[-] watches: namespaces not listed\nreadyz check failed\n"
    )]
    #[case::ready("/readyz", true, 200, "ok\n")]
    #[case::ready_all(
        "/readyz?verbose=1",
        true,
        200,
        "[+] certificate\n[+] watches\nreadyz check passed\n"
    )]
    #[case::one_left_out("/readyz?exclude=watches", false, 200, "ok\n")]
    #[case::one_left_out_of_all(
        "/readyz?exclude=watches&verbose",
        false,
        200,
        "[+] certificate\n[+] watches: excluded\nreadyz check passed\n"
    )]
    #[case::another_left_out(
        "/readyz?exclude=certificate",
        false,
        503,
        "[+] certificate: excluded\n[-] watches: namespaces not listed\nreadyz check failed\n"
    )]
    #[case::an_unknown_one_left_out(
        "/readyz?exclude=etcd",
        true,
        200,
        "warn: nothing to exclude is called \"etcd\"\nok\n"
    )]
    #[case::one_alone("/readyz/certificate", false, 200, "ok\n")]
    #[case::one_alone_waiting(
        "/readyz/watches",
        false,
        503,
        "[-] watches: namespaces not listed\nreadyz check failed\n"
    )]
    #[case::an_unknown_one_alone(
        "/readyz/etcd",
        true,
        404,
        "no check of readyz is called \"etcd\"; /readyz?verbose lists them\n"
    )]
    #[case::live_all("/livez?verbose", false, 200, "[+] ping\nlivez check passed\n")]
    #[case::live_one("/livez/ping", false, 200, "ok\n")]
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

    #[rstest]
    #[case::a_hyphen("/readyz/config-map")]
    #[case::percent("/readyz/config%20map")]
    #[case::excluded_with_a_hyphen("/readyz?exclude=config-map")]
    #[case::excluded_with_percent("/readyz?exclude=config%20map")]
    #[case::excluded_with_a_plus("/readyz?exclude=config+map")]
    #[tokio::test]
    async fn a_name_of_two_words(#[case] path: &str) {
        let readiness = Readiness::default();
        readiness.check("config map").wait_for("not listed yet");
        let site = site(Arc::default(), readiness);
        let expected = if path.contains('?') { 200 } else { 503 };
        assert_eq!(get(&site, path).await.0, expected);
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
