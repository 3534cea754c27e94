//! The proxy between cotter and registries: a tunnel by CONNECT (RFC 9110 section 9.3.6), in which TLS is spoken with the
//! registry itself. The proxy sees the name of a registry and nothing else of what is said.

use std::{net::IpAddr, time::Duration};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, Request, StatusCode, Uri,
    header::{HOST, PROXY_AUTHORIZATION, USER_AGENT},
};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use smol_str::SmolStr;
use tokio::{net::TcpStream, time::timeout};

use super::{
    no_proxy::NoProxy, origin::Origin, settings::ProxySettings, setup::HEAD, token,
    transport::AGENT,
};

/// How long a proxy may take to answer CONNECT: it resolves the name and dials the registry. A look-up has a limit of its
/// own; this one is for a tunnel that is opened in the background.
const ANSWER: Duration = Duration::from_secs(10);

/// A proxy, ready to be used.
#[derive(Debug)]
pub(super) struct Proxy {
    pub(super) host: SmolStr,
    pub(super) port: u16,
    authorization: Option<HeaderValue>,
    except: NoProxy,
}

/// Why a proxy opens no tunnel. It is named by its host; neither its user nor its password is shown.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProxyError {
    /// It says no.
    #[error("the proxy {proxy} answered CONNECT with {status}")]
    Refused { proxy: SmolStr, status: StatusCode },
    /// It says nothing.
    #[error("the proxy {proxy} did not answer CONNECT within {} s", ANSWER.as_secs())]
    Silent { proxy: SmolStr },
    /// It says nothing that is HTTP, or closes the connection.
    #[error("the proxy {proxy} broke CONNECT off")]
    Broken {
        proxy: SmolStr,
        #[source]
        source: hyper::Error,
    },
    /// It speaks within the tunnel before the registry was spoken to.
    #[error("the proxy {proxy} sent something in the registry's place")]
    Meddles { proxy: SmolStr },
}

// === impl Proxy ===

impl Proxy {
    pub(super) fn new(settings: &ProxySettings) -> Self {
        let credential = settings.credential.as_deref();
        Self {
            host: settings.host.clone(),
            port: settings.port,
            // Base64 is always a header's value.
            authorization: credential.and_then(|credential| token::basic(credential).ok()),
            except: NoProxy::parse(&settings.except),
        }
    }

    /// Whether `target` is asked through it: HTTPS only, since it would read everything else.
    pub(super) fn is_for(&self, target: &Origin) -> bool {
        target.is_https() && !self.except.holds(target.host(), target.port())
    }

    /// Its address, where that is not a name.
    pub(super) fn address(&self) -> Option<IpAddr> {
        self.host.trim_matches(['[', ']']).parse().ok()
    }

    /// Makes of `stream`, a connection to the proxy, one to `target`.
    ///
    /// # Errors
    /// [`ProxyError`] if the proxy opens no tunnel.
    pub(super) async fn tunnel(
        &self,
        stream: TcpStream,
        target: &Origin,
    ) -> Result<TcpStream, ProxyError> {
        match timeout(ANSWER, self.connect(stream, target)).await {
            Ok(tunnel) => tunnel,
            Err(_) => Err(ProxyError::Silent {
                proxy: self.host.clone(),
            }),
        }
    }

    async fn connect(&self, stream: TcpStream, target: &Origin) -> Result<TcpStream, ProxyError> {
        let broken = |source| ProxyError::Broken {
            proxy: self.host.clone(),
            source,
        };
        let mut client = http1::Builder::new();
        client.max_buf_size(HEAD);
        let (mut sender, connection) = client
            .handshake(TokioIo::new(stream))
            .await
            .map_err(broken)?;
        // It ends with `sender`, or gives the connection away.
        tokio::spawn(connection.with_upgrades());
        let reply = sender.send_request(self.request(target)).await;
        let reply = reply.map_err(broken)?;
        let status = reply.status();
        if !status.is_success() {
            let proxy = self.host.clone();
            return Err(ProxyError::Refused { proxy, status });
        }
        let upgraded = hyper::upgrade::on(reply).await.map_err(broken)?;
        match upgraded.downcast::<TokioIo<TcpStream>>() {
            Ok(parts) if parts.read_buf.is_empty() => Ok(parts.io.into_inner()),
            _ => Err(ProxyError::Meddles {
                proxy: self.host.clone(),
            }),
        }
    }

    fn request(&self, target: &Origin) -> Request<Empty<Bytes>> {
        let authority = format!("{}:{}", target.host(), target.port());
        let mut headers = HeaderMap::with_capacity(3);
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        // What an origin was read from is a header's value, too.
        if let Ok(host) = HeaderValue::from_str(&authority) {
            headers.insert(HOST, host);
        }
        if let Some(authorization) = &self.authorization {
            headers.insert(PROXY_AUTHORIZATION, authorization.clone());
        }
        let mut request = Request::new(Empty::new());
        *request.method_mut() = Method::CONNECT;
        *request.uri_mut() = authority.parse::<Uri>().unwrap_or_default();
        *request.headers_mut() = headers;
        request
    }
}
