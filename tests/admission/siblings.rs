//! One revision, one digest.

use std::time::Duration;

use cotter::domain::{
    policy::{Cause, Mode, Pin, Policy, Stickiness},
    revision::{OwnerRevision, SlotPin},
};
use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    ports::key,
    support::{NAMESPACE, Reply, World, create, digest_of, failed, pinned, pod, update},
};

const APP: &str = "ghcr.io/A/app:dev";

fn owned(version: &str, kind: &str) -> Value {
    let mut pod = pod(&[APP]);
    pod["metadata"]["ownerReferences"] =
        json!([{"apiVersion": version, "kind": kind, "uid": "u", "controller": true}]);
    pod["metadata"]["labels"] = json!({"controller-revision-hash": "h1"});
    pod
}

fn owner_revision(hash: Option<&str>) -> OwnerRevision {
    OwnerRevision {
        namespace: NAMESPACE.into(),
        owner: "u".into(),
        hash: hash.map(Into::into),
    }
}

fn world(revision: Option<&str>) -> World {
    let world = World::new();
    let key = key(&owner_revision(revision), "c0", APP);
    let mut digests = world.siblings.digests.lock().unwrap();
    digests.insert(key, digest_of("siblings"));
    drop(digests);
    world
}

fn kept() -> String {
    format!("ghcr.io/a/app:dev@{}", digest_of("siblings").as_str())
}

#[rstest]
#[case::replica_set("apps/v1", "ReplicaSet", None)]
#[case::replication_controller("v1", "ReplicationController", None)]
#[case::job("batch/v1", "Job", None)]
#[case::daemon_set("apps/v1", "DaemonSet", Some("h1"))]
#[case::stateful_set("apps/v1", "StatefulSet", Some("h1"))]
#[tokio::test(start_paused = true)]
async fn pods_of_one_revision(
    #[case] version: &str,
    #[case] kind: &str,
    #[case] revision: Option<&str>,
) {
    let world = world(revision);
    let reply = world.review(&create(owned(version, kind))).await;
    assert_eq!(reply.images(), [kept()]);
    assert_eq!(
        reply.object["metadata"]["labels"]["cotter.dev/pinned"],
        "true"
    );
    let asks = world.registry.asks();
    assert_eq!(
        (asks.len(), &*asks[0].tag),
        (1, digest_of("siblings").as_str())
    );
    assert_eq!(world.arrived - asks[0].began_after, Duration::from_mins(10));
}

#[rstest]
#[case::unavailable(Cause::Unavailable)]
#[case::unauthorized(Cause::Unauthorized)]
#[case::refused(Cause::Refused)]
#[tokio::test(start_paused = true)]
async fn a_registry_that_does_not_answer_denies_nothing(#[case] cause: Cause) {
    let world = world(None)
        .policy(Policy::strict())
        .answers("*", "*", failed(cause));
    let reply = world.review(&create(owned("apps/v1", "ReplicaSet"))).await;
    assert!(reply.allowed());
    assert_eq!(reply.images(), [kept()]);
    assert_eq!(reply.annotation("cotter.dev/unpinned"), Value::Null);
}

#[rstest]
#[case::waited_for(false)]
#[case::at_hand(true)]
#[tokio::test(start_paused = true)]
async fn a_deleted_digest_is_resolved_anew(#[case] is_warm: bool) {
    let digest = format!("ghcr.io/a/app@{}", digest_of("siblings").as_str());
    let world = world(None).answers(&digest, "*", failed(Cause::NotFound));
    *world.registry.is_warm.lock().unwrap() = is_warm;
    let reply = world.review(&create(owned("apps/v1", "ReplicaSet"))).await;
    assert_eq!(reply.images(), [pinned("ghcr.io/a/app:dev")]);
    reply.warns("no longer has the digest that its siblings run");
    if !is_warm {
        let age = world.arrived - world.registry.asks()[1].began_after;
        assert_eq!(age, Duration::from_secs(2));
    }
}

#[rstest]
#[case::bare(pod(&[APP]))]
#[case::another_owner(owned("argoproj.io/v1alpha1", "Workflow"))]
#[case::somebody_elses_job(owned("batch.volcano.sh/v1alpha1", "Job"))]
#[tokio::test(start_paused = true)]
async fn others_are_not_sticky(#[case] pod: Value) {
    let world = world(None);
    let reply = world.review(&create(pod)).await;
    assert_eq!(reply.images(), [pinned("ghcr.io/a/app:dev")]);
    assert!(world.siblings.asked.lock().unwrap().is_empty());
    assert!(reply.object["metadata"]["labels"]["cotter.dev/pinned"].is_null());
}

#[tokio::test(start_paused = true)]
async fn not_where_the_policy_wants_each_for_itself() {
    let world = world(None).policy(Policy {
        pin: not_sticky(),
        ..Policy::default()
    });
    let reply = world.review(&create(owned("apps/v1", "ReplicaSet"))).await;
    assert_eq!(reply.images(), [pinned("ghcr.io/a/app:dev")]);
}

#[tokio::test(start_paused = true)]
async fn not_on_an_update() {
    let world = world(None);
    let mut old = owned("apps/v1", "ReplicaSet");
    old["spec"]["containers"][0]["image"] = "ghcr.io/a/app:v1".into();
    let sent = update(owned("apps/v1", "ReplicaSet"), old);
    let reply = world.review(&sent).await;
    assert_eq!(reply.images(), [pinned("ghcr.io/a/app:dev")]);
}

/// What the index is told of a Pod that was answered.
fn remembered(world: &World) -> Vec<(OwnerRevision, Vec<SlotPin>)> {
    world.siblings.remembered.lock().unwrap().clone()
}

#[rstest]
#[case::replica_set("apps/v1", "ReplicaSet", None)]
#[case::stateful_set("apps/v1", "StatefulSet", Some("h1"))]
#[tokio::test(start_paused = true)]
async fn an_answer_is_remembered(
    #[case] version: &str,
    #[case] kind: &str,
    #[case] hash: Option<&str>,
) {
    let world = World::new();
    let mut pod = owned(version, kind);
    let second = json!({"name": "c1", "image": "ghcr.io/a/app@sha256:0"});
    pod["spec"]["containers"]
        .as_array_mut()
        .unwrap()
        .push(second);
    let reply = world.review(&create(pod)).await;
    let pin = SlotPin {
        slot: "c0".into(),
        text: APP.into(),
        digest: digest_of("ghcr.io/a/app:dev"),
    };
    assert_eq!(reply.images()[0], pinned("ghcr.io/a/app:dev"));
    assert_eq!(remembered(&world), [(owner_revision(hash), vec![pin])]);
}

/// What will not be stored, or is no revision's, is not remembered.
#[rstest]
#[case::a_dry_run(World::new(), dry_run(create(owned("apps/v1", "ReplicaSet"))))]
#[case::bare(World::new(), create(pod(&[APP])))]
#[case::audited(World::new().mode(Mode::Audit), create(owned("apps/v1", "ReplicaSet")))]
#[case::denied(denying(), create(with_a_refused_slot()))]
#[case::unresolved(
    World::new().answers("*", "*", failed(Cause::Unavailable)),
    create(owned("apps/v1", "ReplicaSet"))
)]
#[case::not_sticky(
    World::new().policy(Policy { pin: not_sticky(), ..Policy::default() }),
    create(owned("apps/v1", "ReplicaSet"))
)]
#[case::an_update(World::new(), an_update())]
#[tokio::test(start_paused = true)]
async fn others_are_not_remembered(#[case] world: World, #[case] review: Value) {
    let _: Reply = world.review(&review).await;
    assert_eq!(remembered(&world), []);
}

fn not_sticky() -> Pin {
    Pin {
        stickiness: Stickiness::None,
        ..Pin::default()
    }
}

fn denying() -> World {
    let missing = failed(Cause::NotFound);
    World::new()
        .policy(Policy::strict())
        .answers("ghcr.io/a/missing:dev", "*", missing)
}

fn with_a_refused_slot() -> Value {
    let mut pod = owned("apps/v1", "ReplicaSet");
    let missing = json!({"name": "c1", "image": "ghcr.io/a/missing:dev"});
    pod["spec"]["containers"]
        .as_array_mut()
        .unwrap()
        .push(missing);
    pod
}

fn dry_run(mut review: Value) -> Value {
    review["request"]["dryRun"] = true.into();
    review
}

fn an_update() -> Value {
    let mut old = owned("apps/v1", "ReplicaSet");
    old["spec"]["containers"][0]["image"] = "ghcr.io/a/app:v1".into();
    update(owned("apps/v1", "ReplicaSet"), old)
}
