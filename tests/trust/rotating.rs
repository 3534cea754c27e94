//! Rotation under load: authorities that live for seconds, a path that changes, three replicas, and a caller that shakes
//! hands as the API server does all the while.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use cotter::{
    admission::reviewer::{BadReview, ReviewRequest, Reviewer},
    cluster::{
        client,
        trust_store::{self, Names},
    },
    http::{
        drain::Drain,
        listener::{Bound, Limits, Security},
        routes::{Paths, Routes},
    },
    telemetry::{metrics::Metrics, readiness::Readiness},
    tls::{
        Lives, Timing,
        path::SecretPath,
        replica::{self, Certificates},
        resolver::{self, Served},
        upkeep::{Signs, Upkeep},
    },
};
use serde_json::json;
use tokio::sync::watch;

use crate::{
    site::{Site, site},
    support::http_client::HttpClient,
};

/// A caller knows what the webhook configuration said at most this long ago; the API server's informer has a change
/// within 20 to 60 ms.
const CALLER_KNOWS: Duration = Duration::from_millis(300);

const OVERLAP: Duration = Duration::from_secs(2);

struct Echo;

impl Reviewer for Echo {
    async fn review(&self, body: Bytes, _: ReviewRequest) -> Result<Bytes, BadReview> {
        Ok(body)
    }
}

/// A replica in this process, whose clock is cotter's own and whose times are short.
struct Quick {
    address: SocketAddr,
    readiness: Readiness,
    _drain: Drain,
}

async fn quick(site: &Site<'_>, lives: Lives, leader: bool) -> Quick {
    let (metrics, readiness) = (Arc::new(Metrics::default()), Readiness::default());
    let client = client::connect(Some(&site.kubeconfig), None).await.unwrap();
    let names = Names {
        namespace: site.name.clone(),
        secret: "cotter-trust".to_owned(),
        configuration: site.name.clone(),
        service: "cotter".to_owned(),
        further: Vec::new(),
    };
    let store = trust_store::spawn(&client, names, &metrics);
    let (served, paths) = (Arc::new(Served::default()), Arc::new(Paths::default()));
    let accepted = paths.clone();
    let signs = Signs {
        certificate: Some(readiness.check("certificate")),
        trusted: readiness.check("trusted"),
        metrics: metrics.clone(),
        accept: Box::new(move |paths| accepted.replace(paths.iter().map(SecretPath::expose))),
        secret: "Secret".to_owned(),
        configuration: "MutatingWebhookConfiguration".to_owned(),
    };
    let host = site.host().parse().unwrap();
    let timing = Timing {
        overlap: OVERLAP,
        stranger: OVERLAP,
        tick: Duration::from_millis(200),
    };
    let replica =
        replica::Replica::new(host, Certificates::Own(lives), served.clone()).timed(timing);
    let leads = watch::Sender::new(leader).subscribe();
    tokio::spawn(Upkeep::new(replica, store, leads, signs).keep(None));
    let bound = Bound::bind("127.0.0.1:0").await.unwrap();
    let address = bound.local_addr().unwrap();
    let config = resolver::server_config(served, None).unwrap();
    let security = Security::Tls(Arc::new(arc_swap::ArcSwap::from_pointee(config)));
    let drain = Drain::default();
    let routes = Routes::new(paths, Echo, 0, metrics);
    tokio::spawn(bound.serve(routes, security, Limits::default(), drain.phases()));
    Quick {
        address,
        readiness,
        _drain: drain,
    }
}

/// Calls all replicas until told to stop; how often, and with how many bundles and paths.
fn load(site: &Site<'_>, replicas: &[SocketAddr], stop: &AtomicBool) -> (usize, usize, usize) {
    let (mut calls, mut bundles, mut paths) = (0, Vec::new(), Vec::new());
    while !stop.load(Ordering::Relaxed) {
        let asked = Instant::now();
        let (bundle, path) = site.hook(0);
        let client = HttpClient::new(&bundle);
        while asked.elapsed() < CALLER_KNOWS {
            for address in replicas {
                let client = client.clone().at(&address.to_string());
                let reply = client.send("POST", &site.host(), &path, &[], b"{}");
                // Where the machine stood still for so long, this caller knows too little.
                if asked.elapsed() >= OVERLAP {
                    break;
                }
                let told = reply.map(|reply| reply.status);
                assert_eq!(told.ok(), Some(200), "{}", trouble(site, &bundle, &path));
                calls += 1;
            }
            // A hundred calls a second and replica: the rest of the machine is the API server's.
            std::thread::sleep(Duration::from_millis(10));
        }
        for (seen, now) in [(&mut bundles, bundle), (&mut paths, path)] {
            if !seen.contains(&now) {
                seen.push(now);
            }
        }
    }
    (calls, bundles.len(), paths.len())
}

/// What was known and what is so now, for a person.
fn trouble(site: &Site<'_>, bundle: &str, path: &str) -> String {
    let (new_bundle, new_path) = site.hook(0);
    let keys = ["ca.crt", "next.crt", "previous.crt"].map(|key| (key, site.shared(key)));
    format!("knew {bundle}{path}\nnow {new_bundle}{new_path}\nshared {keys:#?}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn authorities_leaves_and_paths_change_under_load_and_no_call_fails() {
    let site = site!();
    let lives = Lives {
        ca: Duration::from_secs(20),
        leaf: Duration::from_secs(10),
    };
    let mut replicas = Vec::new();
    for leader in [true, false, false] {
        replicas.push(quick(&site, lives, leader).await);
    }
    crate::site::eventually("trust", || {
        replicas
            .iter()
            .all(|one| one.readiness.is_ready())
            .then_some(())
    });
    let first = site.shared("ca.crt");
    let addresses: Vec<_> = replicas.iter().map(|one| one.address).collect();
    let stop = AtomicBool::new(false);
    let (calls, bundles, paths) = tokio::task::block_in_place(|| {
        std::thread::scope(|scope| {
            let load = scope.spawn(|| load(&site, &addresses, &stop));
            let stopped = StopAtEnd(&stop);
            // Two ordinary rotations, and one that a person asks for.
            let changed = |before: String| {
                crate::site::eventually("the next authority", || {
                    assert!(!load.is_finished(), "a call failed");
                    let now = site.shared("ca.crt");
                    (!now.is_empty() && now != before).then_some(now)
                })
            };
            let second = changed(first);
            let third = changed(second);
            site.edit_secret(&json!({"metadata": {"annotations": {"cotter.dev/rotate": "now"}}}));
            let began = Instant::now();
            let fourth = changed(third.clone());
            assert!(
                began.elapsed() < lives.ca,
                "the rotation that was asked for"
            );
            crate::site::eventually("what is old to be forgotten", || {
                (!site.hook(0).0.contains(third.trim())).then_some(())
            });
            assert_ne!(fourth, third);
            drop(stopped);
            load.join().unwrap()
        })
    });
    assert!(
        calls > 1000 && bundles > 3 && paths > 3,
        "{calls} calls, {bundles} bundles, {paths} paths"
    );
    assert!(site.secret().unwrap()["metadata"]["annotations"]["cotter.dev/rotated"] == "now");
}

struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
