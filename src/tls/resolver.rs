//! The certificate that is served now, exchangeable while connections are accepted.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use rustls::{
    RootCertStore, ServerConfig,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier, danger::ClientCertVerifier},
    sign::CertifiedKey,
    version::{TLS12, TLS13},
};
use thiserror::Error;

/// Serves one certificate to every caller, and none, which fails each handshake, until it has one. Clones of its `Arc`
/// exchange it.
#[derive(Debug, Default)]
pub struct Served(ArcSwapOption<CertifiedKey>);

/// Why a certificate and its key cannot be served.
#[derive(Debug, Error)]
pub enum PairError {
    /// No certificate, or a broken one, in the chain.
    #[error("the certificate file holds no PEM certificate that can be read")]
    Certificate,
    /// No private key, or a broken one.
    #[error("the key file holds no PEM private key that can be read")]
    Key,
    /// The two do not belong together, or the key's kind is not supported.
    #[error("the certificate and the key cannot be used together")]
    Mismatch(#[source] rustls::Error),
}

/// Why there is no TLS configuration.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The authority of the callers cannot be read.
    #[error("the client CA holds no PEM certificate that can be read")]
    ClientAuthority,
    /// The authority of the callers cannot be used.
    #[error("the client CA cannot be used")]
    Verifier(#[source] rustls::server::VerifierBuilderError),
    /// The library refuses the combination.
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
}

// === impl Served ===

impl Served {
    /// Serves `pair` first.
    #[must_use]
    pub fn new(pair: CertifiedKey) -> Self {
        Self(ArcSwapOption::from_pointee(pair))
    }

    /// Serves `pair` to every connection that comes from now on.
    pub fn replace(&self, pair: CertifiedKey) {
        self.0.store(Some(Arc::new(pair)));
    }

    /// What is served now.
    #[must_use]
    pub fn current(&self) -> Option<Arc<CertifiedKey>> {
        self.0.load_full()
    }
}

impl ResolvesServerCert for Served {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.current()
    }
}

/// Reads a chain (leaf first) and its private key (PKCS #8, SEC 1 or PKCS #1), both PEM.
///
/// # Errors
///
/// [`PairError`] if one cannot be read or they do not belong together.
pub fn pair(chain: &[u8], key: &[u8]) -> Result<CertifiedKey, PairError> {
    let chain = certificates(chain).ok_or(PairError::Certificate)?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| PairError::Key)?;
    CertifiedKey::from_der(chain, key, &provider()).map_err(PairError::Mismatch)
}

/// TLS 1.2 and 1.3 with `certificate`, HTTP/2 before HTTP/1.1. With `client_ca` (PEM, one certificate or more),
/// only callers that present a certificate of one of these authorities get through the handshake.
///
/// # Errors
///
/// [`ConfigError`] if `client_ca` cannot be used.
pub fn server_config(
    certificate: Arc<dyn ResolvesServerCert>,
    client_ca: Option<&[u8]>,
) -> Result<ServerConfig, ConfigError> {
    let builder = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(ConfigError::Tls)?;
    let builder = match client_ca {
        None => builder.with_no_client_auth(),
        Some(pem) => builder.with_client_cert_verifier(callers(pem)?),
    };
    // The generator of random numbers seeds itself at its first use, which takes some 30 ms: now, not in a handshake.
    let _ = provider().secure_random.fill(&mut [0; 1]);
    let mut config = builder.with_cert_resolver(certificate);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn callers(pem: &[u8]) -> Result<Arc<dyn ClientCertVerifier>, ConfigError> {
    let mut roots = RootCertStore::empty();
    for der in certificates(pem).ok_or(ConfigError::ClientAuthority)? {
        roots.add(der).map_err(|_| ConfigError::ClientAuthority)?;
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
        .build()
        .map_err(ConfigError::Verifier)
}

/// Every certificate of a PEM text; `None` if one is broken or there is none.
fn certificates(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let found = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .ok()?;
    (!found.is_empty()).then_some(found)
}

/// The cryptography of the process, handed on by value: a process-wide default could be another crate's choice.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}
