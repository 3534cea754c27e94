//! Resolves, checks, dials: the address that is checked is the address that is dialled, since the name is looked up once
//! and never again. Through a proxy the name is checked and the proxy dials. TLS is on top of this, pooling too.

use std::{
    io,
    net::{IpAddr, SocketAddr, ToSocketAddrs as _},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{FutureExt as _, future::BoxFuture};
use http::Uri;
use hyper_util::rt::TokioIo;
use smol_str::SmolStr;
use tokio::{net::TcpStream, sync::Semaphore, time::timeout};
use tower::Service;

use super::{
    guard::{Forbidden, Guard, Named},
    origin::{NoOrigin, Origin},
    proxy::{Proxy, ProxyError},
};

/// How long one address may take to accept: a second try of a lost SYN (1 s) is just within it.
const CONNECT: Duration = Duration::from_millis(1_500);

/// Look-ups at a time, each of them a thread of the blocking pool (which has 512).
const LOOK_UPS: usize = 128;

/// What turns names into addresses.
pub trait Resolve: Send + Sync + 'static {
    /// The addresses of `name`, best first. Unless `search` is set, the resolver's search domains must not complete it.
    fn resolve<'a>(&'a self, name: &'a str, search: bool)
    -> BoxFuture<'a, io::Result<Vec<IpAddr>>>;
}

/// The system's resolver, off the threads that serve admissions.
#[derive(Debug)]
pub struct SystemResolver {
    places: Arc<Semaphore>,
}

/// Opens connections for one [`Profile`](super::setup::Profile).
#[derive(Clone)]
pub(super) struct Dialer {
    pub(super) resolver: Arc<dyn Resolve>,
    pub(super) guard: Arc<Guard>,
    pub(super) allow_private: bool,
    pub(super) proxy: Option<Arc<Proxy>>,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum DialError {
    /// The guard says no.
    #[error("refused")]
    Forbidden(#[from] Forbidden),
    /// Not a URL to dial.
    #[error(transparent)]
    Origin(#[from] NoOrigin),
    /// The DNS has no address.
    #[error("{host} cannot be resolved")]
    Resolve {
        host: String,
        #[source]
        source: io::Error,
    },
    /// No address accepts; the last one's reason.
    #[error("{address} does not accept")]
    Connect {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    /// There is no connection to the proxy.
    #[error("the proxy {proxy} cannot be reached")]
    ProxyAway {
        proxy: SmolStr,
        #[source]
        source: Box<DialError>,
    },
    /// The proxy opens no tunnel.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
}

// === impl SystemResolver ===

impl Default for SystemResolver {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(LOOK_UPS)),
        }
    }
}

impl Resolve for SystemResolver {
    /// A dot at the end makes a name absolute. That keeps a Pod's `ndots:5` from first asking for four names in the
    /// cluster, and a name such as `registry.tools` from meaning a Service.
    fn resolve<'a>(
        &'a self,
        name: &'a str,
        search: bool,
    ) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        let name = if search {
            name.to_owned()
        } else {
            format!("{name}.")
        };
        let places = Arc::clone(&self.places);
        async move {
            let place = places.acquire_owned().await.map_err(io::Error::other)?;
            let look_up = tokio::task::spawn_blocking(move || {
                // A look-up cannot be cancelled, so it keeps its place when its asker has left.
                let _place = place;
                let found = (name.as_str(), 0).to_socket_addrs()?;
                Ok(found.map(|address| address.ip()).collect())
            });
            look_up.await.map_err(io::Error::other)?
        }
        .boxed()
    }
}

// === impl Dialer ===

impl Dialer {
    /// A connection to where `url` leads, by the guard's leave.
    pub(super) async fn dial(&self, url: &Uri) -> Result<TcpStream, DialError> {
        let origin = Origin::of(url)?;
        let named = Guard::check_name(origin.host(), self.allow_private)?;
        if let Some(proxy) = self.proxy_to(&origin) {
            // What a name means is known to the proxy alone: where there is one, cotter often cannot resolve it.
            if let Named::Address(address) = named {
                self.guard.check_address(address, self.allow_private)?;
            }
            let stream = self.reach(proxy).await;
            let stream = stream.map_err(|source| DialError::ProxyAway {
                proxy: proxy.host.clone(),
                source: Box::new(source),
            })?;
            return Ok(proxy.tunnel(stream, &origin).await?);
        }
        let addresses = match named {
            Named::Address(address) => vec![address],
            Named::Name(name) => self.look_up(name, self.allow_private).await?,
        };
        for address in &addresses {
            self.guard.check_address(*address, self.allow_private)?;
        }
        connect(&addresses, origin.port()).await
    }

    /// The proxy through which `target` is asked, if it is.
    pub(super) fn proxy_to(&self, target: &Origin) -> Option<&Proxy> {
        let proxy = self.proxy.as_deref();
        proxy.filter(|proxy| proxy.is_for(target))
    }

    /// A connection to the proxy. Its address is configured, so the guard has no say in it.
    async fn reach(&self, proxy: &Proxy) -> Result<TcpStream, DialError> {
        let addresses = match proxy.address() {
            Some(address) => vec![address],
            None => self.look_up(proxy.host.to_string(), true).await?,
        };
        connect(&addresses, proxy.port).await
    }

    async fn look_up(&self, name: String, search: bool) -> Result<Vec<IpAddr>, DialError> {
        match self.resolver.resolve(&name, search).await {
            Ok(found) if !found.is_empty() => Ok(found),
            Ok(_) => Err(DialError::Resolve {
                host: name,
                source: io::ErrorKind::NotFound.into(),
            }),
            Err(source) => Err(DialError::Resolve { host: name, source }),
        }
    }
}

async fn connect(addresses: &[IpAddr], port: u16) -> Result<TcpStream, DialError> {
    let mut last = None;
    for address in addresses {
        let address = SocketAddr::new(*address, port);
        let connected = match timeout(CONNECT, TcpStream::connect(address)).await {
            Ok(connected) => connected,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        };
        match connected {
            Ok(stream) => {
                // Requests are one small segment each; waiting to fill it would cost a round trip.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(source) => last = Some(DialError::Connect { address, source }),
        }
    }
    Err(last.unwrap_or(DialError::Origin(NoOrigin::Syntax)))
}

impl Service<Uri> for Dialer {
    type Response = TokioIo<TcpStream>;
    type Error = DialError;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, url: Uri) -> Self::Future {
        let dialer = self.clone();
        async move { dialer.dial(&url).await.map(TokioIo::new) }.boxed()
    }
}
