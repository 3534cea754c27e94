//! The accept loop: which connections are taken, how they are secured, and when all of them have ended.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use tokio::{
    net::{TcpListener, TcpStream, ToSocketAddrs},
    task::JoinSet,
    time::{Instant, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tracing::{debug, warn};

use super::{
    Site,
    accept::{self, BackOff},
    connection::{self, Patience},
    drain::{Phase, Phases},
};

/// Failed handshakes are logged this often at most: any port scanner makes them.
const COMPLAIN_EVERY: Duration = Duration::from_mins(1);

/// A socket that listens. Connections queue in the kernel until it serves.
#[derive(Debug)]
pub struct Bound(TcpListener);

/// How connections are secured.
#[derive(Clone, Debug)]
pub enum Security {
    /// Not at all, HTTP/1.1.
    Plain,
    /// TLS, each connection with the configuration of its moment; HTTP/2 where the caller wants it.
    Tls(Arc<ArcSwap<ServerConfig>>),
}

/// What a listener puts up with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once; beyond them, callers wait in the kernel's queue.
    pub connections: usize,
    /// How long a TLS handshake may take.
    pub handshake: Duration,
    /// How long the head of a request may take, at least; at most twice that.
    pub head: Duration,
    /// How long a connection may be without a request. More than the 90 s after which the API server closes an idle
    /// connection itself: closed from this side, it could have a request on its way.
    pub idle: Duration,
    /// How long requests in flight may take once no new ones come.
    pub drain: Duration,
}

/// How serving ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Connections that still had a request when [`Limits::drain`] was over, and were cut.
    pub cut: usize,
}

/// Handshakes that failed, told now and then.
#[derive(Debug, Default)]
struct Complaints(Mutex<(Option<Instant>, u64)>);

/// What every connection of a listener gets a copy of.
#[derive(Clone)]
struct Welcome<S> {
    site: S,
    security: Security,
    limits: Limits,
    phases: Phases,
    complaints: Arc<Complaints>,
}

// === impl Limits ===

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(10),
            idle: Duration::from_mins(3),
            drain: Duration::from_secs(30),
        }
    }
}

// === impl Bound ===

impl Bound {
    /// Listens at `address`; port 0 takes a free one.
    ///
    /// # Errors
    ///
    /// What the system says, such as a port in use.
    pub async fn bind(address: impl ToSocketAddrs) -> io::Result<Self> {
        TcpListener::bind(address).await.map(Self)
    }

    /// Where it listens.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// Serves `site` until `phases` closes it and every connection has ended, or the drain's time is over. Dropping
    /// the future cuts all connections.
    pub async fn serve<S: Site>(
        self,
        site: S,
        security: Security,
        limits: Limits,
        mut phases: Phases,
    ) -> Drained {
        let Self(listener) = self;
        let welcome = Welcome {
            site,
            security,
            limits,
            phases: phases.clone(),
            complaints: Arc::default(),
        };
        let mut connections = JoinSet::new();
        let mut back_off = BackOff::default();
        loop {
            tokio::select! {
                () = phases.reached(Phase::Closing) => break,
                Some(_) = connections.join_next() => {}
                stream = accept::next(&listener, &mut back_off),
                    if connections.len() < limits.connections =>
                {
                    connections.spawn(welcome.clone().connection(stream));
                }
            }
        }
        drop(listener);
        let all = async { while connections.join_next().await.is_some() {} };
        let in_time = timeout(limits.drain, all).await.is_ok();
        let cut = if in_time { 0 } else { connections.len() };
        connections.shutdown().await;
        if cut > 0 {
            warn!(connections = cut, "cut what was still in flight");
        }
        Drained { cut }
    }
}

impl From<TcpListener> for Bound {
    fn from(listener: TcpListener) -> Self {
        Self(listener)
    }
}

// === impl Welcome ===

impl<S: Site> Welcome<S> {
    async fn connection(self, stream: TcpStream) {
        // An answer is written at once and waits for nothing; without this the kernel might hold its end back.
        if let Err(error) = stream.set_nodelay(true) {
            debug!(%error, "TCP_NODELAY");
        }
        let Self {
            site,
            security,
            limits,
            mut phases,
            complaints,
        } = self;
        let patience = Patience {
            head: limits.head,
            idle: limits.idle,
        };
        let Security::Tls(config) = security else {
            connection::serve(stream, false, site, patience, phases).await;
            return;
        };
        let acceptor = TlsAcceptor::from(config.load_full());
        let handshake = tokio::select! {
            ended = timeout(limits.handshake, acceptor.accept(stream)) => ended,
            () = phases.reached(Phase::Closing) => return,
        };
        match handshake.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(stream) => {
                let http2 = speaks_http2(&stream);
                connection::serve(stream, http2, site, patience, phases).await;
            }
            Err(error) => complaints.add(&error),
        }
    }
}

fn speaks_http2(stream: &TlsStream<TcpStream>) -> bool {
    stream.get_ref().1.alpn_protocol() == Some(b"h2")
}

// === impl Complaints ===

impl Complaints {
    fn add(&self, error: &io::Error) {
        // TCP probes and port scanners say nothing at all.
        if error.kind() == io::ErrorKind::UnexpectedEof {
            debug!("a connection ended before its TLS handshake");
            return;
        }
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, untold) = &mut *state;
        *untold += 1;
        if last.is_some_and(|last| last.elapsed() < COMPLAIN_EVERY) {
            return;
        }
        let error = error as &dyn std::error::Error;
        warn!(error, times = *untold, "a TLS handshake failed");
        (*last, *untold) = (Some(Instant::now()), 0);
    }
}
