//! Server certificates that an authority of ours signs.

use std::{fmt, net::IpAddr, str::FromStr, sync::Arc, time::Duration};

use jiff::Timestamp;
use rcgen::{
    CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, SanType,
};
use rustls::{
    CertificateError, RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    pki_types::{ServerName, UnixTime},
};
use thiserror::Error;
use zeroize::Zeroizing;

use super::{
    authority::{Authority, first, parse},
    life::{Life, Renewal},
    resolver,
};

/// How long a leaf lives.
pub const LIFE: Duration = Duration::from_hours(30 * 24);

/// A host that a leaf is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// A DNS name.
    Dns(String),
    /// An address.
    Ip(IpAddr),
}

/// A server certificate and its key, both PEM.
pub struct Leaf {
    /// The certificate.
    pub pem: String,
    /// The private key, PKCS #8.
    pub key_pem: Zeroizing<String>,
    /// How long it is valid.
    pub(super) life: Life,
}

/// Why there is no leaf.
#[derive(Debug, Error)]
pub enum LeafError {
    /// Not a DNS name.
    #[error("`{0}` is not a DNS name")]
    Name(String),
    /// The signing failed.
    #[error("cannot sign a server certificate")]
    Sign(#[source] rcgen::Error),
}

/// Signs a leaf for `hosts` that is valid for `life` from `now`, backdated, and never longer than its authority.
///
/// # Errors
///
/// [`LeafError`] if a name is none, or no key can be made.
pub fn sign(
    authority: &Authority,
    hosts: &[Host],
    now: Timestamp,
    life: Duration,
) -> Result<Leaf, LeafError> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(LeafError::Sign)?;
    let mut params = CertificateParams::default();
    // Callers look at the alternative names only, and a common name ends at 64 characters.
    params.distinguished_name.push(DnType::CommonName, "cotter");
    params.subject_alt_names = hosts.iter().map(alternative).collect::<Result<_, _>>()?;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let life = Life::starting(now, life).within(authority.life);
    life.write(&mut params);
    let certificate = params
        .signed_by(&key, &authority.issuer)
        .map_err(LeafError::Sign)?;
    Ok(Leaf {
        pem: certificate.pem(),
        key_pem: Zeroizing::new(key.serialize_pem()),
        life,
    })
}

fn alternative(host: &Host) -> Result<SanType, LeafError> {
    match host {
        Host::Ip(address) => Ok(SanType::IpAddress(*address)),
        Host::Dns(name) => name
            .as_str()
            .try_into()
            .ok()
            .filter(|_| server_name(host).is_some())
            .map(SanType::DnsName)
            .ok_or_else(|| LeafError::Name(name.clone())),
    }
}

/// Why the leaf in `pem` has to be replaced at `now` if it is to serve `hosts` to callers who trust `ca_pem` alone;
/// `None` while it is good.
#[must_use]
pub fn leaf_needs_renewal(
    pem: &str,
    ca_pem: &str,
    hosts: &[Host],
    now: Timestamp,
) -> Option<Renewal> {
    let Some(der) = first(pem) else {
        return Some(Renewal::Damaged);
    };
    let Some(parsed) = parse(&der) else {
        return Some(Renewal::Damaged);
    };
    if let Some(reason) = Life::of(parsed.validity()).renewal(now) {
        return Some(reason);
    }
    let Some(verifier) = trusting(ca_pem) else {
        return Some(Renewal::Foreign);
    };
    let second = u64::try_from(now.as_second()).unwrap_or(0);
    let now = UnixTime::since_unix_epoch(Duration::from_secs(second));
    for host in hosts {
        let Some(name) = server_name(host) else {
            return Some(Renewal::Names);
        };
        match verifier.verify_server_cert(&der, &[], &name, &[], now) {
            Ok(_) => {}
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => return Some(Renewal::Names),
            Err(_) => return Some(Renewal::Foreign),
        }
    }
    None
}

fn trusting(ca_pem: &str) -> Option<Arc<WebPkiServerVerifier>> {
    let mut roots = RootCertStore::empty();
    roots.add(first(ca_pem)?).ok()?;
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), resolver::provider())
        .build()
        .ok()
}

pub(super) fn server_name(host: &Host) -> Option<ServerName<'_>> {
    match host {
        Host::Dns(name) => ServerName::try_from(name.as_str()).ok(),
        Host::Ip(address) => Some(ServerName::from(*address)),
    }
}

// === impl Leaf ===

impl fmt::Debug for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leaf")
            .field("life", &self.life)
            .finish_non_exhaustive()
    }
}

// === impl Host ===

impl FromStr for Host {
    type Err = LeafError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(address) = text.parse() {
            return Ok(Self::Ip(address));
        }
        let host = Self::Dns(text.to_owned());
        if server_name(&host).is_none() {
            return Err(LeafError::Name(text.to_owned()));
        }
        Ok(host)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => f.write_str(name),
            Self::Ip(address) => address.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use rstest::rstest;

    use super::*;
    use crate::tls::authority;

    const DAY: Duration = Duration::from_hours(24);

    fn at(days: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + days * 86_400).unwrap()
    }

    fn hosts() -> Vec<Host> {
        vec![
            Host::Dns("cotter.cotter-system.svc".to_owned()),
            Host::Ip(Ipv4Addr::LOCALHOST.into()),
        ]
    }

    #[rstest]
    #[case::new(0, None)]
    #[case::later(19, None)]
    #[case::due(20, Some(Renewal::Due))]
    #[case::over(30, Some(Renewal::Expired))]
    #[case::future(-1, Some(Renewal::NotYetValid))]
    fn a_leaf_is_good_until_two_thirds_of_its_life(
        #[case] day: i64,
        #[case] expected: Option<Renewal>,
    ) {
        let ca = Authority::make("cotter", at(0), authority::LIFE).unwrap();
        let leaf = sign(&ca, &hosts(), at(0), LIFE).unwrap();
        let reason = leaf_needs_renewal(&leaf.pem, ca.pem(), &hosts(), at(day));
        assert_eq!(reason, expected);
    }

    #[test]
    fn a_leaf_is_judged_as_a_caller_would() {
        let ca = Authority::make("cotter", at(0), authority::LIFE).unwrap();
        let other = Authority::make("cotter", at(0), authority::LIFE).unwrap();
        let leaf = sign(&ca, &hosts(), at(0), LIFE).unwrap().pem;
        let judge = |pem, ca, hosts: &[Host]| leaf_needs_renewal(pem, ca, hosts, at(0));
        let more = [hosts(), vec![Host::Dns("localhost".to_owned())]].concat();
        assert_eq!(judge(&leaf, ca.pem(), &more), Some(Renewal::Names));
        assert_eq!(judge(&leaf, other.pem(), &hosts()), Some(Renewal::Foreign));
        assert_eq!(judge(&leaf, "", &hosts()), Some(Renewal::Foreign));
        assert_eq!(judge("x", ca.pem(), &hosts()), Some(Renewal::Damaged));
    }

    #[test]
    fn a_leaf_never_outlives_its_authority() {
        let ca = Authority::make("cotter", at(0), 10 * DAY).unwrap();
        let leaf = sign(&ca, &hosts(), at(1), LIFE).unwrap();
        let der = first(&leaf.pem).unwrap();
        let until = parse(&der).unwrap().validity().not_after.timestamp();
        assert_eq!(until, at(10).as_second());
    }

    #[test]
    fn an_authority_that_was_read_back_signs_too() {
        let made = Authority::make("cotter", at(0), authority::LIFE).unwrap();
        let read = Authority::from_pem(made.pem(), &made.key_pem()).unwrap();
        let leaf = sign(&read, &hosts(), at(0), LIFE).unwrap();
        assert_eq!(
            leaf_needs_renewal(&leaf.pem, made.pem(), &hosts(), at(0)),
            None
        );
    }

    #[test]
    fn hosts_are_read_as_they_are_written() {
        for text in ["localhost", "a.b.example", "127.0.0.1", "::1"] {
            let host: Host = text.parse().unwrap();
            assert_eq!(host.to_string(), text);
            assert_eq!(matches!(host, Host::Ip(_)), text.contains('1'), "{text}");
        }
        for text in ["", "a b", "localhost:8443", "https://localhost"] {
            assert!(text.parse::<Host>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_name_that_is_none_is_refused() {
        let ca = Authority::make("cotter", at(0), authority::LIFE).unwrap();
        for name in ["", "a b", "é"] {
            let refused = sign(&ca, &[Host::Dns(name.to_owned())], at(0), LIFE);
            assert!(matches!(refused, Err(LeafError::Name(_))), "{name}");
        }
    }
}
