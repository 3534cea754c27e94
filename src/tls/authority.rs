//! A certificate authority of our own: made, read back, and judged. Where it is kept is its user's business.

use std::time::Duration;

use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256,
};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use thiserror::Error;
use x509_parser::{certificate::X509Certificate, prelude::FromDer};
use zeroize::Zeroizing;

use super::life::{Life, Renewal};

/// How long an authority lives.
pub const LIFE: Duration = Duration::from_hours(365 * 24);

/// A certificate authority that can sign.
#[derive(Debug)]
pub struct Authority {
    pem: String,
    der: CertificateDer<'static>,
    pub(super) life: Life,
    pub(super) issuer: Issuer<'static, KeyPair>,
}

/// Why there is no authority.
#[derive(Debug, Error)]
pub enum AuthorityError {
    /// No certificate in the PEM, or no authority's.
    #[error("the PEM holds no certificate of an authority")]
    Certificate,
    /// A key that cannot be read.
    #[error("cannot read the authority's key")]
    Key(#[source] rcgen::Error),
    /// A key of another certificate.
    #[error("the key is not that of the authority's certificate")]
    Mismatch,
    /// The making failed.
    #[error("cannot make an authority")]
    Make(#[source] rcgen::Error),
}

// === impl Authority ===

impl Authority {
    /// Makes an authority (ECDSA P-256, able to sign leaves only) that is valid for `life` from `now`, backdated.
    ///
    /// # Errors
    ///
    /// [`AuthorityError::Make`] if no key can be made.
    pub fn make(name: &str, now: Timestamp, life: Duration) -> Result<Self, AuthorityError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(AuthorityError::Make)?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let life = Life::starting(now, life);
        life.write(&mut params);
        let certificate = params.self_signed(&key).map_err(AuthorityError::Make)?;
        Ok(Self {
            pem: certificate.pem(),
            der: certificate.der().clone(),
            life,
            issuer: Issuer::new(params, key),
        })
    }

    /// Reads an authority back. Whether it is still valid is [`ca_needs_renewal`]'s question.
    ///
    /// # Errors
    ///
    /// [`AuthorityError`] if the certificate or the key cannot be read, or they do not belong together.
    pub fn from_pem(pem: &str, key: &str) -> Result<Self, AuthorityError> {
        let der = first(pem).ok_or(AuthorityError::Certificate)?;
        let parsed = parse(&der).ok_or(AuthorityError::Certificate)?;
        if !parsed.is_ca() {
            return Err(AuthorityError::Certificate);
        }
        let key = KeyPair::from_pem(key).map_err(AuthorityError::Key)?;
        if parsed.public_key().subject_public_key.data != key.public_key_raw() {
            return Err(AuthorityError::Mismatch);
        }
        let life = Life::of(parsed.validity());
        let issuer =
            Issuer::from_ca_cert_der(&der, key).map_err(|_| AuthorityError::Certificate)?;
        Ok(Self {
            pem: pem.to_owned(),
            der,
            life,
            issuer,
        })
    }

    /// The certificate, PEM: what callers have to trust.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The certificate as its bytes, by which one authority is told from another.
    #[must_use]
    pub fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// Why it has to be replaced at `now`; `None` while it is good.
    #[must_use]
    pub fn renewal(&self, now: Timestamp) -> Option<Renewal> {
        self.life.renewal(now)
    }

    /// When it ends, in seconds since 1970.
    #[must_use]
    pub fn until(&self) -> i64 {
        self.life.until()
    }

    /// The private key, PKCS #8 in PEM.
    #[must_use]
    pub fn key_pem(&self) -> Zeroizing<String> {
        Zeroizing::new(self.issuer.key().serialize_pem())
    }
}

/// Why the authority in `pem` has to be replaced at `now`; `None` while it is good.
#[must_use]
pub fn ca_needs_renewal(pem: &str, now: Timestamp) -> Option<Renewal> {
    let Some(der) = first(pem) else {
        return Some(Renewal::Damaged);
    };
    let Some(parsed) = parse(&der) else {
        return Some(Renewal::Damaged);
    };
    if !parsed.is_ca() {
        return Some(Renewal::NotAnAuthority);
    }
    Life::of(parsed.validity()).renewal(now)
}

/// The first certificate of a PEM text.
pub(super) fn first(pem: &str) -> Option<CertificateDer<'static>> {
    CertificateDer::from_pem_slice(pem.as_bytes()).ok()
}

/// A certificate as its fields.
pub(super) fn parse<'a>(der: &'a CertificateDer<'_>) -> Option<X509Certificate<'a>> {
    X509Certificate::from_der(der)
        .ok()
        .map(|(_, parsed)| parsed)
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    fn at(days: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + days * 86_400).unwrap()
    }

    #[test]
    fn an_authority_is_read_back_as_it_was() {
        let made = Authority::make("cotter", at(0), LIFE).unwrap();
        let read = Authority::from_pem(made.pem(), &made.key_pem()).unwrap();
        assert_eq!(read.pem(), made.pem());
        assert_eq!(read.life, made.life);
        assert!(!format!("{made:?}").contains("PRIVATE"));
    }

    #[test]
    fn its_certificate_may_sign_and_nothing_else() {
        let made = Authority::make("cotter", at(0), LIFE).unwrap();
        let der = first(made.pem()).unwrap();
        let parsed = parse(&der).unwrap();
        let basic = parsed.basic_constraints().unwrap().unwrap();
        assert!(basic.critical && basic.value.ca);
        assert_eq!(basic.value.path_len_constraint, Some(0));
        let usage = parsed.key_usage().unwrap().unwrap();
        assert!(usage.critical && usage.value.key_cert_sign());
        assert!(!usage.value.digital_signature());
    }

    #[test]
    fn renewal_has_a_reason() {
        let made = Authority::make("cotter", at(0), 300 * DAY).unwrap();
        let before = at(0) - 50.minutes();
        for (name, pem, now, expected) in [
            ("new", made.pem(), at(0), None),
            ("a caller behind", made.pem(), before, None),
            ("last day", made.pem(), at(199), None),
            ("two thirds", made.pem(), at(200), Some(Renewal::Due)),
            ("over", made.pem(), at(300), Some(Renewal::Expired)),
            ("future", made.pem(), at(-1), Some(Renewal::NotYetValid)),
            ("empty", "", at(0), Some(Renewal::Damaged)),
            (
                "no DER",
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                at(0),
                Some(Renewal::Damaged),
            ),
        ] {
            assert_eq!(ca_needs_renewal(pem, now), expected, "{name}");
        }
    }

    #[test]
    fn a_key_of_another_is_refused() {
        let one = Authority::make("one", at(0), LIFE).unwrap();
        let two = Authority::make("two", at(0), LIFE).unwrap();
        let mixed = Authority::from_pem(one.pem(), &two.key_pem());
        assert!(matches!(mixed, Err(AuthorityError::Mismatch)));
        let broken = Authority::from_pem(one.pem(), "no key");
        assert!(matches!(broken, Err(AuthorityError::Key(_))));
    }
}
