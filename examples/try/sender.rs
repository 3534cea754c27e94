//! What kube-apiserver does: it keeps a connection open and posts reviews.

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use serde_json::Value;

// 16 MiB: more than any answer to a Pod that an API server takes.
const LONGEST: usize = 16 << 20;

/// A client with open connections.
pub(crate) struct Sender(Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

impl Sender {
    /// Trusts nobody; for plain HTTP.
    pub(crate) fn plain() -> Self {
        Self::with(RootCertStore::empty())
    }

    /// Trusts this CA and no other, as a webhook configuration's `caBundle` says.
    ///
    /// # Errors
    /// If this is no certificate.
    pub(crate) fn trusting(ca: &[u8]) -> Result<Self, String> {
        let bad = |error: &dyn std::fmt::Display| format!("cotter's CA cannot be used: {error}");
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(ca) {
            let certificate = certificate.map_err(|error| bad(&error))?;
            roots.add(certificate).map_err(|error| bad(&error))?;
        }
        Ok(Self::with(roots))
    }

    fn with(roots: RootCertStore) -> Self {
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        #[expect(clippy::expect_used, reason = "the provider has these versions")]
        let builder = builder
            .with_safe_default_protocol_versions()
            .expect("TLS versions");
        let tls = builder.with_root_certificates(roots).with_no_client_auth();
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        // Go's own default; without it a body waits for the other side's delayed ACK.
        tcp.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(tcp);
        Self(Client::builder(TokioExecutor::new()).build(connector))
    }

    /// Whether `/readyz` says so.
    pub(crate) async fn is_ready(&self, ops: SocketAddr) -> bool {
        let Ok(uri) = format!("http://{ops}/readyz").parse() else {
            return false;
        };
        self.0
            .get(uri)
            .await
            .is_ok_and(|answer| answer.status() == StatusCode::OK)
    }

    /// Posts a review; the `response` of the answer.
    ///
    /// # Errors
    /// What came instead.
    pub(crate) async fn review(&self, to: SocketAddr, review: &Value) -> Result<Value, String> {
        let request = Request::post(format!("https://{to}/mutate?timeout=10s"))
            .header(header::USER_AGENT, "kube-apiserver-admission")
            .header(header::ACCEPT, "application/json, */*")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::from(review.to_string()))
            .map_err(|error| error.to_string())?;
        let answer = self.0.request(request).await;
        let answer = answer.map_err(|error| format!("cotter did not answer: {error:?}"))?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, LONGEST).collect().await;
        let body = body
            .map_err(|error| format!("the answer was cut: {error}"))?
            .to_bytes();
        if head.status != StatusCode::OK {
            let said = String::from_utf8_lossy(&body);
            return Err(format!("cotter answered {}: {}", head.status, said.trim()));
        }
        let mut answer: Value = serde_json::from_slice(&body)
            .map_err(|error| format!("the answer is not JSON: {error}"))?;
        let response = answer
            .get_mut("response")
            .map(Value::take)
            .unwrap_or_default();
        if response.get("uid") != review.pointer("/request/uid") {
            return Err("the answer is to another review".to_owned());
        }
        Ok(response)
    }
}
