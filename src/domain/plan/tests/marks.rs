use super::*;

#[test]
fn a_second_review_of_the_patched_pod_changes_nothing() {
    let owner = json!([{"kind": "ReplicaSet", "uid": "u", "controller": true}]);
    let pod = json!({"metadata": {"ownerReferences": owner}, "spec": {
        "initContainers": [{"name": "i", "image": "ghcr.io/A/init"}],
        "containers": [{"name": "a", "image": "ghcr.io/a/app:dev"}, {"name": "b", "image": "Bad Image"}],
        "volumes": [{"name": "v", "image": {"reference": "ghcr.io/a/data:dev"}}]}});
    let mut review = Review::of(pod).secret("s", &["ghcr.io/a"]);
    let first = review.result();
    assert_eq!(first["metadata"]["labels"]["cotter.dev/pinned"], "true");
    assert_eq!(first["spec"]["imagePullSecrets"], json!([{"name": "s"}]));
    review.object = first;
    assert_eq!(review.plan().patch.operations(), []);
}

#[test]
fn records_what_it_did() {
    let pod = json!({"metadata": {}, "spec": {"containers": [
        {"name": "a", "image": "ghcr.io/A/app:dev"}, {"name": "b", "image": "ghcr.io/b/gone:dev"}]}});
    let result = Review::of(pod)
        .answer("ghcr.io/b/gone", "", failed(Cause::NotFound))
        .result();
    let annotation = |name: &str| -> Value {
        serde_json::from_str(result["metadata"]["annotations"][name].as_str().unwrap()).unwrap()
    };
    let to = format!("ghcr.io/a/app:dev@{DEV}");
    assert_eq!(
        annotation(IMAGES),
        json!({"a": {"from": "ghcr.io/A/app:dev", "to": to}})
    );
    assert_eq!(annotation(UNPINNED), json!({"b": "notFound"}));
}

#[test]
fn what_a_caller_wrote_into_our_marks_does_not_stay() {
    let forged = json!({"app": {"from": "x:dev", "to": format!("x:dev@{DEV}")}}).to_string();
    let pod = json!({"metadata": {"labels": {"cotter.dev/pinned": "true"},
        "annotations": {"cotter.dev/images": forged, "cotter.dev/unpinned": "{\"z\":\"notFound\"}"}},
        "spec": {"containers": [{"name": "app", "image": "ghcr.io/a/app:sha-c6cd88e"}]}});
    let result = Review::of(pod).result();
    assert_eq!(result["metadata"], json!({"labels": {}, "annotations": {}}));
}

#[test]
fn annotations_over_the_limit_are_left_off_with_a_warning() {
    let mut review = Review::image("ghcr.io/a/app:dev");
    review.object["metadata"]["annotations"] = json!({"big": "x".repeat(256 * 1024 - 50)});
    let plan = review.plan();
    assert_eq!(plan.patch.operations().len(), 1, "{:?}", plan.patch);
    assert!(plan.warnings.lines()[0].contains("256 KiB"));
}
