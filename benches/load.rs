//! A caller that sends reviews as the API server does: HTTP/1.1 over TLS on connections that stay open.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{net::TcpStream, task::JoinSet};
use tokio_rustls::TlsConnector;

use crate::{answer::Expected, reviews::Review};

/// A server that answers reviews.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    /// The path and the query of each request.
    pub(crate) path: String,
    pub(crate) tls: Arc<ClientConfig>,
}

/// One open connection.
pub(crate) struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    target: Target,
    expected: Expected,
}

/// What one round of load showed.
pub(crate) struct Sample {
    pub(crate) took: Duration,
    /// One of each answer.
    pub(crate) latencies: Vec<Duration>,
}

/// Opens a TLS connection with a small HTTP/1.1 client on it.
pub(crate) async fn dial(
    address: SocketAddr,
    tls: &Arc<ClientConfig>,
) -> Result<http1::SendRequest<Full<Bytes>>> {
    let tcp = TcpStream::connect(address).await?;
    tcp.set_nodelay(true)?;
    let name = ServerName::from(address.ip());
    let stream = TlsConnector::from(Arc::clone(tls))
        .connect(name, tcp)
        .await?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

impl Connection {
    pub(crate) async fn open(target: &Target, expected: Expected) -> Result<Self> {
        let sender = dial(target.address, &target.tls).await?;
        Ok(Self {
            sender,
            target: target.clone(),
            expected,
        })
    }

    /// Opens several, a few at a time, so that no handshake waits long.
    pub(crate) async fn open_many(
        target: &Target,
        expected: &Expected,
        count: usize,
    ) -> Result<Vec<Self>> {
        let mut open = Vec::with_capacity(count);
        while open.len() < count {
            let next = (count - open.len()).min(16);
            let dials = (0..next).map(|_| Self::open(target, expected.clone()));
            open.extend(futures_util::future::try_join_all(dials).await?);
        }
        Ok(open)
    }

    /// Sends one review, checks its answer and says how long it took and how many bytes it had.
    pub(crate) async fn send(&mut self, review: &Review) -> Result<(Duration, usize)> {
        let (took, answer) = self.answer(review).await?;
        Ok((took, answer.len()))
    }

    /// The same, with the answer itself.
    pub(crate) async fn answer(&mut self, review: &Review) -> Result<(Duration, Bytes)> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let (uid, body) = review.numbered(NUMBER.fetch_add(1, Ordering::Relaxed));
        let request = Request::post(&self.target.path)
            .header(header::HOST, self.target.address.to_string())
            .header(header::USER_AGENT, "kube-apiserver-admission")
            .header(header::ACCEPT, "application/json, */*")
            .header(header::ACCEPT_ENCODING, "gzip")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body))?;
        let start = Instant::now();
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        let status = response.status();
        let answer = response.into_body().collect().await?.to_bytes();
        let took = start.elapsed();
        ensure!(
            status == 200,
            "status {status}: {}",
            String::from_utf8_lossy(&answer)
        );
        self.expected.check(&uid, &answer)?;
        Ok((took, answer))
    }
}

/// Sends the same review over all connections, each as fast as it is answered.
pub(crate) async fn run(
    connections: &mut Vec<Connection>,
    review: &Arc<Review>,
    time: Duration,
) -> Result<Sample> {
    let start = Instant::now();
    let mut senders = JoinSet::new();
    for mut connection in connections.drain(..) {
        let review = Arc::clone(review);
        senders.spawn(async move {
            let mut latencies = Vec::with_capacity(1 << 14);
            while start.elapsed() < time {
                latencies.push(connection.send(&review).await?.0);
            }
            Ok::<_, anyhow::Error>((connection, latencies))
        });
    }
    let mut latencies = Vec::new();
    while let Some(ended) = senders.join_next().await {
        let (connection, mut its_own) = ended??;
        connections.push(connection);
        latencies.append(&mut its_own);
    }
    Ok(Sample {
        took: start.elapsed(),
        latencies,
    })
}
