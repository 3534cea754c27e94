//! A server with a fake reviewer, and callers that speak as well or as badly as a test wants.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use bytes::Bytes;
use cotter::{
    admission::reviewer::{BadReview, ReviewRequest, Reviewer},
    http::{
        drain::Drain,
        listener::{Bound, Drained, Limits, Security},
        routes::{Paths, Routes},
    },
    registry_admission::{Guard, Pods, Uncounted, Users},
    telemetry::metrics::Metrics,
    tls::{
        authority::{self, Authority},
        leaf::{self, Host, Leaf},
        resolver::{self, Served},
    },
};
use futures_util::future::BoxFuture;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use jiff::Timestamp;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
    version::{TLS12, TLS13},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Semaphore,
    task::JoinHandle,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// Long enough for any machine; a test that needs it has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Answers with the request's time and length, except for a few bodies that mean something.
pub(crate) struct Fake {
    /// Lets one review whose body is `wait` go on for each permit.
    pub(crate) gate: Arc<Semaphore>,
    /// Has a permit for each review that waits.
    pub(crate) waiting: Arc<Semaphore>,
}

impl Reviewer for Fake {
    async fn review(&self, body: Bytes, request: ReviewRequest) -> Result<Bytes, BadReview> {
        match &body[..] {
            b"panic" => panic!("as the test wants"),
            b"bad" => Err(BadReview {
                status: StatusCode::BAD_REQUEST,
                message: "not a review".into(),
            }),
            start if start.starts_with(b"wait") => {
                self.waiting.add_permits(1);
                self.gate.acquire().await.unwrap().forget();
                Ok(body)
            }
            _ => Ok(Bytes::from(format!(
                "{} bytes, {:?}",
                body.len(),
                request.timeout
            ))),
        }
    }
}

/// Nobody needs a registry.
struct Nobody;

impl Users for Nobody {
    fn pods<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Pods, Uncounted>> {
        Box::pin(std::future::ready(Ok(Pods::default())))
    }
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) authority: Authority,
    pub(crate) served: Arc<Served>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) drain: Drain,
    pub(crate) gate: Arc<Semaphore>,
    pub(crate) waiting: Arc<Semaphore>,
    pub(crate) ended: JoinHandle<Drained>,
}

pub(crate) fn localhost() -> [Host; 1] {
    [Host::Dns("localhost".to_owned())]
}

pub(crate) fn sign(authority: &Authority) -> Leaf {
    leaf::sign(authority, &localhost(), Timestamp::now(), leaf::LIFE).unwrap()
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::with(Limits::default(), 0).await
    }

    /// `budget` as for [`Routes::new`].
    pub(crate) async fn with(limits: Limits, budget: usize) -> Self {
        Self::trusting(limits, budget, None).await
    }

    /// One that answers for registries, too.
    pub(crate) async fn guarded() -> Self {
        Self::open(Limits::default(), 0, None, true).await
    }

    pub(crate) async fn trusting(limits: Limits, budget: usize, clients: Option<&str>) -> Self {
        Self::open(limits, budget, clients, false).await
    }

    async fn open(limits: Limits, budget: usize, clients: Option<&str>, guarded: bool) -> Self {
        let authority = Authority::make("test", Timestamp::now(), authority::LIFE).unwrap();
        let leaf = sign(&authority);
        let pair = resolver::pair(leaf.pem.as_bytes(), leaf.key_pem.as_bytes()).unwrap();
        let served = Arc::new(Served::new(pair));
        let config = resolver::server_config(served.clone(), clients.map(str::as_bytes)).unwrap();
        let (gate, waiting) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let fake = Fake {
            gate: gate.clone(),
            waiting: waiting.clone(),
        };
        let metrics = Arc::new(Metrics::default());
        let paths = Paths::one("/mutate");
        let guard = guarded.then(|| Guard::new(Arc::new(Nobody)));
        let routes = Routes::guarded(paths, fake, guard, budget, metrics.clone());
        let bound = Bound::bind("127.0.0.1:0").await.unwrap();
        let address = bound.local_addr().unwrap();
        let drain = Drain::default();
        let security = Security::Tls(Arc::new(ArcSwap::from_pointee(config)));
        let ended = tokio::spawn(bound.serve(routes, security, limits, drain.phases()));
        Self {
            address,
            authority,
            served,
            metrics,
            drain,
            gate,
            waiting,
            ended,
        }
    }

    /// A client's TLS configuration that trusts this server.
    pub(crate) fn client(&self) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        let der = CertificateDer::from_pem_slice(self.authority.pem().as_bytes()).unwrap();
        roots.add(der).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13, &TLS12])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth()
    }

    pub(crate) async fn connect_with(
        &self,
        config: ClientConfig,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let tcp = TcpStream::connect(self.address).await?;
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config))
            .connect(name, tcp)
            .await
    }

    pub(crate) async fn connect(&self) -> TlsStream<TcpStream> {
        self.connect_with(self.client()).await.unwrap()
    }

    pub(crate) async fn http1(&self) -> http1::SendRequest<Full<Bytes>> {
        let stream = TokioIo::new(self.connect().await);
        let (sender, connection) = http1::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        sender
    }

    pub(crate) async fn http2(&self) -> http2::SendRequest<Full<Bytes>> {
        let mut config = self.client();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let stream = self.connect_with(config).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let stream = TokioIo::new(stream);
        let (sender, connection) = http2::handshake(TokioExecutor::new(), stream)
            .await
            .unwrap();
        tokio::spawn(connection);
        sender
    }

    /// One review over a connection of its own: the status and the text of the answer.
    pub(crate) async fn review(&self, body: &'static str) -> (u16, String) {
        let mut sender = self.http1().await;
        text(sender.send_request(post("/mutate", body)).await.unwrap()).await
    }

    /// Waits until `number` more reviews wait at the gate.
    pub(crate) async fn wait_for(&self, number: u32) {
        let permits = timeout(PATIENCE, self.waiting.acquire_many(number)).await;
        permits.unwrap().unwrap().forget();
    }

    /// Waits for the end of serving.
    pub(crate) async fn end(self) -> Drained {
        timeout(PATIENCE, self.ended).await.unwrap().unwrap()
    }
}

pub(crate) fn post(path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    let uri = format!("https://localhost{path}");
    Request::post(uri)
        .header("host", "localhost")
        .body(Full::new(body.into()))
        .unwrap()
}

pub(crate) async fn text(response: Response<hyper::body::Incoming>) -> (u16, String) {
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

/// Sends bytes as they are and reads until the server closes: what it said.
pub(crate) async fn say(stream: &mut TlsStream<TcpStream>, bytes: &[u8]) -> String {
    stream.write_all(bytes).await.unwrap();
    stream.flush().await.unwrap();
    hear(stream).await
}

/// Reads until the server closes.
pub(crate) async fn hear(stream: &mut TlsStream<TcpStream>) -> String {
    let mut heard = Vec::new();
    let read = stream.read_to_end(&mut heard);
    let ended = timeout(PATIENCE, read).await.expect("the server closes");
    ended.expect("closed, not reset");
    String::from_utf8(heard).unwrap()
}
