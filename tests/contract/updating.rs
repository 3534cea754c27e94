//! `case` rows about updates, deletions and subresources of Pods.

use serde_json::{Value, json};

use crate::hook::Hook;
use crate::pods::{debugger, pod, pod_of_size, pod_with};
use crate::rows::{Row, Scenario};
use crate::seen::Seen;
use crate::site::{JSON, MERGE, Made, STRATEGIC, Site};

pub const SCENARIOS: &[Scenario] = &[
    ("UPDATE label only", |row| {
        updated(
            row,
            "/img",
            MERGE,
            &json!({"metadata": {"labels": {"a": "b"}}}),
        )
    }),
    ("UPDATE image", |row| {
        let image = json!({"spec": {"containers": [{"name": "c", "image": "nginx:2"}]}});
        updated(row, "/img", STRATEGIC, &image)
    }),
    ("UPDATE gated pod", gated),
    ("UPDATE of a 1.3 MB pod", |_| large()),
    ("pods/status not matched", |_| status()),
    ("DELETE + webhook patch, Fail", |row| deleted(row, "Fail")),
    ("DELETE + webhook patch, Ignore", |row| {
        deleted(row, "Ignore")
    }),
    ("ephemeralcontainers first add", |row| debugged(row, "/eph")),
    ("ephemeralcontainers + hook adds", |row| {
        debugged(row, "/ips")
    }),
    ("ephemeralcontainers + hook rewrites", |row| {
        debugged(row, "/img")
    }),
    ("strategic merge patch puts the new", |_| order()),
    ("pods/* eviction", evicted),
    ("resize + hook adds", |_| resized("/ips")),
    ("resize + hook rewrites", |_| resized("/img")),
];

/// A site with a Pod that was there before its webhook.
fn with_pod(pod: &Value, hook: Hook) -> Site {
    let site = Site::new();
    site.created(pod);
    site.install("", &[hook]);
    site
}

fn updated(row: &Row, path: &str, content_type: &str, patch: &Value) -> Seen {
    let hook = Hook::new(path).on(&["UPDATE"], &["pods"]);
    let site = with_pod(&pod(row.pod(), "nginx:1"), hook);
    let made = site.patch(&format!("pods/{}", row.pod()), content_type, patch);
    Seen::of(&site, &made)
}

fn gated(row: &Row) -> Seen {
    let gates = json!({"schedulingGates": [{"name": "example.com/gate"}]});
    let hook = Hook::new("/ips").on(&["UPDATE"], &["pods"]);
    let site = with_pod(&pod_with(row.pod(), "nginx:1", gates), hook);
    let label = json!({"metadata": {"labels": {"a": "b"}}});
    let made = site.patch(&format!("pods/{}", row.pod()), MERGE, &label);
    Seen::of(&site, &made)
}

fn large() -> Seen {
    let hook = Hook::new("/ok").on(&["UPDATE"], &["pods"]);
    let site = with_pod(&pod_of_size("p", 13), hook);
    let made = site.patch(
        "pods/p",
        MERGE,
        &json!({"metadata": {"labels": {"a": "b"}}}),
    );
    Seen::of(&site, &made)
}

fn status() -> Seen {
    let site = with_pod(
        &pod("p", "nginx:1"),
        Hook::new("/img").on(&["UPDATE"], &["pods"]),
    );
    let made = site.patch("pods/p/status", MERGE, &json!({"status": {"message": "m"}}));
    assert_eq!(made.object["status"]["message"], "m");
    Seen::of(&site, &made)
}

fn deleted(row: &Row, policy: &str) -> Seen {
    let hook = Hook::new("/img").on(&["DELETE"], &["pods"]);
    let site = with_pod(
        &pod(row.pod(), "nginx:1"),
        hook.with("failurePolicy", policy),
    );
    let path = format!("pods/{}?gracePeriodSeconds=0", row.pod());
    let made = site.send("DELETE", &path, JSON, &Value::Null);
    assert_eq!(
        site.plane.pod(&site.name, row.pod())["spec"]["containers"][0]["image"],
        "nginx:1"
    );
    Seen::of(&site, &made)
}

fn debugged(row: &Row, path: &str) -> Seen {
    let hook = Hook::new(path).on(&["UPDATE"], &["pods/ephemeralcontainers"]);
    let site = with_pod(&pod(row.pod(), "nginx:1"), hook);
    let made = debug(&site, row.pod(), "d");
    Seen::of(&site, &made)
}

fn debug(site: &Site, pod: &str, name: &str) -> Made {
    let path = format!("pods/{pod}/ephemeralcontainers");
    let made = site.patch(&path, STRATEGIC, &debugger(name));
    assert_eq!(made.status, 200, "{}", made.object);
    made
}

fn order() -> Seen {
    let hook = Hook::new("/ok").on(&["UPDATE"], &["pods/ephemeralcontainers"]);
    let site = with_pod(&pod("p", "nginx:1"), hook);
    debug(&site, "p", "d1");
    let made = debug(&site, "p", "d2");
    let calls = site.calls();
    let shown = &calls[1].request()["object"]["spec"]["ephemeralContainers"];
    let names = shown
        .as_array()
        .expect("containers")
        .iter()
        .map(|one| one["name"].clone());
    Seen::of(&site, &made).with("order", names.collect::<Value>())
}

fn evicted(row: &Row) -> Seen {
    let hook = Hook::new("/ok").on(&["CREATE"], &["pods/*"]);
    let site = with_pod(&pod(row.pod(), "nginx:1"), hook);
    let eviction = json!({"apiVersion": "policy/v1", "kind": "Eviction",
        "metadata": {"name": row.pod(), "namespace": site.name}});
    let path = format!("pods/{}/eviction", row.pod());
    let made = site.send("POST", &path, JSON, &eviction);
    Seen::of(&site, &made)
}

fn resized(path: &str) -> Seen {
    let mut small = pod("p", "nginx:1");
    let cpu = |amount: &str| json!({"requests": {"cpu": amount}, "limits": {"cpu": "1"}});
    small["spec"]["containers"][0]["resources"] = cpu("10m");
    let hook = Hook::new(path).on(&["UPDATE"], &["pods/resize"]);
    let site = with_pod(&small, hook);
    let larger = json!({"spec": {"containers": [{"name": "c", "resources": cpu("20m")}]}});
    let made = site.patch("pods/p/resize", STRATEGIC, &larger);
    let calls = site.calls();
    assert_eq!(calls.len(), 1, "{}", made.object);
    assert_eq!(calls[0].request()["subResource"], "resize");
    Seen::of(&site, &made)
}
