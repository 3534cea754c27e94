//! A private certificate authority for one test.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

pub struct Ca {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate and its key, both PEM.
#[derive(Clone)]
pub struct Identity {
    pub cert: String,
    pub key: String,
}

impl Ca {
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::CrlSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        let key = KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("a CA").pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// For a server that is called by these names and addresses.
    pub fn server(&self, names: &[&str]) -> Identity {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("names");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(&params, &KeyPair::generate().expect("a key"))
    }

    /// For a server on this machine.
    pub fn local_server(&self) -> Identity {
        self.server(&["127.0.0.1", "localhost", "::1"])
    }

    /// For a client that Kubernetes takes for `user` in `groups`. Two groups at most: rcgen keeps one value of a kind in a
    /// name, so the second one is written under the same OID as a kind of its own.
    pub fn client(&self, user: &str, groups: &[&str]) -> Identity {
        const ORGANISATION: [u64; 4] = [2, 5, 4, 10];
        assert!(groups.len() <= 2, "at most two groups");
        let kinds = [
            DnType::OrganizationName,
            DnType::CustomDnType(ORGANISATION.to_vec()),
        ];
        let mut name = DistinguishedName::new();
        name.push(DnType::CommonName, user);
        for (kind, &group) in kinds.into_iter().zip(groups) {
            name.push(kind, group);
        }
        let mut params = CertificateParams::default();
        params.distinguished_name = name;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(&params, &KeyPair::generate().expect("a key"))
    }

    /// A certificate for a key that the caller has made.
    pub fn certify(&self, name: &str, key: &KeyPair) -> Identity {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        self.sign(&params, key)
    }

    fn sign(&self, params: &CertificateParams, key: &KeyPair) -> Identity {
        let cert = params.signed_by(key, &self.issuer).expect("a certificate");
        Identity {
            cert: cert.pem(),
            key: key.serialize_pem(),
        }
    }
}

impl Identity {
    pub fn chain(&self) -> Vec<CertificateDer<'static>> {
        certificates(&self.cert)
    }

    pub fn private_key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::from_pem_slice(self.key.as_bytes()).expect("a key")
    }
}

pub fn certificates(pem: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .expect("certificates")
}
