//! `case` rows about which requests reach the webhook: selectors and match conditions.

use std::time::Duration;

use serde_json::{Value, json};

use crate::answers::PINNED;
use crate::hook::Hook;
use crate::pods::pod;
use crate::rows::{Row, Scenario};
use crate::seen::Seen;
use crate::site::{JSON, MERGE, Site};
use crate::support::wait;

const TRUE: &str = "object.metadata.name != ''";
const FALSE: &str = "object.metadata.name == ''";
const ERROR: &str = "object.spec.nonexistent == \"x\"";
const UNPINNED: &str = "object.spec.containers.exists(c, !c.image.contains(\"@sha256:\"))";

pub const SCENARIOS: &[Scenario] = &[
    ("namespaceSelector calls", |_| selected()),
    ("kubernetes.io/metadata.name NotIn team", |_| named()),
    ("namespace label flip", |_| flipped()),
    ("matchCondition true (Fail)", |row| {
        matched(row, "Fail", &[TRUE])
    }),
    ("matchCondition false (Fail)", |row| {
        matched(row, "Fail", &[FALSE])
    }),
    ("matchCondition runtime error (Fail)", |row| {
        matched(row, "Fail", &[ERROR])
    }),
    ("matchCondition runtime error (Ignore)", |row| {
        matched(row, "Ignore", &[ERROR])
    }),
    ("matchCondition error + other false", |row| {
        matched(row, "Fail", &[ERROR, FALSE])
    }),
    ("matchCondition skip already pinned", |_| pinned()),
];

fn conditions(expressions: &[&str]) -> Value {
    let condition = |(n, expression): (usize, &&str)| json!({"name": format!("c{n}"), "expression": expression});
    expressions.iter().enumerate().map(condition).collect()
}

fn matched(row: &Row, policy: &str, expressions: &[&str]) -> Seen {
    let hook = Hook::new("/ok")
        .with("matchConditions", conditions(expressions))
        .with("failurePolicy", policy);
    let site = Site::with(&[hook]);
    let made = site.create(&pod(row.pod(), "nginx:1"), "");
    Seen::of(&site, &made)
}

fn pinned() -> Seen {
    let hook = Hook::new("/ok").with("matchConditions", conditions(&[UNPINNED]));
    let site = Site::with(&[hook]);
    site.created(&pod("pinned", PINNED));
    assert!(site.calls().is_empty());
    let made = site.created(&pod("unpinned", "nginx:1"));
    // One status for both: they were created.
    Seen::of(&site, &made).with("http", 200)
}

/// A label that only this site has.
fn label(site: &Site) -> (String, Value) {
    let key = format!("{}.example.com/yes", site.name);
    let selector = json!({"matchLabels": {&key: "yes"}});
    (key, selector)
}

fn selected() -> Seen {
    let site = Site::new();
    let (key, selector) = label(&site);
    let hook = Hook::new("/ok")
        .on(&["CREATE"], &["pods", "nodes", "namespaces"])
        .with("namespaceSelector", selector)
        .ignore();
    site.install("", &[hook]);
    let count = |name: &str| Site::calls_of(|request| request["name"] == name).len();
    let labels = json!({key: "yes"});
    let unlabelled = format!("{}-pod", site.name);
    site.created(&pod(&unlabelled, "nginx:1"));
    let other = format!("{}-labelled", site.name);
    let create = |path: &str, object: &Value| {
        let made = site.send_to("POST", path, JSON, object);
        assert_eq!(made.status, 201, "{}", made.object);
        made
    };
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": other, "labels": labels}});
    create("/api/v1/namespaces", &namespace);
    let account =
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}});
    site.send_to(
        "POST",
        &format!("/api/v1/namespaces/{other}/serviceaccounts"),
        JSON,
        &account,
    );
    let inside = format!("{other}-pod");
    let made = create(
        &format!("/api/v1/namespaces/{other}/pods"),
        &pod(&inside, "nginx:1"),
    );
    let node = format!("{}-node", site.name);
    create(
        "/api/v1/nodes",
        &json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": node}}),
    );
    let calls = [unlabelled, inside, node, other].map(|name| count(&name));
    // One status for all: every one of them was created.
    Seen::of(&site, &made)
        .with("http", 200)
        .with("calls", json!(calls))
}

fn named() -> Seen {
    let (site, team) = (Site::new(), Site::new());
    let not_team =
        json!({"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": [team.name]});
    let (key, selector) = label(&site);
    let hook = Hook::new("/ok")
        .with("namespaceSelector", json!({"matchExpressions": [not_team]}))
        .with("objectSelector", selector);
    site.install("", &[hook]);
    let mut pod = pod("p", "nginx:1");
    pod["metadata"]["labels"] = json!({key: "yes"});
    team.created(&pod);
    let made = site.created(&pod);
    let calls = site.calls().into_iter().map(|_| "default");
    let calls = calls.chain(team.calls().into_iter().map(|_| "team"));
    let calls: Value = calls.collect();
    // One status for both: they were created.
    Seen::of(&site, &made)
        .with("http", 200)
        .with("calls", calls)
}

fn flipped() -> Seen {
    let site = Site::new();
    let (key, selector) = label(&site);
    let own =
        json!({"key": "kubernetes.io/metadata.name", "operator": "In", "values": [site.name]});
    let mut selector = selector;
    selector["matchExpressions"] = json!([own]);
    site.install("", &[Hook::new("/ok").with("namespaceSelector", selector)]);
    let flip = |value: Value| {
        let path = format!("/api/v1/namespaces/{}", site.name);
        let patch = json!({"metadata": {"labels": {&key: value}}});
        assert_eq!(site.send_to("PATCH", &path, MERGE, &patch).status, 200);
    };
    let mut created = 0;
    let mut calls = Vec::new();
    for (value, wanted) in [(json!("yes"), 1), (Value::Null, 0), (json!("yes"), 1)] {
        flip(value);
        // The API server's own informer is a moment behind on a busy machine.
        calls.push(wait::until(
            "the new label to count",
            Duration::from_secs(10),
            || {
                let before = site.calls().len();
                created += 1;
                site.created(&pod(&format!("p{created}"), "nginx:1"));
                let called = site.calls().len() - before;
                (called == wanted).then_some(called)
            },
        ));
    }
    let made = site.created(&pod("last", "nginx:1"));
    Seen::of(&site, &made).with("calls", json!(calls))
}
