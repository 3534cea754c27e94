//! An axum router over TLS on a port of 127.0.0.1, served by a runtime that outlives any test.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};

use axum::{Extension, Router};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use super::ca::Identity;

/// The runtime of the tests' own servers.
pub fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let mut builder = Builder::new_multi_thread();
        builder
            .worker_threads(2)
            .thread_name("test-servers")
            .enable_all()
            .build()
            .expect("a runtime")
    })
}

/// A listener on this port of 127.0.0.1; 0 takes a free one.
pub fn listen(port: u16) -> (TcpListener, SocketAddr) {
    listen_at((Ipv4Addr::LOCALHOST, port).into())
}

/// A listener on any address of this machine.
pub fn listen_at(address: SocketAddr) -> (TcpListener, SocketAddr) {
    let listener = std::net::TcpListener::bind(address)
        .unwrap_or_else(|error| panic!("bind {address}: {error}"));
    listener.set_nonblocking(true).expect("nonblocking");
    let address = listener.local_addr().expect("an address");
    let _inside = runtime().enter();
    (
        TcpListener::from_std(listener).expect("a listener"),
        address,
    )
}

/// Stops, connections included, when dropped.
pub struct HttpsServer {
    address: SocketAddr,
    task: JoinHandle<()>,
}

/// Where a request came from: an extension of every request.
#[derive(Clone, Copy)]
pub struct Peer(pub SocketAddr);

impl HttpsServer {
    pub fn start(port: u16, me: &Identity, router: Router) -> Self {
        Self::speaking(&[b"h2", b"http/1.1"], listen(port), me, router)
    }

    /// The same on any address of this machine.
    pub fn start_at(address: SocketAddr, me: &Identity, router: Router) -> Self {
        Self::speaking(&[b"h2", b"http/1.1"], listen_at(address), me, router)
    }

    /// The API server speaks HTTP/2 to a webhook on a loopback address, and HTTP/1.1 to those behind a Service.
    pub fn start_http1(port: u16, me: &Identity, router: Router) -> Self {
        Self::speaking(&[b"http/1.1"], listen(port), me, router)
    }

    fn speaking(
        protocols: &[&[u8]],
        (listener, address): (TcpListener, SocketAddr),
        me: &Identity,
        router: Router,
    ) -> Self {
        let mut tls = ServerConfig::builder_with_provider(Arc::new(
            rustls::crypto::aws_lc_rs::default_provider(),
        ))
        .with_safe_default_protocol_versions()
        .expect("TLS versions")
        .with_no_client_auth()
        .with_single_cert(me.chain(), me.private_key())
        .expect("a server certificate");
        tls.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        let task = runtime().spawn(accept(listener, TlsAcceptor::from(Arc::new(tls)), router));
        Self { address, task }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for HttpsServer {
    fn drop(&mut self) {
        self.task.abort();
        // The port is free when the task is gone.
        while !self.task.is_finished() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    }
}

async fn accept(listener: TcpListener, tls: TlsAcceptor, router: Router) {
    let mut connections = JoinSet::new();
    while let Ok((tcp, peer)) = listener.accept().await {
        let router = router.clone().layer(Extension(Peer(peer)));
        connections.spawn(serve(tcp, tls.clone(), router));
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(tcp: TcpStream, tls: TlsAcceptor, router: Router) {
    let _ = tcp.set_nodelay(true);
    if let Ok(stream) = tls.accept(tcp).await {
        let service = TowerToHyperService::new(router);
        let server = auto::Builder::new(TokioExecutor::new());
        let _ = server.serve_connection(TokioIo::new(stream), service).await;
    }
}
