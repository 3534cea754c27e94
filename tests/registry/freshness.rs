//! How long an answer serves: fresh, negative, last known good, limited.

use std::time::Duration;

use cotter::{
    admission::ports::Registry as _, domain::policy::Cause, registry::settings::Settings,
};
use rstest::rstest;

use crate::{
    common::{alice, ask, ask_as, ask_old, bob, client_of, client_with, listed, outcome, settings},
    hostile::{Hostile, Tricks},
    oci_registry::{Image, OciRegistry},
};

const LONG: Duration = Duration::from_mins(1);

#[tokio::test]
async fn an_answer_serves_those_it_is_fresh_enough_for() {
    let registry = Hostile::start(Tricks::default()).await;
    let client = client_of(&registry);
    let dev = || ask(&registry.host(), "team/app", "dev");
    let first = dev();
    assert!(client.known(&first).is_none());
    assert!(outcome(&client, first.clone()).await.is_ok());
    assert!(client.known(&first).is_some(), "it began after that ask");
    assert!(
        client.known(&dev()).is_none(),
        "this ask is younger than the answer"
    );
    assert!(client.known(&ask_old(LONG, dev())).is_some());
    registry.take_seen();
    assert!(outcome(&client, ask_old(LONG, dev())).await.is_ok());
    assert!(registry.take_seen().is_empty());
}

#[tokio::test]
async fn a_moved_tag_is_seen_by_whoever_asks_anew() {
    let registry = OciRegistry::start().await;
    registry.make_public("team/app");
    let old = registry.push("team/app", "dev", &Image::new("1"));
    let client = client_with(settings(vec![listed(&registry.host(), registry.ca_pem())]));
    let dev = || ask(&registry.host(), "team/app", "dev");
    assert_eq!(outcome(&client, dev()).await, Ok(old.clone()));
    let new = registry.push("team/app", "dev", &Image::new("2"));
    assert_eq!(outcome(&client, ask_old(LONG, dev())).await, Ok(old));
    assert_eq!(outcome(&client, dev()).await, Ok(new));
}

#[tokio::test]
async fn a_failure_serves_as_long_as_it_is_fresh() {
    let registry = Hostile::start(Tricks {
        status: Some((404, "MANIFEST_UNKNOWN")),
        ..Tricks::default()
    })
    .await;
    let client = client_of(&registry);
    let dev = || ask(&registry.host(), "team/app", "dev");
    assert_eq!(outcome(&client, dev()).await, Err(Cause::NotFound));
    assert!(
        client
            .known(&ask_old(LONG, dev()))
            .is_some_and(|known| known.is_err())
    );
    registry.trick(|t| t.status = None);
    assert!(
        outcome(&client, dev()).await.is_ok(),
        "pushed right before the Pod"
    );
}

#[tokio::test]
async fn a_failure_serves_no_longer_than_its_time() {
    let registry = Hostile::start(Tricks {
        status: Some((404, "MANIFEST_UNKNOWN")),
        ..Tricks::default()
    })
    .await;
    let client = client_with(Settings {
        negative_ttl: Duration::ZERO,
        ..settings(vec![listed(&registry.host(), registry.ca_pem())])
    });
    let dev = || ask_old(LONG, ask(&registry.host(), "team/app", "dev"));
    assert_eq!(outcome(&client, dev()).await, Err(Cause::NotFound));
    assert!(client.known(&dev()).is_none());
}

#[tokio::test]
async fn the_last_known_good_digest_stands_in_for_the_same_credential_only() {
    let registry = Hostile::start(Tricks::default()).await;
    let client = client_of(&registry);
    let dev = || ask(&registry.host(), "team/app", "dev");
    let good = outcome(&client, ask_as(&alice(), dev())).await;
    registry.trick(|t| t.status = Some((503, "")));
    let stale = client.resolve(ask_as(&alice(), dev())).await.unwrap();
    assert_eq!(Ok(stale.digest.to_string()), good);
    assert!(stale.stale.is_some_and(|age| age < LONG));
    assert!(
        client.known(&ask_as(&alice(), dev())).is_none(),
        "stale is not fresh"
    );
    for other in [dev(), ask_as(&bob(), dev())] {
        assert_eq!(outcome(&client, other).await, Err(Cause::Unavailable));
    }
}

#[tokio::test]
async fn the_last_known_good_digest_ends() {
    let registry = Hostile::start(Tricks::default()).await;
    let client = client_with(Settings {
        max_stale: Duration::ZERO,
        ..settings(vec![listed(&registry.host(), registry.ca_pem())])
    });
    let dev = || ask(&registry.host(), "team/app", "dev");
    assert!(outcome(&client, dev()).await.is_ok());
    registry.trick(|t| t.status = Some((503, "")));
    assert_eq!(outcome(&client, dev()).await, Err(Cause::Unavailable));
}

#[rstest]
#[case::deleted(404, Cause::NotFound)]
#[case::revoked(403, Cause::Unauthorized)]
#[tokio::test]
async fn what_the_registry_says_ends_the_last_known_good(
    #[case] status: u16,
    #[case] cause: Cause,
) {
    let registry = Hostile::start(Tricks::default()).await;
    let client = client_of(&registry);
    let dev = || ask(&registry.host(), "team/app", "dev");
    assert!(outcome(&client, dev()).await.is_ok());
    registry.trick(|t| t.status = Some((status, "")));
    assert_eq!(outcome(&client, dev()).await, Err(cause));
    registry.trick(|t| t.status = Some((503, "")));
    assert_eq!(outcome(&client, dev()).await, Err(Cause::Unavailable));
}

#[rstest]
#[case::ghcr("880.092µs")]
#[case::seconds("30")]
#[case::hours("21600")]
#[case::nonsense("soon")]
#[case::date("Fri, 31 Dec 2100 23:59:59 GMT")]
#[tokio::test]
async fn a_limit_is_remembered_for_that_credential(#[case] after: &str) {
    let registry = Hostile::start(Tricks {
        limited: Some(after.into()),
        ..Tricks::default()
    })
    .await;
    let client = client_of(&registry);
    let tag = |tag| ask_as(&alice(), ask(&registry.host(), "team/app", tag));
    assert_eq!(outcome(&client, tag("dev")).await, Err(Cause::Unavailable));
    assert_eq!(registry.take_seen().len(), 1, "no repetition");
    assert_eq!(
        outcome(&client, tag("other")).await,
        Err(Cause::Unavailable)
    );
    assert!(registry.take_seen().is_empty());
    registry.trick(|t| t.limited = None);
    let bobs = ask_as(&bob(), ask(&registry.host(), "team/app", "dev"));
    assert!(outcome(&client, bobs).await.is_ok());
}
