//! What is no review, or a strange one: a 4xx with one line, or a sane answer.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{World, create, pinned, pod, review};

const REVIEW: &str = r#""apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview""#;

fn request(object: &str) -> String {
    let kind = r#""kind":{"group":"","version":"v1","kind":"Pod"}"#;
    format!(
        r#"{{{REVIEW},"request":{{"uid":"u-1",{kind},"namespace":"shop","operation":"CREATE","object":{object}}}}}"#
    )
}

#[rstest]
#[case::empty(Vec::new())]
#[case::not_json(b"hello".to_vec())]
#[case::a_list(b"[]".to_vec())]
#[case::null(b"null".to_vec())]
#[case::no_uid(json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {}}).to_string())]
#[case::no_request(format!("{{{REVIEW}}}"))]
#[case::null_request(format!(r#"{{{REVIEW},"request":null}}"#))]
#[case::v1beta1(create(pod(&["a"])).to_string().replace("admission.k8s.io/v1", "admission.k8s.io/v1beta1"))]
#[case::another_kind(create(pod(&["a"])).to_string().replace("AdmissionReview", "Pod"))]
#[case::truncated(create(pod(&["a"])).to_string().chars().take(200).collect::<String>())]
#[case::trailing(create(pod(&["a"])).to_string() + "x")]
#[case::deep("[".repeat(100_000))]
#[case::deep_maps(r#"{"a":"#.repeat(100_000))]
#[case::deep_where_a_list_belongs(request(&format!(r#"{{"spec":{{"containers":{}"#, "[".repeat(100_000))))]
#[case::deep_template(request(&r#"{"spec":{"template":"#.repeat(50_000)))]
#[case::invalid_utf8([b"{\"kind\":\"".as_slice(), &[0xff, 0xfe], b"\"}"].concat())]
#[case::wrong_shapes(request(r#"{"spec":{"containers":"x"}}"#))]
#[case::numbers_for_texts(request(r#"{"spec":{"containers":[{"name":1e999}]}}"#))]
#[tokio::test(start_paused = true)]
async fn refused(#[case] body: impl Into<Vec<u8>>) {
    let world = World::new();
    let refused = world.send(body.into()).await.unwrap_err();
    assert_eq!(refused.status.as_u16(), 400);
    let line = &refused.message;
    assert!(!line.is_empty() && line.chars().count() <= 200 && !line.contains(char::is_control));
}

#[rstest]
#[case::a_huge_number(r#"{"spec":{"priority":1e999999,"x":-123456789012345678901234567890}}"#)]
#[case::deep_unknown_members(&format!(r#"{{"spec":{{"x":{}{}}}}}"#, "[".repeat(100_000), "]".repeat(100_000)))]
#[case::duplicate_labels(
    r#"{"metadata":{"labels":{"a":"b","a":"c"},"annotations":{"a":"b","a":"c"}}}"#
)]
#[case::no_spec("{}")]
#[case::nothing("null")]
#[tokio::test(start_paused = true)]
async fn allowed(#[case] object: &str) {
    let answer = World::new().send(request(object)).await.unwrap();
    assert_eq!(answer["response"], json!({"uid": "u-1", "allowed": true}));
}

/// As in Go, the last of equal members counts.
#[tokio::test(start_paused = true)]
async fn duplicate_members() {
    let body = format!(r#"{{"kind":"Pod",{REVIEW},"request":{{"uid":"u-0","uid":"u-1"}}}}"#);
    let answer = World::new().send(body).await.unwrap();
    assert_eq!(answer["response"], json!({"uid": "u-1", "allowed": true}));
}

#[rstest]
#[case::clashing_shapes("example.com", "Widget", json!({"spec": "x", "metadata": 5}))]
#[case::same_kind_of_another_group("example.com", "Pod", json!({"spec": {"containers": 7}}))]
#[case::no_object("", "Namespace", Value::Null)]
#[tokio::test(start_paused = true)]
async fn foreign_kinds_pass(#[case] group: &str, #[case] kind: &str, #[case] object: Value) {
    let sent = review(group, kind, "CREATE", object, Value::Null);
    let answer = World::new().send(sent.to_string()).await.unwrap();
    assert_eq!(answer["response"], json!({"uid": "u-1", "allowed": true}));
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_containers() {
    let image = "ghcr.io/a/app:dev";
    let reply = World::new().create(&vec![image; 10_000]).await;
    assert!(reply.images().iter().all(|found| *found == pinned(image)));
}

#[tokio::test(start_paused = true)]
async fn strange_names_make_no_strange_lines() {
    let mut pod = pod(&["Bad Image\r\n\u{202e}"]);
    pod["spec"]["containers"][0]["name"] = "x\n\u{0}\"".repeat(500).into();
    pod["spec"]["imagePullSecrets"] = json!([{"name": "a\nb"}, {}, {"name": ""}]);
    let reply = World::new().review(&create(pod)).await;
    assert!(reply.allowed() && !reply.warnings().is_empty());
}
