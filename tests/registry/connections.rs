//! TLS, connections that break, and registries that cannot be reached.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use cotter::{
    domain::{digest::Digest, policy::Cause},
    registry::settings::{HostSettings, Settings, SettingsError},
};
use rstest::rstest;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use crate::{
    common::{Names, ask, client_with, client_with_names, listed, outcome, settings},
    hostile::{Hostile, MANIFEST, Tricks},
};

#[tokio::test]
async fn a_certificate_that_is_not_trusted() {
    let (registry, other) = (
        Hostile::start(Tricks::default()).await,
        Hostile::start(Tricks::default()).await,
    );
    let client = client_with(settings(vec![listed(&registry.host(), other.ca_pem())]));
    let found = outcome(&client, ask(&registry.host(), "team/app", "dev")).await;
    assert_eq!(found, Err(Cause::Unavailable));
    assert!(registry.take_seen().is_empty());
}

#[tokio::test]
async fn a_certificate_for_another_name() {
    let registry = Hostile::start(Tricks::default()).await;
    let host = format!("other.example:{}", registry.port());
    let names = Names::new(&[&["127.0.0.1"]]);
    let client = client_with_names(settings(vec![listed(&host, registry.ca_pem())]), &names);
    let found = outcome(&client, ask(&host, "team/app", "dev")).await;
    assert_eq!(found, Err(Cause::Unavailable));
}

#[test]
fn a_ca_that_cannot_be_used() {
    let host = HostSettings {
        host: "registry.example".into(),
        ca: vec![vec![0; 4].into()],
        ..HostSettings::default()
    };
    let made = cotter::registry::client::Client::new(settings(vec![host]), Arc::default());
    assert!(matches!(made, Err(SettingsError::Ca { host, .. }) if host == "registry.example"));
}

#[tokio::test]
async fn other_settings_of_a_host_drop_its_connections_and_answers() {
    use cotter::admission::ports::Registry as _;
    let (registry, other) = (
        Hostile::start(Tricks::default()).await,
        Hostile::start(Tricks::default()).await,
    );
    let hosts = |ca: &str| {
        settings(vec![
            listed(&registry.host(), ca),
            listed(&other.host(), other.ca_pem()),
        ])
    };
    let client = client_with(hosts(registry.ca_pem()));
    let (here, there) = (
        ask(&registry.host(), "team/app", "dev"),
        ask(&other.host(), "team/app", "dev"),
    );
    assert!(outcome(&client, here.clone()).await.is_ok());
    assert!(outcome(&client, there.clone()).await.is_ok());
    client.swap(hosts(other.ca_pem())).unwrap();
    assert!(client.known(&here).is_none());
    assert!(
        client.known(&there).is_some(),
        "nothing changed for this one"
    );
    assert_eq!(outcome(&client, here).await, Err(Cause::Unavailable));
}

/// Answers `served` requests of each connection, then does as `end` says with the next one.
async fn flaky(served: usize, end: fn(TcpStream)) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                for _ in 0..served {
                    if !request(&mut stream).await {
                        return;
                    }
                    stream.write_all(answer().as_bytes()).await.unwrap();
                }
                if request(&mut stream).await {
                    end(stream);
                }
            });
        }
    });
    (host, connections)
}

async fn request(stream: &mut TcpStream) -> bool {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).await.unwrap_or_default() == 0 {
            return false;
        }
        head.push(byte[0]);
    }
    true
}

fn answer() -> String {
    let digest = Digest::of(MANIFEST.as_bytes());
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.oci.image.manifest.v1+json\r\n\
         Docker-Content-Digest: {digest}\r\nContent-Length: {}\r\n\r\n",
        MANIFEST.len()
    )
}

fn plain(host: &str) -> Settings {
    settings(vec![HostSettings {
        host: host.into(),
        plain_http: true,
        allow_private: true,
        ..HostSettings::default()
    }])
}

fn half_close(stream: TcpStream) {
    // The server's side ends; its other half stays open and is never read again.
    tokio::spawn(async move {
        let (read, mut write) = stream.into_split();
        write.shutdown().await.unwrap();
        tokio::time::sleep(Duration::from_mins(1)).await;
        drop(read);
    });
}

fn reset(stream: TcpStream) {
    stream.set_zero_linger().unwrap();
    drop(stream);
}

#[rstest]
#[case::closed(drop as fn(TcpStream))]
#[case::half_closed(half_close as fn(TcpStream))]
#[case::reset(reset as fn(TcpStream))]
#[tokio::test]
async fn a_connection_that_went_stale_is_replaced(#[case] end: fn(TcpStream)) {
    let (host, connections) = flaky(1, end).await;
    let client = client_with(plain(&host));
    for expected in 1..=3 {
        let found = outcome(&client, ask(&host, "team/app", "dev")).await;
        assert!(found.is_ok(), "{found:?}");
        assert_eq!(connections.load(Ordering::SeqCst), expected);
    }
}

#[tokio::test]
async fn a_server_that_always_cuts_is_tried_twice() {
    let (host, connections) = flaky(0, drop).await;
    let found = outcome(&client_with(plain(&host)), ask(&host, "team/app", "dev")).await;
    assert_eq!(found, Err(Cause::Unavailable));
    assert_eq!(connections.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_dead_registry_is_left_alone_and_the_others_are_not() {
    let (dead, connections) = flaky(0, drop).await;
    let alive = Hostile::start(Tricks::default()).await;
    let mut both = plain(&dead);
    both.hosts.push(listed(&alive.host(), alive.ca_pem()));
    let client = client_with(both);
    for _ in 0..8 {
        let found = outcome(&client, ask(&dead, "team/app", "dev")).await;
        assert_eq!(found, Err(Cause::Unavailable));
    }
    assert_eq!(
        connections.load(Ordering::SeqCst),
        10,
        "five look-ups, two connections each"
    );
    assert!(
        outcome(&client, ask(&alive.host(), "team/app", "dev"))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn an_address_that_refuses_gives_way_to_the_next() {
    let registry = Hostile::start(Tricks::default()).await;
    let host = format!("registry.example:{}", registry.port());
    let names = Names::new(&[&["127.0.0.9", "127.0.0.1"]]);
    let client = client_with_names(settings(vec![listed(&host, registry.ca_pem())]), &names);
    assert!(
        outcome(&client, ask(&host, "team/app", "dev"))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn one_host_is_asked_so_many_at_a_time() {
    let registry = Hostile::start(Tricks {
        hangs: true,
        ..Tricks::default()
    })
    .await;
    let client = client_with(Settings {
        per_registry: 3,
        ..settings(vec![listed(&registry.host(), registry.ca_pem())])
    });
    let mut asks = JoinSet::new();
    for n in 0..20 {
        let (client, host) = (client.clone(), registry.host());
        asks.spawn(async move { outcome(&client, ask(&host, "team/app", &format!("t{n}"))).await });
    }
    let mut seen = 0;
    while seen < 3 {
        tokio::time::sleep(Duration::from_millis(5)).await;
        seen += registry.take_seen().len();
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(seen + registry.take_seen().len(), 3);
}
