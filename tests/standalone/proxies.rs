//! Behind a proxy, and offline.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpListener},
    path::Path,
    sync::mpsc,
};

use rstest::rstest;

use crate::{
    Cotter, FOLLOW, patch,
    support::{command, scratch::Scratch},
};

/// No packet leaves for it: the kernel refuses a connection to the broadcast address.
const NOWHERE: &str = "255.255.255.255";

/// A proxy that refuses everything, and the targets that it is asked for.
fn refusing_proxy() -> (SocketAddr, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (targets, asked) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).unwrap();
            let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
            if targets.send(line.trim().to_owned()).is_err() {
                return;
            }
        }
    });
    (address, asked)
}

#[rstest]
#[case::upper_case("HTTPS_PROXY", "NO_PROXY")]
#[case::lower_case("https_proxy", "no_proxy")]
fn the_environments_proxy_is_asked_and_its_password_is_not_shown(
    #[case] variable: &str,
    #[case] exceptions: &str,
) {
    let (address, asked) = refusing_proxy();
    let url = format!("http://squid:s3cret@{address}");
    let env = [(variable, url.as_str()), (exceptions, NOWHERE)];
    let scratch = Scratch::new("proxy");
    let config = format!("registries: [{{host: {NOWHERE}, allowPrivate: true}}]");
    let cotter = Cotter::start_with(scratch, &config, &["--log-level", "debug"], &env);
    let response = cotter.review("ghcr.io/acme/app:dev");
    let warning = response["warnings"][0].as_str().unwrap();
    assert!(warning.contains("not reachable"), "{warning}");
    assert!(!warning.contains("proxy"), "{warning}");
    let target = asked.recv_timeout(FOLLOW).unwrap();
    assert_eq!(target, "CONNECT ghcr.io:443 HTTP/1.1");
    cotter.review(&format!("{NOWHERE}/app:dev"));
    assert!(asked.try_recv().is_err());
    let log = cotter.process.log();
    let said = format!("registries are asked through a proxy proxy={address}");
    assert!(log.contains(&said), "{log}");
    assert!(
        log.contains("the proxy 127.0.0.1 answered CONNECT with 403"),
        "{log}"
    );
    assert!(!log.contains("s3cret"), "{log}");
}

#[test]
fn a_proxy_that_cannot_be_used_is_refused_at_the_start() {
    let scratch = Scratch::new("bad-proxy");
    let outcome = command::run(
        Path::new(env!("CARGO_BIN_EXE_cotter")),
        &["serve", "--standalone"],
        &[("HTTPS_PROXY", "https://squid:s3cret@proxy.example:3128")],
        scratch.path(),
        b"",
    );
    assert_eq!(outcome.code, 2);
    let said = "HTTPS_PROXY: cotter speaks to a proxy in plain HTTP only, not over TLS; write \
                http://[user:password@]host[:port]";
    assert!(outcome.stderr.contains(said), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("s3cret"), "{}", outcome.stderr);
}

#[test]
fn offline_is_said_once() {
    let config =
        "{resolve: {offline: true}, registries: [{host: ghcr.io, mirrors: [m.example/x]}]}";
    let (address, asked) = refusing_proxy();
    let url = format!("http://{address}");
    let env = [("HTTPS_PROXY", url.as_str())];
    let cotter = Cotter::start_with(Scratch::new("offline"), config, &[], &env);
    for _ in 0..3 {
        let response = cotter.review("ghcr.io/ByteQuester/App:dev");
        assert_eq!(patch(&response)[0]["value"], "ghcr.io/bytequester/app:dev");
        let warnings = response["warnings"].to_string();
        assert!(!warnings.contains("pinned"), "{warnings}");
    }
    let log = cotter.process.log();
    let said = log.matches("resolve.offline: no registry is asked").count();
    assert_eq!(said, 1, "{log}");
    assert!(asked.try_recv().is_err());
}
