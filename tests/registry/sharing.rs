//! What askers share, and what they never do.

use std::time::{Duration, Instant};

use cotter::{
    admission::ports::{Ask, Registry as _},
    domain::policy::{Cause, PinStyle},
    registry::client::Client,
};
use futures_util::future::join_all;

use crate::{
    common::{alice, ask, ask_as, ask_old, bob, client_of, client_with, listed, outcome, settings},
    hostile::{Hostile, Tricks},
    oci_registry::{Counts, Image, OciRegistry},
};

async fn seeded() -> (OciRegistry, Client, String) {
    let registry = OciRegistry::start().await;
    registry.add_user("alice", "wonderland", &["team/app"]);
    registry.add_user("bob", "builder", &["team/other"]);
    let digest = registry.push("team/app", "dev", &Image::new("1"));
    let client = client_with(settings(vec![listed(&registry.host(), registry.ca_pem())]));
    (registry, client, digest)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_first_pods_are_one_look_up() {
    let (registry, client, digest) = seeded().await;
    registry.set_round_trip(Duration::from_millis(5));
    let began_after = Instant::now();
    let asks = (0..1_000).map(|_| {
        let client = client.clone();
        let ask = Ask {
            began_after,
            ..ask_as(&alice(), ask(&registry.host(), "team/app", "dev"))
        };
        tokio::spawn(async move { outcome(&client, ask).await })
    });
    for found in join_all(asks).await {
        assert_eq!(found.unwrap(), Ok(digest.clone()));
    }
    let expected = Counts {
        challenges: 1,
        tokens: 1,
        heads: 1,
        ..Counts::default()
    };
    assert_eq!(registry.take_counts(), expected);
}

#[tokio::test]
async fn credentials_share_no_answer() {
    let (registry, client, digest) = seeded().await;
    let dev = || {
        ask_old(
            Duration::from_mins(1),
            ask(&registry.host(), "team/app", "dev"),
        )
    };
    assert_eq!(
        outcome(&client, ask_as(&alice(), dev())).await,
        Ok(digest.clone())
    );
    assert!(client.known(&ask_as(&alice(), dev())).is_some());
    for other in [dev(), ask_as(&bob(), dev())] {
        assert!(client.known(&other).is_none());
        assert_eq!(outcome(&client, other).await, Err(Cause::Unauthorized));
    }
    assert_eq!(outcome(&client, ask_as(&alice(), dev())).await, Ok(digest));
}

#[tokio::test]
async fn credentials_share_no_flight() {
    let (registry, client, digest) = seeded().await;
    registry.set_round_trip(Duration::from_millis(20));
    let dev = || ask(&registry.host(), "team/app", "dev");
    let (alices, bobs, anybodys) = tokio::join!(
        outcome(&client, ask_as(&alice(), dev())),
        outcome(&client, ask_as(&bob(), dev())),
        outcome(&client, dev()),
    );
    assert_eq!(alices, Ok(digest));
    assert_eq!(
        (bobs, anybodys),
        (Err(Cause::Unauthorized), Err(Cause::Unauthorized))
    );
}

#[tokio::test]
async fn styles_share_no_answer() {
    let (registry, client, _) = seeded().await;
    let dev = ask_as(&alice(), ask(&registry.host(), "team/app", "dev"));
    assert!(outcome(&client, dev.clone()).await.is_ok());
    let by_commit = Ask {
        style: PinStyle::GitSha,
        ..dev
    };
    assert!(client.known(&by_commit).is_none());
}

#[tokio::test]
async fn who_leaves_takes_nothing_from_the_others() {
    let (registry, client, digest) = seeded().await;
    registry.set_round_trip(Duration::from_millis(100));
    let dev = ask_as(&alice(), ask(&registry.host(), "team/app", "dev"));
    let hasty = Ask {
        deadline: Instant::now() + Duration::from_millis(10),
        ..dev.clone()
    };
    assert_eq!(outcome(&client, hasty).await, Err(Cause::Unavailable));
    assert_eq!(
        outcome(&client, dev.clone()).await,
        Ok(digest),
        "the same flight"
    );
    assert_eq!(registry.take_counts().heads, 1);
    assert!(client.known(&dev).is_some());
}

#[tokio::test]
async fn a_cold_look_up_is_its_round_trips() {
    let registry = Hostile::start(Tricks::default()).await;
    let client = client_of(&registry);
    let tags: Vec<_> = (0..5).map(|n| format!("t{n}")).collect();
    let asks = tags
        .iter()
        .map(|tag| outcome(&client, ask(&registry.host(), "team/app", tag)));
    assert!(join_all(asks).await.iter().all(Result::is_ok));
    assert_eq!(registry.take_seen().len(), 5);
}
