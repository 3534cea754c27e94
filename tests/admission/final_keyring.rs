//! The keyring that the kubelet will have in the end.

use cotter::domain::policy::Cause;
use rstest::rstest;

use crate::support::{World, create, failed, pinned, pod, with_secrets};

const DIGEST: &str =
    "ghcr.io/b/lib@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const IMMUTABLE: &str = "ghcr.io/b/lib:sha-c6cd88e";

#[tokio::test(start_paused = true)]
async fn a_broad_and_a_narrow_secret_go_together() {
    let world = World::new()
        .secrets(&[("broad", &["ghcr.io"]), ("narrow", &["ghcr.io/b"])])
        .answers("ghcr.io/a/*", "", failed(Cause::Unauthorized))
        .answers("ghcr.io/b/*", "broad", failed(Cause::Unauthorized))
        .answers("ghcr.io/b/*", "", failed(Cause::Unauthorized));
    let images = ["ghcr.io/a/app:dev", "ghcr.io/b/app:dev"];
    let reply = world.create(&images).await;
    assert_eq!(reply.secrets(), ["broad", "narrow"]);
    assert_eq!(reply.images(), images.map(pinned));
    assert_eq!(reply.warnings(), [""; 0]);
}

/// `wide` opens the private image; `lib` is public and pulled without a secret until `wide` matches it.
fn beside_a_public_image() -> World {
    World::new()
        .secrets(&[("wide", &["ghcr.io"]), ("org", &["ghcr.io/b"])])
        .answers("ghcr.io/a/*", "", failed(Cause::Unauthorized))
}

#[rstest]
#[case::served(true, &["org", "wide"])]
#[case::turned_away(false, &["wide"])]
#[tokio::test(start_paused = true)]
async fn a_public_image(#[case] org_serves: bool, #[case] expected: &[&str]) {
    let world = beside_a_public_image();
    if !org_serves {
        world
            .registry
            .answers("ghcr.io/b/*", "org", failed(Cause::Unauthorized));
    }
    let reply = world
        .create(&["ghcr.io/b/lib:dev", "ghcr.io/a/app:dev"])
        .await;
    assert_eq!(reply.secrets(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_would_break_a_public_image_is_spoken_of() {
    let world = World::new()
        .secrets(&[("wide", &["ghcr.io"])])
        .answers("ghcr.io/a/*", "", failed(Cause::Unauthorized))
        .answers("ghcr.io/b/*", "wide", failed(Cause::Unauthorized));
    let images = ["Bad Image", "ghcr.io/b/lib:dev", "ghcr.io/a/app:dev"];
    let reply = world.create(&images).await;
    assert_eq!(reply.secrets(), [""; 0]);
    reply.warns(r#"container "c2" wants pull secret "wide", but container "c1" would"#);
}

#[rstest]
#[case::digest(DIGEST, true, &["own", "first"])]
#[case::digest_turned_away(DIGEST, false, &["own"])]
#[case::immutable_tag(IMMUTABLE, true, &["own", "first"])]
#[case::immutable_tag_turned_away(IMMUTABLE, false, &["own"])]
#[tokio::test(start_paused = true)]
async fn an_own_secret_is_pre_empted(
    #[case] other: &str,
    #[case] serves: bool,
    #[case] expected: &[&str],
) {
    let world = World::new()
        .secrets(&[("own", &["ghcr.io"]), ("first", &["ghcr.io/b", "quay.io"])])
        .answers("quay.io/*", "", failed(Cause::Unauthorized));
    if !serves {
        let unauthorized = failed(Cause::Unauthorized);
        world.registry.answers("ghcr.io/b/*", "first", unauthorized);
    }
    let sent = create(with_secrets(pod(&[other, "quay.io/x/y:dev"]), &["own"]));
    let reply = world.review(&sent).await;
    assert_eq!(reply.secrets(), expected);
    assert!(world.registry.log().contains(&format!("first {other}")));
}

#[tokio::test(start_paused = true)]
async fn the_narrowest_other_secret_takes_its_place() {
    let world = World::new()
        .secrets(&[
            ("both", &["ghcr.io/a/app", "ghcr.io/b"]),
            ("org", &["ghcr.io/a"]),
            ("wide", &["ghcr.io"]),
        ])
        .answers("ghcr.io/a/*", "", failed(Cause::Unauthorized))
        .answers("ghcr.io/b/*", "both", failed(Cause::Unauthorized))
        .answers("ghcr.io/b/*", "wide", failed(Cause::Unauthorized));
    let reply = world
        .create(&["ghcr.io/b/lib:dev", "ghcr.io/a/app:dev"])
        .await;
    assert_eq!(reply.secrets(), ["org"]);
}

#[tokio::test(start_paused = true)]
async fn an_enforcing_account_bounds_the_others_too() {
    let world = World::new()
        .secrets(&[
            ("both", &["ghcr.io/a/app", "ghcr.io/b"]),
            ("org", &["ghcr.io/a"]),
        ])
        .account("default", &["both"], true)
        .answers("ghcr.io/a/*", "", failed(Cause::Unauthorized))
        .answers("ghcr.io/b/*", "both", failed(Cause::Unauthorized));
    let reply = world
        .create(&["ghcr.io/b/lib:dev", "ghcr.io/a/app:dev"])
        .await;
    assert_eq!(reply.secrets(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn an_image_that_nothing_opens_stands_in_nobodys_way() {
    let world = World::new()
        .secrets(&[("narrow", &["ghcr.io/b"]), ("wide", &["ghcr.io"])])
        .answers("ghcr.io/b/typo:*", "*", failed(Cause::NotFound))
        .answers("ghcr.io/b/app:*", "narrow", failed(Cause::Unauthorized))
        .answers("ghcr.io/b/app:*", "", failed(Cause::Unauthorized));
    let reply = world
        .create(&["ghcr.io/b/typo:dev", "ghcr.io/b/app:dev"])
        .await;
    assert_eq!(reply.secrets(), ["wide"]);
    assert_eq!(reply.images()[1], pinned("ghcr.io/b/app:dev"));
}

#[tokio::test(start_paused = true)]
async fn what_an_injected_secret_opens_besides_is_pinned_at_once() {
    let world = World::new()
        .secrets(&[("own", &["ghcr.io"]), ("s", &["ghcr.io/a", "quay.io"])])
        .answers("ghcr.io/a/*", "own", failed(Cause::Unauthorized))
        .answers("quay.io/*", "", failed(Cause::Unauthorized));
    let images = ["ghcr.io/a/app:dev", "quay.io/x/y:dev"];
    let sent = create(with_secrets(pod(&images), &["own"]));
    let reply = world.review(&sent).await;
    assert_eq!(reply.secrets(), ["own", "s"]);
    assert_eq!(reply.images(), images.map(pinned));
}

#[tokio::test(start_paused = true)]
async fn of_secrets_with_one_key_the_one_that_serves_comes_first() {
    let world = World::new()
        .secrets(&[("a", &["quay.io"]), ("b", &["ghcr.io", "quay.io"])])
        .answers("quay.io/*", "b", failed(Cause::Unauthorized))
        .answers("ghcr.io/*", "", failed(Cause::Unauthorized));
    let reply = world
        .create(&["ghcr.io/a/app:dev", "quay.io/x/y:dev"])
        .await;
    assert_eq!(reply.secrets(), ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn offline_nobody_is_asked() {
    let mut world =
        World::new().secrets(&[("own", &["ghcr.io"]), ("first", &["ghcr.io/b", "quay.io"])]);
    world.settings.offline = true;
    let images = ["ghcr.io/B/lib:dev", "quay.io/x/y:dev"];
    let sent = create(with_secrets(pod(&images), &["own"]));
    let reply = world.review(&sent).await;
    assert_eq!(world.registry.log(), [""; 0]);
    assert_eq!(reply.images(), ["ghcr.io/b/lib:dev", "quay.io/x/y:dev"]);
    assert_eq!(reply.secrets(), ["own", "first"]);
}
