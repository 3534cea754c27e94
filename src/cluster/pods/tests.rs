use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::domain::digest::Digest;

const UID: &str = "0a1b2c3d-0000-0000-0000-0123456789ab";

fn pod() -> Value {
    let to = format!("app:dev@{}", Digest::of(b"one").as_str());
    let images = json!({"app": {"from": "app:dev", "to": to}}).to_string();
    json!({"metadata": {
        "name": "web-1", "namespace": "shop", "uid": UID, "creationTimestamp": "1970-01-01T00:00:07Z",
        "labels": {"controller-revision-hash": "web-5d8"},
        "annotations": {"cotter.dev/images": images, "x": "y"},
        "ownerReferences": [{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web", "uid": "u", "controller": true}]}})
}

fn read(pod: Value) -> Option<PodSeen> {
    serde_json::from_value::<PodObject>(pod).unwrap().pod
}

#[test]
fn a_pinned_pod_tells_its_revision_and_its_slots() {
    let pod = read(pod()).unwrap();
    assert_eq!(pod.uid, 0x0a1b_2c3d_0000_0000_0000_0123_4567_89ab);
    assert_eq!(pod.created, 7);
    let revision = OwnerRevision {
        namespace: "shop".into(),
        owner: "u".into(),
        hash: Some("web-5d8".into()),
    };
    assert_eq!(pod.revision, revision);
    assert_eq!(pod.workload.name, "web");
    let slot = SlotPin {
        slot: "app".into(),
        text: "app:dev".into(),
        digest: Digest::of(b"one"),
    };
    assert_eq!(*pod.slots, [slot]);
}

#[rstest]
#[case::nonsense("{nonsense")]
#[case::no_map("[1,2]")]
#[case::no_change(r#"{"app":5}"#)]
#[case::only_lower_cased(r#"{"app":{"from":"App:dev","to":"app:dev"}}"#)]
#[case::no_digest(r#"{"app":{"from":"app:dev","to":"app:dev@sha256:short"}}"#)]
fn damaged_annotations_tell_nothing(#[case] images: &str) {
    let mut pod = pod();
    pod["metadata"]["annotations"]["cotter.dev/images"] = images.into();
    assert!(read(pod).is_none());
}

#[test]
fn what_no_pod_can_hold_is_not_kept() {
    let to = format!("a@{}", Digest::of(b"one").as_str());
    let change = |from: &str| json!({"from": from, "to": to});
    let mut images = json!({
        "long-text": change(&"a".repeat(513)),
        "s".repeat(129): change("a"),
        "fits": change(&"a".repeat(512)),
    });
    let kept = |images: &Value| {
        let mut pod = pod();
        pod["metadata"]["annotations"]["cotter.dev/images"] = images.to_string().into();
        read(pod).unwrap().slots
    };
    assert_eq!(kept(&images).len(), 1);
    for n in 0..2000 {
        images[format!("c{n}")] = change("a");
    }
    assert_eq!(kept(&images).len(), 1024);
}

#[rstest]
#[case::bare("/ownerReferences", json!([]))]
#[case::another_owner("/ownerReferences/0/kind", json!("Workflow"))]
#[case::no_revision("/labels", json!({}))]
#[case::no_record("/annotations", Value::Null)]
#[case::no_uid("/uid", json!("me"))]
#[case::signed_uid("/uid", json!("+a1b2c3d-0000-0000-0000-0123456789ab"))]
#[case::wide_uid("/uid", json!("é1b2c3d-0000-0000-0000-0123456789ab"))]
#[case::no_age("/creationTimestamp", json!("yesterday"))]
fn others_are_nobodys_siblings(#[case] member: &str, #[case] value: Value) {
    let mut pod = pod();
    *pod["metadata"].pointer_mut(member).unwrap() = value;
    assert!(read(pod).is_none());
}
