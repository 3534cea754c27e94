//! A small HTTP server on 127.0.0.1 for the tests' registries: TLS or not, HTTP/1.1 and 2, at a distance.

use std::{
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::body::Body;
use http::{Request, Response};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use rustls::{ServerConfig, crypto::aws_lc_rs};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
    time::sleep,
};
use tokio_rustls::TlsAcceptor;

use super::ca::Identity;

/// How far away a server seems; it can be moved while it serves.
#[derive(Clone, Debug, Default)]
pub struct Distance(Arc<AtomicU64>);

/// A server that ends, with all its connections, when this is dropped.
#[derive(Debug)]
pub struct Served {
    address: SocketAddr,
    task: JoinHandle<()>,
}

/// A server's TLS that offers `alpn`.
pub fn tls(me: &Identity, alpn: &[&str]) -> Arc<ServerConfig> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(me.chain(), me.private_key())
        .unwrap();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    Arc::new(config)
}

/// Serves `handle` on a free port. A round trip of `distance` is waited for the TCP handshake, for the TLS handshake, and
/// for each request.
pub async fn serve<H, F>(tls: Option<Arc<ServerConfig>>, distance: Distance, handle: H) -> Served
where
    H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                continue;
            };
            let (tls, distance, handle) = (tls.clone(), distance.clone(), handle.clone());
            connections.spawn(connection(stream, tls, distance, handle));
            while connections.try_join_next().is_some() {}
        }
    });
    Served { address, task }
}

async fn connection<H, F>(
    stream: TcpStream,
    tls: Option<Arc<ServerConfig>>,
    distance: Distance,
    handle: H,
) where
    H: Fn(Request<Incoming>) -> F + Send + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let _ = stream.set_nodelay(true);
    distance.round_trip().await;
    let Some(tls) = tls else {
        return speak(stream, distance, handle).await;
    };
    distance.round_trip().await;
    // A client that does not trust the certificate hangs up; that is its test's business.
    if let Ok(stream) = TlsAcceptor::from(tls).accept(stream).await {
        speak(stream, distance, handle).await;
    }
}

async fn speak<S, H, F>(stream: S, distance: Distance, handle: H)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Fn(Request<Incoming>) -> F + Send + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let service = service_fn(move |request| {
        let (distance, answer) = (distance.clone(), handle(request));
        async move {
            distance.round_trip().await;
            Ok::<_, Infallible>(answer.await)
        }
    });
    let server = auto::Builder::new(TokioExecutor::new());
    let _ = server.serve_connection(TokioIo::new(stream), service).await;
}

impl Distance {
    /// Sets the time of a round trip.
    pub fn set(&self, round_trip: Duration) {
        let micros = u64::try_from(round_trip.as_micros()).unwrap();
        self.0.store(micros, Ordering::Relaxed);
    }

    async fn round_trip(&self) {
        let micros = self.0.load(Ordering::Relaxed);
        if micros > 0 {
            sleep(Duration::from_micros(micros)).await;
        }
    }
}

impl Served {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}
