//! Which request gets which answer.

use std::{sync::Arc, time::Duration};

use http::{Method, Request};
use rstest::rstest;
use tokio::{io::AsyncWriteExt, task::JoinSet};

use crate::support::{PATIENCE, Server, post, say, text};
use cotter::http::listener::Limits;

#[tokio::test]
async fn reviews_share_a_connection() {
    let server = Server::start().await;
    let mut sender = server.http1().await;
    for (path, body, expected) in [
        ("/mutate?timeout=10s", "{}", "2 bytes, Some(10s)"),
        ("/mutate?timeout=2.5s", "one", "3 bytes, Some(2.5s)"),
        ("/mutate?timeout=soon", "{}", "2 bytes, None"),
        ("/mutate", "", "0 bytes, None"),
    ] {
        sender.ready().await.unwrap();
        let response = sender.send_request(post(path, body)).await.unwrap();
        let headers = response.headers();
        assert_eq!(headers["content-type"], "application/json", "{path}");
        assert!(!headers.contains_key("connection"), "{path}");
        assert_eq!(text(response).await, (200, expected.to_owned()));
    }
}

#[tokio::test]
async fn http2_serves_reviews_side_by_side() {
    let server = Server::start().await;
    let sender = server.http2().await;
    let mut waiting = sender.clone();
    let slow = tokio::spawn(async move {
        let response = waiting.send_request(post("/mutate", "wait")).await;
        text(response.unwrap()).await
    });
    server.wait_for(1).await;
    let quick = sender.clone().send_request(post("/mutate", "{}")).await;
    assert_eq!(text(quick.unwrap()).await.1, "2 bytes, None");
    server.gate.add_permits(1);
    assert_eq!(slow.await.unwrap(), (200, "wait".to_owned()));
}

#[tokio::test]
async fn registries_have_a_path_of_their_own_below_the_secret_one() {
    let review = r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u","kind":{"group":"cotter.dev","kind":"Registry"},"operation":"DELETE","oldObject":{}}}"#;
    let answer = |path: &'static str, body: &'static str, guarded: bool| async move {
        let server = if guarded {
            Server::guarded().await
        } else {
            Server::start().await
        };
        let mut sender = server.http1().await;
        text(sender.send_request(post(path, body)).await.unwrap()).await
    };
    let (status, said) = answer("/mutate/registries?timeout=10s", review, true).await;
    assert_eq!(status, 200, "{said}");
    assert!(
        said.contains(r#""allowed":true"#) && said.contains(r#""uid":"u""#),
        "{said}"
    );
    let (status, said) = answer("/mutate/registries", "{}", true).await;
    assert_eq!(status, 400, "{said}");
    assert!(
        said.starts_with("expected admission.k8s.io/v1 AdmissionReview"),
        "{said}"
    );
    // Pods are answered as ever, and nobody else's path.
    assert_eq!(answer("/mutate", "{}", true).await.1, "2 bytes, None");
    for path in [
        "/registries",
        "/mutate/registries/",
        "/mutate/registries/registries",
    ] {
        assert_eq!(answer(path, review, true).await.0, 404, "{path}");
    }
    assert_eq!(answer("/mutate/registries", review, false).await.0, 404);
}

#[tokio::test]
async fn a_large_review_arrives_whole() {
    let server = Server::start().await;
    let mut sender = server.http1().await;
    let body = vec![b' '; 5 << 20];
    let response = sender.send_request(post("/mutate", body)).await.unwrap();
    assert_eq!(text(response).await.1, "5242880 bytes, None");
}

#[rstest]
#[case::elsewhere("POST /mutate/ HTTP/1.1", "404 Not Found")]
#[case::root("POST / HTTP/1.1", "404 Not Found")]
#[case::operations("GET /livez HTTP/1.1", "404 Not Found")]
#[case::upper_case("POST /Mutate HTTP/1.1", "404 Not Found")]
#[case::get("GET /mutate HTTP/1.1", "405 Method Not Allowed")]
#[case::put("PUT /mutate HTTP/1.1", "405 Method Not Allowed")]
#[tokio::test]
async fn what_is_no_review_is_refused_before_its_body_comes(
    #[case] line: &str,
    #[case] status: &str,
) {
    let server = Server::start().await;
    let mut stream = server.connect().await;
    let head = format!("{line}\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n");
    let answer = say(&mut stream, head.as_bytes()).await;
    assert!(
        answer.starts_with(&format!("HTTP/1.1 {status}\r\n")),
        "{answer}"
    );
    let lower = answer.to_lowercase();
    assert!(lower.contains("connection: close\r\n"), "{answer}");
    assert!(!lower.contains("retry-after") && !lower.contains("location"));
    assert_eq!(lower.contains("allow: post\r\n"), status.starts_with("405"));
}

#[tokio::test]
async fn a_refusal_reaches_who_is_still_sending() {
    let server = Server::start().await;
    let mut stream = server.connect().await;
    let head = "POST /elsewhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\n\r\n";
    let mut request = head.as_bytes().to_vec();
    request.resize(request.len() + 200_000, b'x');
    let answer = say(&mut stream, &request).await;
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
}

#[tokio::test]
async fn an_oversized_body_is_413_and_the_next_review_is_served() {
    let server = Server::start().await;
    let mut sender = server.http1().await;
    let body = vec![b' '; (32 << 20) + 1];
    let response = sender.send_request(post("/mutate", body)).await.unwrap();
    let (status, line) = text(response).await;
    assert_eq!(
        (status, line.as_str()),
        (413, "the body is larger than 32 MiB\n")
    );
    let mut stream = server.connect().await;
    let head = "POST /mutate HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n\
                Content-Length: 33554433\r\n\r\n";
    let answer = say(&mut stream, head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert_eq!(server.review("{}").await.0, 200);
}

#[tokio::test]
async fn a_slow_body_is_408() {
    let server = Server::start().await;
    let mut stream = server.connect().await;
    let head = "POST /mutate?timeout=200ms HTTP/1.1\r\nHost: localhost\r\n\
                Content-Length: 10\r\n\r\n{";
    let answer = say(&mut stream, head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert_eq!(server.review("{}").await.0, 200);
}

#[tokio::test]
async fn a_bad_review_and_a_panic_hurt_nobody_else() {
    let server = Server::start().await;
    let mut sender = server.http1().await;
    for (body, expected) in [
        ("bad", (400, "not a review\n")),
        ("panic", (500, "the review failed inside cotter\n")),
        ("{}", (200, "2 bytes, None")),
    ] {
        sender.ready().await.unwrap();
        let response = sender.send_request(post("/mutate", body)).await.unwrap();
        let (status, line) = text(response).await;
        assert_eq!((status, line.as_str()), expected);
    }
    let metrics = server.metrics.encode();
    let counted = r#"cotter_admissions_total{answer="panicked"} 1"#;
    assert!(metrics.contains(counted), "{metrics}");
}

#[tokio::test]
async fn a_request_that_is_not_http_is_400() {
    let server = Server::start().await;
    let mut stream = server.connect().await;
    let answer = say(&mut stream, b"what is this?\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert_eq!(server.review("{}").await.0, 200);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_let_go() {
    let server = Server::start().await;
    let mut stream = server.connect().await;
    let head = "POST /mutate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.unwrap();
    drop(stream);
    assert_eq!(server.review("{}").await.0, 200);
}

#[tokio::test]
async fn large_bodies_share_a_budget_and_small_ones_wait_their_turn() {
    // Room for one body of the largest size.
    let server = Arc::new(Server::with(Limits::default(), 32 << 20).await);
    let mut body = b"wait".to_vec();
    body.resize(31 << 20, b' ');
    let mut held = server.http1().await;
    let holds = tokio::spawn(async move {
        let response = held.send_request(post("/mutate", body)).await;
        text(response.unwrap()).await.0
    });
    server.wait_for(1).await;
    let mut crowded = server.http1().await;
    let request = post("/mutate?timeout=300ms", vec![b' '; 2 << 20]);
    let response = crowded.send_request(request).await.unwrap();
    assert!(!response.headers().contains_key("retry-after"));
    assert_eq!(
        text(response).await,
        (503, "too many large reviews at once\n".to_owned())
    );
    let mut waits = JoinSet::new();
    for _ in 0..3 {
        let mut sender = server.http1().await;
        waits.spawn(async move {
            let request = post("/mutate?timeout=20s", vec![b' '; 2 << 20]);
            text(sender.send_request(request).await.unwrap()).await.0
        });
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    server.gate.add_permits(1);
    assert_eq!(holds.await.unwrap(), 200);
    let all = tokio::time::timeout(PATIENCE, waits.join_all()).await;
    assert_eq!(all.unwrap(), [200, 200, 200]);
}

#[tokio::test]
async fn other_methods_over_http2_are_refused_without_ending_the_connection() {
    let server = Server::start().await;
    let mut sender = server.http2().await;
    let mut get = post("/mutate", "");
    *get.method_mut() = Method::GET;
    let response = sender.send_request(get).await.unwrap();
    assert_eq!(response.status().as_u16(), 405);
    assert!(!response.headers().contains_key("connection"));
    let elsewhere: Request<_> = post("/", "{}");
    let response = sender.send_request(elsewhere).await.unwrap();
    assert_eq!(response.status().as_u16(), 404);
    let response = sender.send_request(post("/mutate", "{}")).await.unwrap();
    assert_eq!(response.status().as_u16(), 200);
}
