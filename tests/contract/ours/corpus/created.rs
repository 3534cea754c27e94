//! Pods on CREATE.

use serde_json::{Value, json};

use super::{Case, POD, container, image, one, pod, review, set, with};
use crate::ours::server::Servers;

pub fn all() -> Vec<Case> {
    let cases = [
        references(),
        outcomes(),
        metadata(),
        annotations(),
        secrets(),
        shapes(),
        hostile(),
    ]
    .concat();
    let case = |(name, object): (&str, Value)| Case {
        name: format!("CREATE {name}"),
        review: review("CREATE", POD, "pods", &object, &Value::Null),
    };
    cases.into_iter().map(case).chain(requests()).collect()
}

type Pods = Vec<(&'static str, Value)>;

fn references() -> Pods {
    let digest = format!("@sha256:{}", "4f".repeat(32));
    vec![
        ("a tag", one(&image("public/app:dev"))),
        ("no tag", one(&image("public/app"))),
        ("a digest", one(&image(&format!("public/app{digest}")))),
        (
            "tag and digest",
            one(&image(&format!("public/app:dev{digest}"))),
        ),
        (
            "a git SHA",
            one(&image(&format!("public/app:{}", "c6cd88ef7de4".repeat(3)))),
        ),
        ("upper case", one(&image("Public/App:Dev"))),
        (
            "spaces around",
            one(&format!(" {}\t", image("public/app:dev"))),
        ),
        ("upper case alone", one(&image("PUBLIC/APP"))),
        ("not a reference", one("Bad Image::")),
        ("only spaces", one("   ")),
        ("empty", one("")),
        ("a digest that is none", one(&image("public/app@sha256:12"))),
        ("a long name", one(&image(&"a/".repeat(2_000)))),
        ("another alphabet", one("реестр.example/приложение:тег")),
        ("control characters", one("a\u{1b}[31m\n\u{202e}b\u{0}")),
    ]
}

fn outcomes() -> Pods {
    let down = format!("{}/app:dev", Servers::get().registry.down);
    let many = |rest: &str| -> Value {
        let one = |n| container(&format!("c{n}"), &image(&format!("{rest}{n}:missing")));
        (0..40).map(one).collect()
    };
    vec![
        ("a missing tag", one(&image("public/app:missing"))),
        ("forty missing tags", pod(many("public/app"))),
        ("a registry that is down", one(&down)),
        ("a forbidden address", one("169.254.169.254/app:dev")),
        ("a private image", one(&image("private/app:dev"))),
        (
            "a private image that is missing",
            one(&image("private/app:missing")),
        ),
        (
            "every outcome at once",
            pod(json!([
                container("pinned", &image("public/app:dev")),
                container("missing", &image("public/app:missing")),
                container("private", &image("private/app:dev")),
                container("invalid", "Bad Image::"),
                container("down", &down),
                container("refused", "10.0.0.1/app:dev"),
            ])),
        ),
    ]
}

fn metadata() -> Pods {
    let app = || one(&image("public/app:dev"));
    let of = |metadata: Value| set(app(), "metadata", metadata);
    let own = |name: &'static str, member: &str, value: Value| {
        (name, set(app(), &format!("metadata/{member}"), value))
    };
    let owner = |kind: &str| json!([{"kind": kind, "name": "web", "uid": "u", "controller": true}]);
    let pinned = json!({"cotter.dev/pinned": "true"});
    let deleted = json!("2026-01-01T00:00:00Z");
    vec![
        own("annotations: null", "annotations", Value::Null),
        own("annotations: {}", "annotations", json!({})),
        own("labels", "labels", json!({"app": "web"})),
        own("labels: null", "labels", Value::Null),
        own("pinned written by the caller", "labels", pinned),
        own("an owner", "ownerReferences", owner("ReplicaSet")),
        own("an unknown owner", "ownerReferences", owner("Thing")),
        own("an object being deleted", "deletionTimestamp", deleted),
        ("generateName", of(json!({"generateName": "web-"}))),
        ("no namespace of its own", of(json!({"name": "web"}))),
        ("no metadata", json!({"spec": app()["spec"]})),
    ]
}

fn annotations() -> Pods {
    let one = |name: &'static str, key: &str, value: &str| {
        let annotations = json!({"a/b": "c", key: value});
        let app = one(&image("public/app:dev"));
        (name, set(app, "metadata/annotations", annotations))
    };
    let written = r#"{"app":{"from":"x","to":"y"}}"#;
    let (images, unpinned) = ("cotter.dev/images", "cotter.dev/unpinned");
    let large = "x".repeat(262_000);
    vec![
        one("annotations", "q", "w"),
        one("images written by the caller", images, written),
        one("images that are no JSON", images, "]"),
        one("unpinned written by the caller", unpinned, "{}"),
        one("skip", "cotter.dev/skip", "true"),
        one("skip: false", "cotter.dev/skip", "false"),
        one("annotations near their limit", "big", &large),
        one("a mirror Pod", "kubernetes.io/config.mirror", "x"),
    ]
}

fn secrets() -> Pods {
    let listed =
        |rest: &str, names: Value| with(one(&image(rest)), &[("spec/imagePullSecrets", names)]);
    let names =
        |names: &[&str]| -> Value { names.iter().map(|name| json!({"name": name})).collect() };
    vec![
        ("pull secrets: []", listed("private/app:dev", json!([]))),
        ("pull secrets: null", listed("private/app:dev", Value::Null)),
        (
            "the pull secret that fits",
            listed("private/app:dev", names(&["alice"])),
        ),
        (
            "another pull secret",
            listed("private/app:dev", names(&["elsewhere"])),
        ),
        (
            "the same pull secret twice",
            listed("private/app:dev", names(&["alice", "alice"])),
        ),
        (
            "a missing pull secret",
            listed("private/app:dev", names(&["nobody"])),
        ),
        (
            "a broken pull secret",
            listed("public/app:dev", names(&["broken"])),
        ),
        (
            "a pull secret without a name",
            listed("private/app:dev", json!([{}, {"name": ""}])),
        ),
    ]
}

fn shapes() -> Pods {
    let dev = || one(&image("public/app:dev"));
    let own = |name: &'static str, path: &str, value: Value| (name, set(dev(), path, value));
    let reference = image("public/data:dev");
    let volume = |reference: &str| json!({"name": "v", "image": {"reference": reference, "pullPolicy": "Always"}});
    let future = json!({"deep": [1, 2.5, 1e300, {"null": null}], "image": "nginx"});
    let large = json!([{"name": "E", "value": "<".repeat(1_000_000)}]);
    let init = json!([container("init", &image("public/init:dev"))]);
    let volumes = json!([{"name": "e", "emptyDir": {}}, volume(&reference)]);
    let all = with(
        dev(),
        &[("spec/initContainers", init), ("spec/volumes", volumes)],
    );
    let unknown = ["spec/future", "future", "spec/containers/0/future"];
    let unknown = unknown
        .into_iter()
        .fold(dev(), |pod, path| set(pod, path, future.clone()));
    let metadata = json!({"name": "web", "namespace": "shop"});
    vec![
        ("every list", all),
        ("unknown fields", unknown),
        own("an empty image volume", "spec/volumes", json!([volume("")])),
        own(
            "pull policy Never",
            "spec/containers/0/imagePullPolicy",
            json!("Never"),
        ),
        own("an environment of 1 MB", "spec/containers/0/env", large),
        own("initContainers: null", "spec/initContainers", Value::Null),
        (
            "a container without an image",
            pod(json!([{"name": "app"}])),
        ),
        (
            "an image that is null",
            pod(json!([{"name": "app", "image": null}])),
        ),
        (
            "two containers of one name",
            pod(json!([
                container("app", &reference),
                container("app", &reference)
            ])),
        ),
        ("containers: null", pod(Value::Null)),
        ("containers: []", pod(json!([]))),
        ("no spec", json!({"metadata": metadata})),
        ("spec: null", json!({"metadata": metadata, "spec": null})),
    ]
}

fn hostile() -> Pods {
    let dev = image("public/app:missing");
    vec![
        (
            "a name with a line break",
            pod(json!([container("a\nb\t\u{7}", &dev)])),
        ),
        (
            "a name with quotes",
            pod(json!([container("a\"b\\c", &dev)])),
        ),
        (
            "a name with slashes and tildes",
            pod(json!([container("a/b~c", &dev)])),
        ),
        (
            "a long name of a container",
            pod(json!([container(&"n".repeat(5_000), &dev)])),
        ),
        (
            "a name that reorders text",
            pod(json!([container("a\u{202e}b\u{2028}", &dev)])),
        ),
    ]
}

/// Requests that differ in what stands beside the object.
fn requests() -> Vec<Case> {
    let pod = one(&image("public/app:dev"));
    let plain = || review("CREATE", POD, "pods", &pod, &Value::Null);
    let request = |name: &str, members: &[(&str, Value)]| Case {
        name: format!("CREATE, {name}"),
        review: with(plain(), members),
    };
    vec![
        request("dry run", &[("request/dryRun", json!(true))]),
        request("no dryRun", &[("request/dryRun", Value::Null)]),
        request("no options", &[("request/options", Value::Null)]),
        request("no namespace", &[("request/namespace", Value::Null)]),
        request(
            "another namespace",
            &[("request/namespace", json!("elsewhere"))],
        ),
        request(
            "a response beside the request",
            &[("response", json!({"uid": "other", "allowed": false}))],
        ),
        request(
            "members of a later version",
            &[("request/future", json!({"a": [1]})), ("future", json!(1))],
        ),
    ]
}
