//! Leaving and closing.

use std::time::Duration;

use cotter::http::listener::{Drained, Limits};
use tokio::{net::TcpStream, time::timeout};

use crate::support::{PATIENCE, Server, hear, post, text};

#[tokio::test]
async fn leaving_answers_everything_and_ends_each_connection_with_an_answer() {
    let server = Server::start().await;
    let mut kept = server.http1().await;
    let before = kept.send_request(post("/mutate", "{}")).await.unwrap();
    assert!(!before.headers().contains_key("connection"));
    text(before).await;
    let mut slow = server.http1().await;
    let waits = tokio::spawn(async move { slow.send_request(post("/mutate", "wait")).await });
    server.wait_for(1).await;

    server.drain.leave();
    // The connections' tasks hear of it on their own; the first answers may come before that.
    tokio::time::sleep(Duration::from_millis(100)).await;
    kept.ready().await.unwrap();
    let last = kept.send_request(post("/mutate", "{}")).await.unwrap();
    assert_eq!(last.headers()["connection"], "close");
    assert_eq!(text(last).await.0, 200);
    let mut new = server.http1().await;
    let response = new.send_request(post("/mutate", "{}")).await.unwrap();
    assert_eq!(response.headers()["connection"], "close");
    server.gate.add_permits(1);
    let response = waits.await.unwrap().unwrap();
    assert_eq!(response.headers()["connection"], "close");
    assert_eq!(text(response).await, (200, "wait".to_owned()));
}

#[tokio::test]
async fn closing_answers_what_is_in_flight_and_nothing_new() {
    let server = Server::start().await;
    let mut idle = server.connect().await;
    let mut slow = server.http1().await;
    let waits = tokio::spawn(async move { slow.send_request(post("/mutate", "wait")).await });
    server.wait_for(1).await;

    server.drain.close();
    assert_eq!(hear(&mut idle).await, "");
    drop(idle);
    let refused = async {
        while TcpStream::connect(server.address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, refused).await.expect("nobody listens");
    assert!(!server.ended.is_finished());
    server.gate.add_permits(1);
    let response = waits.await.unwrap().unwrap();
    assert_eq!(response.headers()["connection"], "close");
    assert_eq!(text(response).await, (200, "wait".to_owned()));
    assert_eq!(server.end().await, Drained { cut: 0 });
}

#[tokio::test]
async fn http2_callers_are_told_to_go_and_keep_what_is_in_flight() {
    let server = Server::start().await;
    let sender = server.http2().await;
    let mut waiting = sender.clone();
    let waits = tokio::spawn(async move { waiting.send_request(post("/mutate", "wait")).await });
    server.wait_for(1).await;
    server.drain.leave();
    let told = async {
        while sender
            .clone()
            .send_request(post("/mutate", "{}"))
            .await
            .is_ok()
        {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, told).await.expect("the server says go");
    let mut new = server.http2().await;
    let again = new.send_request(post("/mutate", "{}")).await.unwrap();
    assert_eq!(again.status().as_u16(), 200);
    server.gate.add_permits(1);
    assert_eq!(text(waits.await.unwrap().unwrap()).await.0, 200);
    server.drain.close();
    assert_eq!(server.end().await, Drained { cut: 0 });
}

#[tokio::test]
async fn a_drain_has_an_end() {
    let limits = Limits {
        drain: Duration::from_millis(200),
        ..Limits::default()
    };
    let server = Server::with(limits, 0).await;
    let mut slow = server.http1().await;
    let waits = tokio::spawn(async move { slow.send_request(post("/mutate", "wait")).await });
    server.wait_for(1).await;
    server.drain.close();
    assert!(waits.await.unwrap().is_err());
    assert_eq!(server.end().await, Drained { cut: 1 });
}

#[tokio::test]
async fn a_burst_of_callers_loses_nothing_while_the_server_leaves() {
    let server = Server::start().await;
    let callers: Vec<_> = (0..8).map(|_| caller(&server)).collect();
    let leave = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        server.drain.leave();
    };
    let (answered, ()) = tokio::join!(futures_util::future::join_all(callers), leave);
    assert!(answered.iter().all(|number| *number == 40), "{answered:?}");
    server.drain.close();
    assert_eq!(server.end().await.cut, 0);
}

/// Sends reviews one after the other as a Go client does: a new connection after each `Connection: close`.
async fn caller(server: &Server) -> usize {
    let mut sender = server.http1().await;
    let mut answered = 0;
    for _ in 0..40 {
        if sender.ready().await.is_err() {
            sender = server.http1().await;
        }
        let response = sender.send_request(post("/mutate", "{}")).await.unwrap();
        let close = response.headers().contains_key("connection");
        answered += usize::from(text(response).await.0 == 200);
        if close {
            sender = server.http1().await;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    answered
}
