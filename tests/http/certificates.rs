//! TLS: versions, callers' certificates, and a certificate that changes under way.

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use cotter::{
    http::listener::Limits,
    telemetry::metrics::Metrics,
    tls::{
        authority::{self, Authority},
        files::{Files, Follower},
        leaf::{self, Leaf},
        resolver::{self, Served},
    },
};
use jiff::Timestamp;
use rustls::{
    ClientConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    version::TLS12,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{Server, hear, localhost, post, say, sign, text};

const REVIEW: &[u8] =
    b"POST /mutate HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";

fn roots(server: &Server) -> rustls::RootCertStore {
    let mut roots = rustls::RootCertStore::empty();
    let pem = server.authority.pem().as_bytes();
    roots
        .add(CertificateDer::from_pem_slice(pem).unwrap())
        .unwrap();
    roots
}

/// The leaf that the server shows now.
async fn shown(server: &Server) -> Vec<u8> {
    let stream = server.connect().await;
    let (_, connection) = stream.get_ref();
    connection.peer_certificates().unwrap()[0].to_vec()
}

fn der(leaf: &Leaf) -> Vec<u8> {
    CertificateDer::from_pem_slice(leaf.pem.as_bytes())
        .unwrap()
        .to_vec()
}

fn replace(served: &Served, leaf: &Leaf) {
    served.replace(resolver::pair(leaf.pem.as_bytes(), leaf.key_pem.as_bytes()).unwrap());
}

#[tokio::test]
async fn tls_1_2_is_spoken() {
    let server = Server::start().await;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS12])
        .unwrap()
        .with_root_certificates(roots(&server))
        .with_no_client_auth();
    let mut stream = server.connect_with(config).await.unwrap();
    assert!(say(&mut stream, REVIEW).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn tls_1_1_is_refused() {
    // RFC 4346 7.4.1.2: version 3.2, random, no session, TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, no compression; and
    // one extension, signature_algorithms, without which rustls does not look at the version.
    let mut hello = vec![3, 2];
    hello.extend([7; 32]);
    hello.extend([0, 0, 2, 0xc0, 0x09, 1, 0]);
    hello.extend([0, 8, 0, 13, 0, 4, 0, 2, 4, 3]);
    let length = u8::try_from(hello.len()).unwrap();
    let mut record = vec![22, 3, 1, 0, length + 4, 1, 0, 0, length];
    record.extend(&hello);
    let server = Server::start().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(&record).await.unwrap();
    let mut alert = [0; 7];
    stream.read_exact(&mut alert).await.unwrap();
    // An alert (21), fatal (2), protocol_version (70).
    assert_eq!((alert[0], alert[5], alert[6]), (21, 2, 70));
}

#[tokio::test]
async fn plain_http_gets_nothing() {
    let server = Server::start().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(REVIEW).await.unwrap();
    let mut heard = Vec::new();
    let _ = stream.read_to_end(&mut heard).await;
    assert!(!heard.starts_with(b"HTTP"));
    assert_eq!(server.review("{}").await.0, 200);
}

#[tokio::test]
async fn with_a_client_ca_only_its_callers_get_in() {
    let callers = Authority::make("callers", Timestamp::now(), authority::LIFE).unwrap();
    let server = Server::trusting(Limits::default(), 0, Some(callers.pem())).await;
    // TLS 1.3 tells a client that it was refused only after its handshake.
    let refused = async {
        let mut stream = server.connect_with(server.client()).await?;
        stream.write_all(REVIEW).await?;
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).await
    };
    assert!(refused.await.is_err());

    let caller = client_certificate(&callers);
    let key = PrivateKeyDer::from_pem_slice(caller.1.as_bytes()).unwrap();
    let chain = vec![CertificateDer::from_pem_slice(caller.0.as_bytes()).unwrap()];
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots(&server))
        .with_client_auth_cert(chain, key)
        .unwrap();
    let mut stream = server.connect_with(config).await.unwrap();
    assert!(say(&mut stream, REVIEW).await.starts_with("HTTP/1.1 200"));
}

/// A client's certificate and key, PEM; cotter itself signs servers only.
fn client_certificate(authority: &Authority) -> (String, String) {
    let key = rcgen::KeyPair::from_pem(&authority.key_pem()).unwrap();
    let issuer = rcgen::Issuer::from_ca_cert_pem(authority.pem(), key).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::default();
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    let certificate = params.signed_by(&key, &issuer).unwrap();
    (certificate.pem(), key.serialize_pem())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_is_exchanged_under_load() {
    let server = Arc::new(Server::start().await);
    let stop = Arc::new(AtomicBool::new(false));
    let load: Vec<_> = (0..4)
        .map(|_| {
            let (server, stop) = (server.clone(), stop.clone());
            tokio::spawn(async move {
                let mut kept = server.http1().await;
                let mut answered = 0;
                while !stop.load(Ordering::Relaxed) {
                    assert_eq!(server.review("{}").await.0, 200);
                    kept.ready().await.unwrap();
                    let response = kept.send_request(post("/mutate", "{}")).await;
                    assert_eq!(text(response.unwrap()).await.0, 200);
                    answered += 2;
                }
                answered
            })
        })
        .collect();
    for _ in 0..5 {
        let leaf = sign(&server.authority);
        replace(&server.served, &leaf);
        assert_eq!(shown(&server).await, der(&leaf));
    }
    stop.store(true, Ordering::Relaxed);
    for caller in load {
        assert!(caller.await.unwrap() > 0);
    }
}

#[tokio::test]
async fn a_refused_handshake_leaves_the_listener_alone() {
    let server = Server::start().await;
    let other = Server::start().await;
    let distrusting = server.connect_with(other.client()).await;
    assert!(distrusting.is_err());
    let mut stream = server.connect().await;
    stream.write_all(REVIEW).await.unwrap();
    assert!(hear(&mut stream).await.starts_with("HTTP/1.1 200"));
}

/// A Secret volume as the kubelet makes it: `..data` is a symbolic link that is exchanged by a rename.
fn mount(volume: &Path, generation: &str, cert: &str, key: &str) {
    let data = volume.join(generation);
    fs::create_dir(&data).unwrap();
    fs::write(data.join("tls.crt"), cert).unwrap();
    fs::write(data.join("tls.key"), key).unwrap();
    let new = volume.join("..data_tmp");
    symlink(generation, &new).unwrap();
    fs::rename(new, volume.join("..data")).unwrap();
    for name in ["tls.crt", "tls.key"] {
        let link = volume.join(name);
        if !link.exists() {
            symlink(Path::new("..data").join(name), link).unwrap();
        }
    }
}

#[test]
fn files_are_followed_by_content_and_a_bad_pair_keeps_the_old_one() {
    let volume = tempfile::tempdir().unwrap();
    let authority = Authority::make("test", Timestamp::now(), authority::LIFE).unwrap();
    let (one, three) = (sign(&authority), sign(&authority));
    let two = leaf::sign(&authority, &localhost(), Timestamp::now(), leaf::LIFE / 2).unwrap();
    mount(volume.path(), "..1", &one.pem, &one.key_pem);
    let files = Files {
        cert: volume.path().join("tls.crt"),
        key: volume.path().join("tls.key"),
    };
    let metrics = Arc::new(Metrics::default());
    let ends = |leaf: &Leaf| {
        let der = der(leaf);
        let (_, parsed) = x509_parser::parse_x509_certificate(&der).unwrap();
        let at = parsed.validity().not_after.timestamp();
        let name = "cotter_certificate_not_after_timestamp_seconds";
        let line = format!("{name}{{kind=\"leaf\"}} {at}\n");
        assert!(metrics.encode().contains(&line), "{line}");
    };
    let mut follower = Follower::start(files, metrics.clone()).unwrap();
    ends(&one);
    let served = follower.served();
    let shows = |leaf: &Leaf| served.current().unwrap().cert[0].to_vec() == der(leaf);
    let mut look = |good: u32, bad: u32| {
        follower.look();
        follower.look();
        let text = metrics.encode();
        for (ok, count) in [("yes", good), ("no", bad)] {
            let line = format!("cotter_certificate_reloads_total{{ok=\"{ok}\"}} {count}\n");
            assert!(text.contains(&line), "{line}{text}");
        }
    };
    look(0, 0);
    mount(volume.path(), "..2", &two.pem, &two.key_pem);
    look(1, 0);
    assert!(shows(&two));
    ends(&two);
    mount(volume.path(), "..3", &three.pem, &one.key_pem);
    look(1, 1);
    assert!(shows(&two));
    ends(&two);
    mount(volume.path(), "..4", "not a certificate", &three.key_pem);
    look(1, 2);
    fs::remove_file(volume.path().join("tls.key")).unwrap();
    look(1, 3);
    assert!(shows(&two));
    mount(volume.path(), "..5", &three.pem, &three.key_pem);
    look(2, 3);
    assert!(shows(&three));
}

#[test]
fn files_that_are_no_pair_stop_the_start_and_say_which() {
    let dir = tempfile::tempdir().unwrap();
    let files = Files {
        cert: dir.path().join("tls.crt"),
        key: dir.path().join("tls.key"),
    };
    let missing = Follower::start(files.clone(), Arc::default()).unwrap_err();
    assert!(missing.to_string().ends_with("tls.crt"), "{missing}");
    let authority = Authority::make("test", Timestamp::now(), authority::LIFE).unwrap();
    fs::write(&files.cert, sign(&authority).pem).unwrap();
    fs::write(&files.key, sign(&authority).key_pem.as_bytes()).unwrap();
    let mixed = Follower::start(files, Arc::default()).unwrap_err();
    assert!(mixed.to_string().contains("are no certificate and key"));
}
