//! Metadata servers: plain HTTP to an address of the node, never through a proxy. They tell who a Pod is.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, header::HOST};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, time::timeout};

use crate::registry::post::Answer;

/// Their port.
const PORT: u16 = 80;

/// How long one may take. It is on the node, and behind it a cloud that is asked for a token.
const PATIENCE: Duration = Duration::from_secs(10);

/// A token is a few kilobytes long.
const LONGEST: usize = 64 << 10;

/// Gets `path` from the metadata server at `host[:port]`, with the header without which it answers nobody.
///
/// # Errors
/// Why there is no answer, in one line.
pub(super) async fn get(host: &str, path: &str, header: (&str, &str)) -> Result<Answer, String> {
    let request = Request::get(path)
        .header(HOST, host)
        .header(header.0, header.1)
        .body(Empty::new());
    let request = request.map_err(|_| format!("{host} is no host of a metadata server"))?;
    let answer = timeout(PATIENCE, ask(host, request)).await;
    let late = |_| Err(format!("no answer within {} s", PATIENCE.as_secs()));
    let answer = answer.unwrap_or_else(late);
    answer.map_err(|said| format!("its metadata server {host} cannot be asked: {said}"))
}

async fn ask(host: &str, request: Request<Empty<Bytes>>) -> Result<Answer, String> {
    let address = if host.contains(':') {
        host.to_owned()
    } else {
        format!("{host}:{PORT}")
    };
    let stream = TcpStream::connect(address).await;
    let stream = stream.map_err(|error| error.to_string())?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| error.to_string())?;
    let answer = async {
        let reply = sender.send_request(request).await;
        let reply = reply.map_err(|error| error.to_string())?;
        let status = reply.status();
        let body = Limited::new(reply.into_body(), LONGEST).collect().await;
        let body = body.map_err(|error| error.to_string())?.to_bytes();
        Ok(Answer { status, body })
    };
    // The connection does its work while somebody polls it.
    tokio::select! {
        answer = answer => answer,
        ended = connection => Err(ended.err().map_or_else(|| "it hung up".to_owned(), |error| error.to_string())),
    }
}
