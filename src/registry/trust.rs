//! Whom TLS believes: the system's roots, read when they are first needed and then shared, and a registry's private CA.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use rustls_platform_verifier::Verifier;

/// The system's roots. Reading and parsing a hundred files takes milliseconds and half a megabyte, which a replica that
/// only asks registries with private CAs never spends.
#[derive(Debug, Default)]
pub(super) struct SystemRoots(OnceLock<Result<Verifier, Error>>);

/// Believes what the private CA signed, then what the system's roots did.
struct Trust {
    private: Option<Arc<WebPkiServerVerifier>>,
    system: Arc<SystemRoots>,
    provider: Arc<CryptoProvider>,
}

/// The provider of every connection, named rather than found in the process.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// The TLS configuration of a host, TLS 1.2 and 1.3. The connector sets ALPN.
///
/// # Errors
/// If one of `private` cannot be a root.
pub(super) fn client_config(
    provider: &Arc<CryptoProvider>,
    system: &Arc<SystemRoots>,
    private: &[CertificateDer<'static>],
) -> Result<ClientConfig, Error> {
    let private = match private {
        [] => None,
        roots => Some(private_roots(provider, roots)?),
    };
    let trust = Trust {
        private,
        system: Arc::clone(system),
        provider: Arc::clone(provider),
    };
    let config = ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(trust))
        .with_no_client_auth();
    Ok(config)
}

fn private_roots(
    provider: &Arc<CryptoProvider>,
    certificates: &[CertificateDer<'static>],
) -> Result<Arc<WebPkiServerVerifier>, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots.add(certificate.clone())?;
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map_err(|error| Error::General(error.to_string()))
}

// === impl SystemRoots ===

impl SystemRoots {
    fn verifier(&self, provider: &Arc<CryptoProvider>) -> Result<&Verifier, Error> {
        let made = self.0.get_or_init(|| Verifier::new(Arc::clone(provider)));
        made.as_ref().map_err(Clone::clone)
    }
}

// === impl Trust ===

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust").finish_non_exhaustive()
    }
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let ask = |verifier: &dyn ServerCertVerifier| {
            verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        };
        let Some(private) = &self.private else {
            return ask(self.system.verifier(&self.provider)?);
        };
        ask(private.as_ref()).or_else(|refused| {
            let system = self.system.verifier(&self.provider);
            system.and_then(|system| ask(system)).map_err(|_| refused)
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}
