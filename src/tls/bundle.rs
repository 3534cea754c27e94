//! The authorities that callers trust, a PEM text as `caBundle` holds it: what is in it, since when, and whom it trusts.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use rustls::{
    CertificateError, RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    pki_types::{CertificateDer, UnixTime, pem::PemObject},
};

use super::{
    leaf::{Host, server_name},
    path::SecretPath,
    ports::Hook,
    resolver,
};

/// An authority's certificate.
pub type Ca = CertificateDer<'static>;

/// Why a bundle does not do for a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distrust {
    /// There is nothing in it that could be read.
    Empty,
    /// The certificate is another host's.
    Host,
    /// The certificate is over, or begins later.
    Time,
    /// No authority in it signed the certificate.
    Unknown,
}

/// Since when this replica has seen what in the webhook configuration, without a break; in [`super::life::Moment`]'s
/// ticks.
#[derive(Debug, Default)]
pub(super) struct Sightings {
    /// Authorities in every bundle.
    everywhere: Vec<(Ca, Duration)>,
    /// Authorities in any bundle.
    anywhere: Vec<(Ca, Duration)>,
    /// The path of every webhook.
    path: Vec<(SecretPath, Duration)>,
}

/// The certificates of a PEM text. What cannot be read is passed over, as the API server does.
#[must_use]
pub fn read(pem: &[u8]) -> Vec<Ca> {
    let mut found = Vec::new();
    for ca in CertificateDer::pem_slice_iter(pem).flatten() {
        if !found.contains(&ca) {
            found.push(ca);
        }
    }
    found
}

/// The PEM text of `certificates`.
#[must_use]
pub fn write<'a>(certificates: impl IntoIterator<Item = &'a Ca>) -> String {
    certificates.into_iter().map(pem).collect()
}

/// One certificate as PEM.
pub(super) fn pem(certificate: &Ca) -> String {
    const LINE: usize = 64;
    let text = BASE64_STANDARD.encode(certificate);
    let mut pem = "-----BEGIN CERTIFICATE-----\n".to_owned();
    for (at, c) in text.chars().enumerate() {
        if at > 0 && at % LINE == 0 {
            pem.push('\n');
        }
        pem.push(c);
    }
    pem.push_str("\n-----END CERTIFICATE-----\n");
    pem
}

/// Whether a caller who trusts `bundle` alone takes `chain` (leaf first) for `host` at `now`.
///
/// # Errors
///
/// [`Distrust`] if not.
pub fn verifies(
    bundle: &[Ca],
    chain: &[CertificateDer<'_>],
    host: &Host,
    now: Timestamp,
) -> Result<(), Distrust> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(bundle.iter().cloned());
    let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), resolver::provider());
    let verifier = verifier.build().map_err(|_| Distrust::Empty)?;
    let (leaf, more) = chain.split_first().ok_or(Distrust::Unknown)?;
    let name = server_name(host).ok_or(Distrust::Host)?;
    let second = u64::try_from(now.as_second()).unwrap_or(0);
    let now = UnixTime::since_unix_epoch(Duration::from_secs(second));
    match verifier.verify_server_cert(leaf, more, &name, &[], now) {
        Ok(_) => Ok(()),
        Err(rustls::Error::InvalidCertificate(error)) => Err(match error {
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Distrust::Host
            }
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => Distrust::Time,
            _ => Distrust::Unknown,
        }),
        Err(_) => Err(Distrust::Unknown),
    }
}

// === impl Sightings ===

impl Sightings {
    /// Takes in what the webhooks say now; none says nothing.
    pub(super) fn see(&mut self, hooks: &[Hook], now: Duration) {
        let bundles: Vec<_> = hooks.iter().map(|hook| read(&hook.bundle)).collect();
        let mut anywhere: Vec<Ca> = Vec::new();
        for ca in bundles.iter().flatten() {
            if !anywhere.contains(ca) {
                anywhere.push(ca.clone());
            }
        }
        let mut everywhere = anywhere.clone();
        everywhere.retain(|ca| bundles.iter().all(|bundle| bundle.contains(ca)));
        let path = match hooks.split_first() {
            Some((first, rest)) if rest.iter().all(|hook| hook.path == first.path) => {
                first.path.iter().cloned().collect()
            }
            _ => Vec::new(),
        };
        follow(&mut self.anywhere, anywhere, now);
        follow(&mut self.everywhere, everywhere, now);
        follow(&mut self.path, path, now);
    }

    /// Whether every webhook has trusted `ca` for `length`.
    pub(super) fn trusts(&self, ca: &Ca, length: Duration, now: Duration) -> bool {
        lasted(&self.everywhere, ca, length, now)
    }

    /// Whether every webhook has called `path` for `length`.
    pub(super) fn calls(&self, path: &SecretPath, length: Duration, now: Duration) -> bool {
        lasted(&self.path, path, length, now)
    }

    /// Whether a webhook has trusted `ca` for `length`.
    pub(super) fn has_known(&self, ca: &Ca, length: Duration, now: Duration) -> bool {
        lasted(&self.anywhere, ca, length, now)
    }
}

/// Keeps when what is still there was first seen.
fn follow<T: PartialEq>(since: &mut Vec<(T, Duration)>, seen: Vec<T>, now: Duration) {
    since.retain(|(one, _)| seen.contains(one));
    for one in seen {
        if !since.iter().any(|(known, _)| *known == one) {
            since.push((one, now));
        }
    }
}

fn lasted<T: PartialEq>(since: &[(T, Duration)], one: &T, length: Duration, now: Duration) -> bool {
    let found = since.iter().find(|(known, _)| known == one);
    found.is_some_and(|(_, first)| now.saturating_sub(*first) >= length)
}

#[cfg(test)]
#[path = "bundle/tests.rs"]
mod tests;
