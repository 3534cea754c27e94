//! Pods on UPDATE and DELETE, and their subresources.

use serde_json::{Value, json};

use super::{Case, POD, container, image, one, pod, review, set, with};

pub fn all() -> Vec<Case> {
    let mut cases = updates();
    cases.extend(subresources());
    cases.extend(deletions());
    cases
}

fn case(name: &str, operation: &str, resource: &str, object: &Value, old: &Value) -> Case {
    Case {
        name: format!("{operation} {resource}: {name}"),
        review: review(operation, POD, resource, object, old),
    }
}

fn update(name: &str, object: &Value, old: &Value) -> Case {
    case(name, "UPDATE", "pods", object, old)
}

fn labelled(object: &Value) -> Value {
    set(object.clone(), "metadata/labels", json!({"a": "b"}))
}

fn updates() -> Vec<Case> {
    let app = |tag: &str| one(&image(&format!("public/app:{tag}")));
    let (dev, other) = (app("dev"), app("other"));
    let deleted = json!("2026-01-01T00:00:00Z");
    let gone = |pod: &Value| set(pod.clone(), "metadata/deletionTimestamp", deleted.clone());
    let two = |second: &str| {
        let second = image(&format!("public/second:{second}"));
        pod(json!([
            container("app", &image("public/app:dev")),
            container("b", &second)
        ]))
    };
    let private = one(&image("private/app:dev"));
    let mut cases = vec![
        update("nothing", &dev, &dev),
        update("a label", &labelled(&dev), &dev),
        update("an image", &other, &dev),
        update("one image of two", &two("other"), &two("dev")),
        update("to a missing tag", &app("missing"), &dev),
        update("to a private image", &private, &dev),
        update("to no reference", &one("Bad Image::"), &dev),
        update(
            "a finalizer of what goes",
            &gone(&dev),
            &gone(&labelled(&dev)),
        ),
        update("an image of what goes", &gone(&other), &gone(&dev)),
        update("no old object", &dev, &Value::Null),
    ];
    cases.extend(updates_of_pinned(&dev, &other));
    cases
}

fn updates_of_pinned(dev: &Value, other: &Value) -> [Case; 3] {
    let from = image("public/app:dev");
    let to = format!("{from}@sha256:{}", "4f".repeat(32));
    let record = json!({"app": {"from": from, "to": to}}).to_string();
    let annotated = |pod: &Value| {
        set(
            pod.clone(),
            "metadata/annotations",
            json!({"cotter.dev/images": record}),
        )
    };
    let pinned = annotated(&one(&to));
    [
        update("a label of a pinned Pod", &labelled(&pinned), &pinned),
        update("an image of a pinned Pod", &annotated(other), &pinned),
        update("the old text of a pinned image", &annotated(dev), &pinned),
    ]
}

fn subresources() -> Vec<Case> {
    let (dev, eph) = (image("public/app:dev"), image("public/debug:dev"));
    let debugged = |containers: Value| with(one(&dev), &[("spec/ephemeralContainers", containers)]);
    let first = json!([container("d1", &eph)]);
    let both = json!([container("d2", &eph), container("d1", &eph)]);
    let missing = json!([container("d1", &image("public/debug:missing"))]);
    let secret = json!([container("d1", &image("private/debug:dev"))]);
    let update = |name: &str, resource: &str, object: &Value, old: &Value| {
        case(name, "UPDATE", resource, object, old)
    };
    let ephemeral = "pods/ephemeralcontainers";
    vec![
        update("the first", ephemeral, &debugged(first.clone()), &one(&dev)),
        update(
            "a second, in front",
            ephemeral,
            &debugged(both),
            &debugged(first.clone()),
        ),
        update(
            "nothing new",
            ephemeral,
            &debugged(first.clone()),
            &debugged(first),
        ),
        update("a missing tag", ephemeral, &debugged(missing), &one(&dev)),
        update("a private image", ephemeral, &debugged(secret), &one(&dev)),
        update("resources", "pods/resize", &one(&dev), &one(&dev)),
        update("an image", "pods/resize", &one(&eph), &one(&dev)),
        update(
            "conditions",
            "pods/status",
            &with(one(&dev), &[("status", json!({"phase": "Running"}))]),
            &one(&dev),
        ),
    ]
}

fn deletions() -> Vec<Case> {
    let old = one(&image("public/app:dev"));
    let foreign =
        |name: &str, operation: &str, kind: [&str; 3], resource: &str, object: Value| Case {
            name: format!("{operation} {resource}: {name}"),
            review: review(operation, kind, resource, &object, &Value::Null),
        };
    let target = json!({"name": "web", "namespace": "shop"});
    vec![
        case("a Pod", "DELETE", "pods", &Value::Null, &old),
        case(
            "without its old object",
            "DELETE",
            "pods",
            &Value::Null,
            &Value::Null,
        ),
        case("with an object", "DELETE", "pods", &old, &old),
        case(
            "an operation of a later version",
            "MELT",
            "pods",
            &old,
            &old,
        ),
        foreign(
            "a command",
            "CONNECT",
            ["", "v1", "PodExecOptions"],
            "pods/exec",
            json!({"kind": "PodExecOptions", "apiVersion": "v1", "command": ["sh"], "container": "app"}),
        ),
        foreign(
            "an eviction",
            "CREATE",
            ["policy", "v1", "Eviction"],
            "pods/eviction",
            json!({"kind": "Eviction", "apiVersion": "policy/v1", "metadata": target}),
        ),
        foreign(
            "a binding",
            "CREATE",
            ["", "v1", "Binding"],
            "pods/binding",
            json!({"kind": "Binding", "apiVersion": "v1", "metadata": target, "target": {"kind": "Node", "name": "n"}}),
        ),
    ]
}
