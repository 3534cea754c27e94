use super::*;

#[test]
fn an_update_touches_changed_slots_only() {
    let pod = |a: &str| json!({"metadata": {}, "spec": {"containers": [{"name": "a", "image": a}, {"name": "b", "image": "b:dev"}]}});
    let plan = Review::of(pod("a:new")).update(pod("a:old")).plan();
    let changed: Vec<_> = plan.changes.iter().map(|(slot, _)| slot).collect();
    assert_eq!(changed, ["a"]);
    let label_only = Review::of(pod("a:old")).update(pod("a:old")).plan();
    assert!(label_only.patch.is_empty() && label_only.outcomes.is_empty());
}

#[test]
fn applying_the_same_manifest_again_gives_the_pin_back() {
    let mut old = Review::image("ghcr.io/A/app:dev").result();
    old["metadata"]["labels"] = json!({"x": "y"});
    let mut new = old.clone();
    new["spec"]["containers"][0]["image"] = "ghcr.io/A/app:dev".into();
    let unavailable = failed(Cause::Unavailable);
    let review = Review::of(new)
        .update(old.clone())
        .answer("ghcr.io/a/app", "", unavailable);
    assert_eq!(review.result(), old);
}

#[test]
fn an_update_injects_nothing() {
    let pod =
        |a: &str| json!({"metadata": {}, "spec": {"containers": [{"name": "a", "image": a}]}});
    let review = Review::of(pod("ghcr.io/a/b:2"))
        .update(pod("ghcr.io/a/b:1"))
        .secret("s", &["ghcr.io"]);
    assert_eq!(review.result()["spec"]["imagePullSecrets"], Value::Null);
}

#[test]
fn only_new_ephemeral_containers_are_pinned_and_nothing_else_is_written() {
    let pod = |names: &[&str]| {
        let debug: Vec<_> = names
            .iter()
            .map(|n| json!({"name": n, "image": "busybox:dev"}))
            .collect();
        json!({"metadata": {}, "spec": {"containers": [{"name": "a", "image": "a:dev"}], "ephemeralContainers": debug}})
    };
    let mut review = Review::of(pod(&["new", "old"])).update(pod(&["old"]));
    review.subresource = "ephemeralcontainers";
    let plan = review.plan();
    let paths: Vec<Value> = serde_json::from_slice(&plan.patch.to_json()).unwrap();
    assert_eq!(paths.len(), 1);
    assert_eq!(paths[0]["path"], "/spec/ephemeralContainers/0/image");
}

#[rstest]
#[case::mirror(json!({"annotations": {"kubernetes.io/config.mirror": "x"}}))]
#[case::being_deleted(json!({"deletionTimestamp": "2026-01-01T00:00:00Z"}))]
fn left_alone(#[case] metadata: Value) {
    let mut review = Review::image("a:dev");
    review.object["metadata"] = metadata;
    assert!(review.plan().outcomes.is_empty());
}

#[test]
fn skipping_is_the_default() {
    assert_eq!(Policy::default().allow_skip, Allow(true));
}
