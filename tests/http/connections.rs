//! Slow and many connections.

use std::time::{Duration, Instant};

use cotter::http::listener::Limits;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::support::{PATIENCE, Server, post, say, text};

fn hasty() -> Limits {
    Limits {
        handshake: Duration::from_millis(200),
        head: Duration::from_millis(200),
        idle: Duration::from_millis(400),
        ..Limits::default()
    }
}

#[tokio::test]
async fn a_silent_handshake_ends_and_blocks_nobody() {
    let server = Server::with(hasty(), 0).await;
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    assert_eq!(server.review("{}").await.0, 200);
    let mut heard = Vec::new();
    let ended = timeout(PATIENCE, silent.read_to_end(&mut heard)).await;
    ended.expect("the server gives up").unwrap();
}

#[tokio::test]
async fn a_connection_without_a_request_is_closed() {
    let server = Server::with(hasty(), 0).await;
    let mut stream = server.connect().await;
    let mut heard = Vec::new();
    // Cut without a goodbye, which a TLS reader reports.
    let ended = timeout(PATIENCE, stream.read_to_end(&mut heard)).await;
    let _ = ended.expect("the server closes");
    assert!(heard.is_empty());
}

#[tokio::test]
async fn a_slow_head_is_cut_although_bytes_keep_coming() {
    let server = Server::with(hasty(), 0).await;
    let (mut reader, mut writer) = tokio::io::split(server.connect().await);
    let drip = async {
        let head = b"POST /mutate HTTP/1.1\r\nX-Slow: ".iter();
        for byte in head.chain(std::iter::repeat(&b'x')) {
            if writer.write_all(&[*byte]).await.is_err() || writer.flush().await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let mut heard = Vec::new();
    let cut = async {
        tokio::select! {
            _ = reader.read_to_end(&mut heard) => {}
            () = drip => {}
        }
    };
    timeout(PATIENCE, cut).await.expect("the server closes");
    assert_eq!(server.review("{}").await.0, 200);
}

#[tokio::test]
async fn an_idle_connection_is_closed_politely_and_a_waiting_review_is_not_idle() {
    let server = Server::with(hasty(), 0).await;
    let mut idle = server.connect().await;
    let request = "POST /mutate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}";
    let begun = Instant::now();
    let heard = say(&mut idle, request.as_bytes()).await;
    assert!(heard.starts_with("HTTP/1.1 200"), "{heard}");
    assert!(begun.elapsed() >= hasty().idle);
    let mut sender = server.http1().await;
    let slow = tokio::spawn(async move {
        let response = sender.send_request(post("/mutate", "wait")).await;
        text(response.unwrap()).await.0
    });
    server.wait_for(1).await;
    tokio::time::sleep(3 * hasty().idle).await;
    server.gate.add_permits(1);
    assert_eq!(slow.await.unwrap(), 200);
}

#[tokio::test]
async fn beyond_the_cap_callers_wait_for_a_place() {
    let limits = Limits {
        connections: 2,
        ..Limits::default()
    };
    let server = Server::with(limits, 0).await;
    let (first, second) = (server.connect().await, server.connect().await);
    let mut third = Box::pin(server.review("{}"));
    let early = timeout(Duration::from_millis(200), third.as_mut()).await;
    assert!(early.is_err(), "there was no place for a third");
    drop(first);
    let late = timeout(PATIENCE, third).await.expect("a place is free");
    assert_eq!(late.0, 200);
    drop(second);
}

#[tokio::test]
async fn a_head_that_is_too_large_is_431() {
    let server = Server::start().await;
    let mut stream = server.connect().await;
    let filler = "x".repeat(200 << 10);
    let head = format!("POST /mutate HTTP/1.1\r\nX-Large: {filler}\r\n\r\n");
    let answer = say(&mut stream, head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}
