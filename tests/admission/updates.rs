//! What is looked at, and what is left alone.

use cotter::domain::policy::Cause;
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{
    World, create, deployment, failed, pinned, pod, review, update, with_secrets,
};

const OLD: &str = "ghcr.io/a/app:old";
const NEW: &str = "ghcr.io/a/app:new";

fn subresource(name: &str, mut sent: Value) -> Value {
    sent["request"]["subResource"] = name.into();
    sent
}

fn ephemeral(names: &[&str], container: &str) -> Value {
    let mut pod = pod(&[container]);
    let debug: Vec<_> = names
        .iter()
        .map(|name| json!({"name": name, "image": "ghcr.io/a/debug:dev"}))
        .collect();
    pod["spec"]["ephemeralContainers"] = debug.into();
    pod
}

#[tokio::test(start_paused = true)]
async fn only_new_texts_are_pinned() {
    let world = World::new().secrets(&[("s", &["ghcr.io"])]);
    let (old, new) = (
        pod(&["ghcr.io/A/x:dev", OLD]),
        pod(&["ghcr.io/A/x:dev", NEW]),
    );
    let reply = world.review(&update(new, old)).await;
    assert_eq!(reply.images(), ["ghcr.io/A/x:dev", &*pinned(NEW)]);
    assert_eq!(reply.secrets(), [""; 0]);
}

fn marked(metadata: Value) -> Value {
    let mut pod = pod(&[NEW]);
    pod["metadata"] = metadata;
    create(pod)
}

#[rstest]
#[case::label_only(update(pod(&[NEW]), pod(&[NEW])))]
#[case::no_old_object(update(pod(&[NEW]), Value::Null))]
#[case::delete(review("", "Pod", "DELETE", Value::Null, pod(&[NEW])))]
#[case::connect(review("", "Pod", "CONNECT", pod(&[NEW]), Value::Null))]
#[case::status(subresource("status", update(pod(&[NEW]), pod(&[OLD]))))]
#[case::resize(subresource("resize", update(pod(&[NEW]), pod(&[OLD]))))]
#[case::eviction(subresource("eviction", review("policy", "Eviction", "CREATE", json!({"spec": 5}), Value::Null)))]
#[case::binding(subresource("binding", review("", "Binding", "CREATE", json!({"target": {}}), Value::Null)))]
#[case::mirror(marked(json!({"annotations": {"kubernetes.io/config.mirror": "x"}})))]
#[case::being_deleted(marked(json!({"deletionTimestamp": "2026-01-01T00:00:00Z"})))]
#[case::no_new_ephemeral_container(subresource(
    "ephemeralcontainers", update(ephemeral(&["a"], NEW), ephemeral(&["a"], OLD))
))]
#[tokio::test(start_paused = true)]
async fn left_alone(#[case] sent: Value) {
    let world = World::new();
    let reply = world.review(&sent).await;
    assert!(reply.allowed() && reply.operations.is_empty());
    assert_eq!((reply.warnings(), world.registry.log().len()), (vec![], 0));
}

#[tokio::test(start_paused = true)]
async fn only_new_ephemeral_containers_are_touched() {
    let world = World::new().secrets(&[("s", &["ghcr.io"])]);
    let (old, new) = (ephemeral(&["a"], OLD), ephemeral(&["b", "a"], NEW));
    let sent = subresource("ephemeralcontainers", update(new, old));
    let reply = world.review(&sent).await;
    assert_eq!(reply.operations.len(), 1, "{:?}", reply.operations);
    let path = &reply.operations[0]["path"];
    assert_eq!(path, "/spec/ephemeralContainers/0/image");
    let asked = world.registry.log();
    assert_eq!(
        asked,
        [" ghcr.io/a/debug:dev"],
        "with the Pod's own secrets"
    );
}

#[rstest]
#[case::generate_name(json!({"generateName": "x-"}), json!({"containers": [{"name": "c0", "image": NEW}]}))]
#[case::no_metadata(Value::Null, json!({"containers": [{"name": "c0", "image": NEW}]}))]
#[case::null_maps(json!({"annotations": null, "labels": null, "ownerReferences": null}),
    json!({"containers": [{"name": "c0", "image": NEW}]}))]
#[case::null_lists(json!({}), json!({"containers": [{"name": "c0", "image": NEW}], "initContainers": null,
    "ephemeralContainers": null, "volumes": null, "imagePullSecrets": null}))]
#[tokio::test(start_paused = true)]
async fn shapes(#[case] metadata: Value, #[case] spec: Value) {
    let world = World::new().secrets(&[("s", &["ghcr.io"])]);
    let mut pod = json!({"spec": spec});
    if !metadata.is_null() {
        pod["metadata"] = metadata;
    }
    let reply = world.review(&create(pod)).await;
    assert_eq!(
        (reply.images(), reply.secrets()),
        (vec![&*pinned(NEW)], vec!["s"])
    );
    let annotation = reply.annotation("cotter.dev/images");
    assert_eq!(annotation, json!({"c0": {"from": NEW, "to": pinned(NEW)}}));
}

#[tokio::test(start_paused = true)]
async fn every_list_is_walked() {
    let world = World::new();
    let mut pod = pod(&["ghcr.io/a/c:dev"]);
    pod["spec"]["initContainers"] = json!([{"name": "i", "image": "ghcr.io/a/i:dev"}]);
    pod["spec"]["volumes"] =
        json!([{"name": "e"}, {"name": "v", "image": {"reference": " ghcr.io/a/v:dev"}}]);
    let reply = world.review(&create(pod)).await;
    let spec = &reply.object["spec"];
    assert_eq!(
        spec["initContainers"][0]["image"],
        pinned("ghcr.io/a/i:dev")
    );
    assert_eq!(
        spec["volumes"][1]["image"]["reference"],
        pinned("ghcr.io/a/v:dev")
    );
    assert_eq!(reply.images(), [pinned("ghcr.io/a/c:dev")]);
}

#[tokio::test(start_paused = true)]
async fn set_image_merges_the_record() {
    let world = World::new().answers("ghcr.io/a/gone:*", "*", failed(Cause::NotFound));
    let gone = "ghcr.io/a/gone:dev";
    let old = world.create(&["ghcr.io/a/x:dev", OLD, gone]).await.object;
    let mut new = old.clone();
    new["spec"]["containers"][1]["image"] = NEW.into();
    let reply = world.review(&update(new, old.clone())).await;
    let x = "ghcr.io/a/x:dev";
    let record =
        json!({"c0": {"from": x, "to": pinned(x)}, "c1": {"from": NEW, "to": pinned(NEW)}});
    assert_eq!(reply.annotation("cotter.dev/images"), record);
    assert_eq!(
        reply.annotation("cotter.dev/unpinned"),
        json!({"c2": "notFound"})
    );
    let mut immutable = old.clone();
    immutable["spec"]["containers"][1]["image"] = "ghcr.io/a/app:sha-c6cd88e".into();
    let reply = world.review(&update(immutable, old)).await;
    let record = json!({"c0": {"from": x, "to": pinned(x)}});
    assert_eq!(
        reply.annotation("cotter.dev/images"),
        record,
        "of slots as they are"
    );
}

#[tokio::test(start_paused = true)]
async fn the_same_manifest_again_restarts_nothing() {
    let world = World::new();
    let old = world.create(&["ghcr.io/A/app:dev"]).await.object;
    world.registry.answers("*", "*", failed(Cause::Unavailable));
    let mut new = old.clone();
    new["spec"]["containers"][0]["image"] = "ghcr.io/A/app:dev".into();
    let asked = world.registry.log().len();
    let reply = world.review(&update(new.clone(), old.clone())).await;
    assert_eq!(reply.object, old);
    assert_eq!(world.registry.log().len(), asked);
    // A replaced manifest has no record of ours; the old object has.
    new["metadata"]
        .as_object_mut()
        .unwrap()
        .remove("annotations");
    let reply = world.review(&update(new, old.clone())).await;
    assert_eq!(reply.images(), crate::support::images(&old));
}

#[rstest]
#[case::other_replicas(&[NEW], &[], &[NEW], &[], 0)]
#[case::another_image(&[NEW], &[], &[OLD], &[], 1)]
#[case::another_secret(&[NEW], &["s"], &[NEW], &[], 1)]
#[case::one_slot_less(&[NEW], &[], &[NEW, OLD], &[], 1)]
#[tokio::test(start_paused = true)]
async fn templates_on_update(
    #[case] new: &[&str],
    #[case] new_secrets: &[&str],
    #[case] old: &[&str],
    #[case] old_secrets: &[&str],
    #[case] asks: usize,
) {
    let world = World::new().secrets(&[("s", &["ghcr.io"])]);
    let object =
        |images: &[&str], secrets: &[&str]| deployment(&with_secrets(pod(images), secrets));
    let (new, old) = (object(new, new_secrets), object(old, old_secrets));
    let reply = world
        .review(&review("apps", "Deployment", "UPDATE", new, old))
        .await;
    assert_eq!(
        (world.registry.log().len(), reply.operations.len()),
        (asks, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn owned_objects_with_templates_are_not_analysed() {
    let world = World::new();
    let mut object = deployment(&pod(&[NEW]));
    object["metadata"]["ownerReferences"] =
        json!([{"kind": "Deployment", "uid": "u", "controller": true}]);
    let reply = world
        .review(&review("apps", "ReplicaSet", "CREATE", object, Value::Null))
        .await;
    assert_eq!((reply.warnings(), world.registry.log().len()), (vec![], 0));
}
