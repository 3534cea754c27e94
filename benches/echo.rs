//! The baseline: a TLS server that reads the uid of a review and answers a fixed patch. It runs as a process of its own.

use std::{convert::Infallible, fs, path::Path};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Request, Response,
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde::Deserialize;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::tls;

const BEFORE_UID: &str =
    r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":""#;
const BEFORE_PATCH: &str = r#"","allowed":true,"patchType":"JSONPatch","patch":""#;
const AFTER_PATCH: &str = r#""}}"#;
const UID: usize = 36;

/// The largest answer that can be asked for.
const LARGEST: usize = 64 << 10;

#[derive(Deserialize)]
struct Review<'a> {
    #[serde(borrow)]
    request: Asked<'a>,
}

#[derive(Deserialize)]
struct Asked<'a> {
    uid: &'a str,
}

/// Serves until killed. The path of a request says how many bytes its answer shall have, or that it shall hold the patch.
pub(crate) fn serve(address: &str, [cert, key, patch]: [&Path; 3]) -> Result<()> {
    let patch: &'static [u8] = fs::read(patch)?.leak();
    let tls = tls::server(&fs::read_to_string(cert)?, &fs::read_to_string(key)?)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async move {
        let listener = TcpListener::bind(address).await?;
        loop {
            let (tcp, _) = listener.accept().await?;
            tokio::spawn(connection(tcp, TlsAcceptor::from(tls.clone()), patch));
        }
    })
}

async fn connection(tcp: TcpStream, tls: TlsAcceptor, patch: &'static [u8]) -> Result<()> {
    tcp.set_nodelay(true)?;
    let stream = tls.accept(tcp).await?;
    // The API server takes HTTP/2 to a loopback URL.
    let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let stream = TokioIo::new(stream);
    let service = service_fn(|request| async move {
        let answer = answer(request, patch).await.unwrap_or_else(|_| {
            let mut bad = Response::new(Full::default());
            *bad.status_mut() = hyper::StatusCode::BAD_REQUEST;
            bad
        });
        Ok::<_, Infallible>(answer)
    });
    if is_http2 {
        let http2 = http2::Builder::new(TokioExecutor::new());
        http2.serve_connection(stream, service).await?;
    } else {
        let http1 = http1::Builder::new();
        http1.serve_connection(stream, service).await?;
    }
    Ok(())
}

async fn answer(request: Request<Incoming>, patch: &[u8]) -> Result<Response<Full<Bytes>>> {
    static ANY: [u8; LARGEST] = [b'A'; LARGEST];
    let framing = BEFORE_UID.len() + UID + BEFORE_PATCH.len() + AFTER_PATCH.len();
    let patch = match request.uri().path().trim_start_matches('/') {
        "patch" => patch,
        size => {
            let size: usize = size.parse()?;
            ANY.get(..size.saturating_sub(framing))
                .context("too large")?
        }
    };
    let body = request.into_body().collect().await?.to_bytes();
    let review: Review<'_> = serde_json::from_slice(&body)?;
    let mut bytes = Vec::with_capacity(framing + patch.len());
    bytes.extend_from_slice(BEFORE_UID.as_bytes());
    bytes.extend_from_slice(review.request.uid.as_bytes());
    bytes.extend_from_slice(BEFORE_PATCH.as_bytes());
    bytes.extend_from_slice(patch);
    bytes.extend_from_slice(AFTER_PATCH.as_bytes());
    let mut response = Response::new(Full::new(Bytes::from(bytes)));
    let json = hyper::header::HeaderValue::from_static("application/json");
    response
        .headers_mut()
        .insert(hyper::header::CONTENT_TYPE, json);
    Ok(response)
}
