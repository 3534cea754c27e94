//! Whole reviews, with somebody who counts as he is told.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use futures_util::{FutureExt as _, future::BoxFuture};
use rstest::rstest;
use serde_json::{Value, json};

use super::*;

/// Counts as it is told; `None` never ends.
struct Told(Option<Result<Pods, Uncounted>>);

impl Users for Told {
    fn pods<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Pods, Uncounted>> {
        match self.0.clone() {
            Some(told) => std::future::ready(told).boxed(),
            None => std::future::pending().boxed(),
        }
    }
}

fn web() -> Pods {
    let mut pods = Pods::default();
    pods.add("shop", "web");
    pods
}

async fn answer(told: Option<Result<Pods, Uncounted>>, review: &Value) -> Value {
    let guard = Guard::new(Arc::new(Told(told)));
    let deadline = Instant::now() + Duration::from_secs(1);
    let answer = guard.review(review.to_string().as_bytes(), deadline).await;
    let answer: Value = serde_json::from_slice(&answer.unwrap()).unwrap();
    assert_eq!(answer["kind"], "AdmissionReview");
    assert_eq!(answer["apiVersion"], "admission.k8s.io/v1");
    assert_eq!(answer["response"]["uid"], "u");
    answer["response"].clone()
}

fn review(operation: &str, more: &Value) -> Value {
    let mut request = json!({"uid": "u", "kind": {"group": "cotter.dev", "version": "v1alpha1", "kind": "Registry"},
        "operation": operation, "userInfo": {"username": "alice", "groups": ["system:authenticated"]}, "name": "hub"});
    for (key, value) in more.as_object().unwrap() {
        request[key] = value.clone();
    }
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request})
}

fn registry() -> Value {
    json!({"metadata": {"name": "hub"}, "spec": {"type": "GHCR", "credentials": {"secretRef": {"name": "hub"}}}})
}

#[tokio::test]
async fn the_creator_is_stamped() {
    for dry_run in [false, true] {
        let review = review(
            "CREATE",
            &json!({"object": registry(), "oldObject": null, "dryRun": dry_run}),
        );
        let said = answer(None, &review).await;
        assert_eq!(
            (&said["allowed"], &said["patchType"]),
            (&json!(true), &json!("JSONPatch"))
        );
        let patch = BASE64_STANDARD
            .decode(said["patch"].as_str().unwrap())
            .unwrap();
        let patch: Value = serde_json::from_slice(&patch).unwrap();
        let value = json!({"cotter.dev/creator": "alice"});
        assert_eq!(
            patch,
            json!([{"op": "add", "path": "/metadata/annotations", "value": value}])
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_registry_in_use_is_not_deleted() {
    let rows = [
        (
            "in use",
            Some(Ok(web())),
            Some("is in use: 1 Pod names its pull secret"),
        ),
        ("not in use", Some(Ok(Pods::default())), None),
        (
            "forbidden",
            Some(Err(Uncounted("may not list pods".to_owned()))),
            Some("may not list pods"),
        ),
        ("slow", None, Some("did not list them in time")),
    ];
    for (name, told, expected) in rows {
        for dry_run in [false, true] {
            let review = review(
                "DELETE",
                &json!({"object": null, "oldObject": registry(), "dryRun": dry_run}),
            );
            let said = answer(told.clone(), &review).await;
            assert_eq!(said["allowed"], expected.is_none(), "{name}: {said}");
            let message = said["status"]["message"].as_str().unwrap_or_default();
            assert!(
                message.contains(expected.unwrap_or_default()),
                "{name}: {message}"
            );
            assert_eq!(said["patch"], Value::Null, "{name}");
        }
    }
}

#[tokio::test]
async fn a_registry_that_leaves_its_pull_secrets_or_is_to_go_anyway_is_not_counted() {
    let mut retain = registry();
    retain["spec"]["deletion"] = "Retain".into();
    let mut forced = registry();
    forced["metadata"]["annotations"] = json!({"cotter.dev/delete-in-use": "true"});
    for old in [retain, forced] {
        let review = review("DELETE", &json!({"oldObject": old}));
        assert_eq!(
            answer(Some(Ok(web())), &review).await["allowed"],
            true,
            "{old}"
        );
    }
}

#[rstest]
#[case::a_pod("CREATE", json!({"kind": {"group": "", "version": "v1", "kind": "Pod"}, "object": {"metadata": 1}}))]
#[case::another_group("DELETE", json!({"kind": {"group": "example.com", "version": "v1", "kind": "Registry"}, "oldObject": {"spec": 1}}))]
#[case::its_status("CREATE", json!({"subResource": "status", "object": {}}))]
#[case::an_update("UPDATE", json!({"object": {}, "oldObject": {}}))]
#[case::a_connect("CONNECT", json!({}))]
#[tokio::test]
async fn what_is_not_its_business_is_allowed_as_it_is(
    #[case] operation: &str,
    #[case] more: Value,
) {
    let said = answer(Some(Ok(web())), &review(operation, &more)).await;
    assert_eq!(said, json!({"uid": "u", "allowed": true}));
}

#[rstest]
#[case::no_json(json!("x"), "this is no AdmissionReview")]
#[case::another_version(json!({"apiVersion": "admission.k8s.io/v1beta1", "kind": "AdmissionReview"}), "expected admission.k8s.io/v1 AdmissionReview")]
#[case::no_request(json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}), "has no request")]
#[case::no_uid(review("CREATE", &json!({"uid": ""})), "has no uid")]
#[case::no_user(review("CREATE", &json!({"userInfo": {}, "object": {}})), "has no user")]
#[case::no_object(review("CREATE", &json!({"object": null})), "has no object")]
#[case::no_old_object(review("DELETE", &json!({"object": {}})), "has no oldObject")]
#[case::an_object_of_another_shape(review("DELETE", &json!({"oldObject": {"spec": {"deletion": "hunter2"}}})), "the Registry of this review cannot be read (line 1, column")]
#[tokio::test]
async fn what_cannot_be_read_is_refused_without_its_text(#[case] body: Value, #[case] said: &str) {
    let guard = Guard::new(Arc::new(Told(None)));
    let answer = guard
        .review(body.to_string().as_bytes(), Instant::now())
        .await;
    let NotAReview(line) = answer.unwrap_err();
    assert!(line.contains(said) && !line.contains("hunter2"), "{line}");
}
