//! The validating policy while no cotter answers: the line that it holds, and what it lets through.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    release::{Bench, Release, bench},
    support::{http_client::Reply, ports, wait},
};

pub const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const FOLLOW: Duration = Duration::from_secs(20);
const MERGE: &str = "application/merge-patch+json";
const STRATEGIC: &str = "application/strategic-merge-patch+json";

/// A release whose validating policy denies, and whose webhooks reach nobody.
pub struct Line<'b> {
    pub release: Release<'b>,
}

impl<'b> Line<'b> {
    pub fn install(bench: &'b Bench, config: &Value) -> Self {
        Self::install_with(
            bench,
            &json!({"config": config, "validatingPolicy": {"enabled": true, "actions": ["Deny"]}}),
        )
    }

    pub fn install_with(bench: &'b Bench, values: &Value) -> Self {
        bench.namespace(
            "line-hard",
            &[
                ("cotter.dev/mode", "enforce"),
                ("cotter.dev/policy", "hard"),
            ],
        );
        let refused = || {
            let path = "/api/v1/namespaces/line-hard/pods?dryRun=All";
            let reply = bench
                .plane
                .request("POST", path, Some(&one("first", "first:1")));
            let warned = reply
                .headers("warning")
                .iter()
                .any(|w| w.contains("cotter-images"));
            reply.status == 403 || warned
        };
        // The API server takes a moment to forget a policy, and to compile a new one.
        wait::until("no policy to be in use", FOLLOW, || {
            (!refused()).then_some(())
        });
        let release = bench.install(values);
        let url = format!("https://127.0.0.1:{}/", ports::free());
        release.patch_webhook(|webhook| {
            webhook["clientConfig"] = json!({"service": null, "url": url});
        });
        wait::until("the policy to be in use", FOLLOW, || {
            refused().then_some(())
        });
        Self { release }
    }

    /// A namespace of this policy in mode enforce.
    pub fn enforced(&self, policy: &str) -> String {
        let name = format!("line-{}", policy.replace('.', "-"));
        let labels = [
            ("cotter.dev/mode", "enforce"),
            ("cotter.dev/policy", policy),
        ];
        self.release.bench.namespace(&name, &labels);
        name
    }

    pub fn create(&self, namespace: &str, pod: &Value, query: &str) -> Reply {
        let path = format!("/api/v1/namespaces/{namespace}/pods{query}");
        self.release.bench.plane.request("POST", &path, Some(pod))
    }

    pub fn patch(&self, namespace: &str, pod: &str, kind: &str, patch: &Value) -> Reply {
        let path = format!("/api/v1/namespaces/{namespace}/pods/{pod}");
        self.release
            .bench
            .plane
            .send("PATCH", &path, kind, patch.to_string().as_bytes())
    }

    pub fn remove(&self, namespace: &str, pod: &str) -> Reply {
        let path = format!("/api/v1/namespaces/{namespace}/pods/{pod}?gracePeriodSeconds=0");
        self.release.bench.plane.request("DELETE", &path, None)
    }
}

/// A Pod with one container.
pub fn one(name: &str, image: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": [{"name": "app", "image": image}]}})
}

fn pinned(image: &str) -> String {
    format!("{image}@{DIGEST}")
}

/// `standard` warns of failures, `hard` denies them.
fn config() -> Value {
    let deny = json!({"invalid": "deny", "notFound": "deny", "unauthorized": "deny", "unavailable": "deny", "refused": "deny"});
    json!({"policies": {"standard": {}, "hard": {"onFailure": deny, "allowSkip": false}}})
}

fn image(name: &str, image: &str) -> Value {
    json!({"spec": {"containers": [{"name": name, "image": image}]}})
}

#[test]
fn without_cotter_only_pinned_pods_are_created() {
    let bench = bench!();
    let line = Line::install(&bench, &config());
    for policy in ["standard", "hard"] {
        let namespace = line.enforced(policy);
        let refused = line.create(&namespace, &one("web", "nginx:1.25"), "");
        assert_eq!(refused.status, 403, "{}", refused.text());
        let said = format!(
            "the policy {policy} of this namespace wants: app=docker.io/library/nginx:1.25; no cotter answered"
        );
        assert!(refused.text().contains(&said), "{}", refused.text());
        let admitted = line.create(&namespace, &one("web", &pinned("nginx:1.25")), "");
        assert_eq!(admitted.status, 201, "{}", admitted.text());
        line.remove(&namespace, "web");
    }
}

#[test]
fn what_a_pod_says_of_itself_counts_where_the_policy_warns() {
    let bench = bench!();
    let line = Line::install(&bench, &config());
    for (annotation, value) in [
        ("cotter.dev/unpinned", r#"{"app":"unavailable"}"#),
        ("cotter.dev/skip", "true"),
    ] {
        for (policy, status) in [("standard", 201), ("hard", 403)] {
            let mut pod = one("said", "nginx:1.25");
            pod["metadata"]["annotations"] = json!({annotation: value});
            let reply = line.create(&line.enforced(policy), &pod, "?dryRun=All");
            assert_eq!(
                reply.status,
                status,
                "{annotation} {policy}: {}",
                reply.text()
            );
        }
    }
}

/// What happens to an old Pod with the unpinned containers `app` and `other`, and what becomes of it.
fn updates() -> Vec<(&'static str, &'static str, Value, u16)> {
    let metadata = |member: &str, value: Value| json!({"metadata": {member: value}});
    let toleration = json!({"spec": {"tolerations": [{"key": "a", "operator": "Exists"}]}});
    let finalizers = json!(["example.com/hold", "example.com/more"]);
    let digest = image("app", &pinned("nginx:1.26"));
    let tag = image("app", "nginx:1.26");
    let others = image("app", "other:1");
    vec![
        ("a label", MERGE, metadata("labels", json!({"a": "b"})), 200),
        (
            "an annotation",
            MERGE,
            metadata("annotations", json!({"a": "b"})),
            200,
        ),
        ("a toleration", STRATEGIC, toleration, 200),
        ("another tag", STRATEGIC, tag, 403),
        ("the tag of another container", STRATEGIC, others, 403),
        ("a digest", STRATEGIC, digest, 200),
        (
            "a finalizer",
            MERGE,
            metadata("finalizers", finalizers),
            200,
        ),
    ]
}

#[test]
fn pods_from_before_live_on() {
    let bench = bench!();
    let line = Line::install(&bench, &config());
    for policy in ["standard", "hard"] {
        let namespace = line.enforced(policy);
        bench.namespace(&namespace, &[("cotter.dev/mode", "")]);
        let mut old = one("old", "nginx:1.25");
        old["metadata"]["finalizers"] = json!(["example.com/hold"]);
        let other = json!({"name": "other", "image": "other:1"});
        old["spec"]["containers"]
            .as_array_mut()
            .unwrap()
            .push(other);
        // A namespace's labels are followed, not asked for.
        let status = |pod: &Value, query: &str| line.create(&namespace, pod, query).status;
        wait::until("it to be left", FOLLOW, || {
            (status(&old, "") == 201).then_some(())
        });
        line.enforced(policy);
        let new = one("new", "nginx:1.25");
        let refused = || (status(&new, "?dryRun=All") == 403).then_some(());
        wait::until("it to be enforced", FOLLOW, refused);
        for (what, kind, patch, expected) in updates() {
            let reply = line.patch(&namespace, "old", kind, &patch);
            assert_eq!(reply.status, expected, "{policy}, {what}: {}", reply.text());
        }
        assert_eq!(line.remove(&namespace, "old").status, 200);
        let let_go = json!({"metadata": {"finalizers": null}});
        let reply = line.patch(&namespace, "old", MERGE, &let_go);
        assert_eq!(
            reply.status,
            200,
            "a Pod that is being deleted: {}",
            reply.text()
        );
    }
}

#[test]
fn new_ephemeral_containers_are_looked_at_where_no_failure_is_forgiven() {
    let bench = bench!();
    let line = Line::install(&bench, &config());
    let debug = |name: &str, image: &str| json!({"spec": {"ephemeralContainers": [{"name": name, "image": image}]}});
    for (policy, status) in [("standard", 200), ("hard", 403)] {
        let namespace = line.enforced(policy);
        line.create(&namespace, &one("debugged", &pinned("nginx")), "");
        let path = "debugged/ephemeralcontainers";
        let by_digest = line.patch(
            &namespace,
            path,
            STRATEGIC,
            &debug("one", &pinned("busybox")),
        );
        assert_eq!(by_digest.status, 200, "{}", by_digest.text());
        let by_tag = line.patch(&namespace, path, STRATEGIC, &debug("two", "busybox"));
        assert_eq!(by_tag.status, status, "{policy}: {}", by_tag.text());
        line.remove(&namespace, "debugged");
    }
}

#[test]
fn only_enforced_namespaces_are_looked_at() {
    let bench = bench!();
    let line = Line::install(&bench, &config());
    for (name, labels) in [
        ("line-free", &[][..]),
        ("line-audited", &[("cotter.dev/mode", "audit")]),
    ] {
        bench.namespace(name, labels);
        let reply = line.create(name, &one("web", "nginx"), "?dryRun=All");
        assert_eq!(reply.status, 201, "{name}: {}", reply.text());
    }
}

#[test]
fn by_default_it_only_warns() {
    let bench = bench!();
    let line = Line::install_with(
        &bench,
        &json!({"config": config(), "validatingPolicy": {"enabled": true}}),
    );
    let reply = line.create(&line.enforced("hard"), &one("web", "nginx"), "?dryRun=All");
    assert_eq!(reply.status, 201, "{}", reply.text());
    let warnings = reply.headers("warning");
    assert!(
        warnings
            .iter()
            .any(|w| w.contains("not pinned to a digest")),
        "{warnings:?}"
    );
}

#[test]
fn a_thousand_containers_stay_within_the_budget() {
    let bench = bench!();
    let line = Line::install(&bench, &config());
    let namespace = line.enforced("hard");
    let pod = |name: &str, image: &dyn Fn(usize) -> String| {
        let mut pod = one(name, "");
        pod["spec"]["containers"] = (0..1000)
            .map(|n| json!({"name": format!("container-{n}"), "image": image(n)}))
            .collect();
        pod
    };
    let long = |n: usize| format!("registry.example.com/some-team/some-application-{n}");
    let with_digest = |n: usize| pinned(&format!("{}:v1", long(n)));
    let with_sha = |n: usize| format!("{}:c6cd88ef7de43520f6e95fcb87e6f2452b45edd4", long(n));
    for (name, image) in [
        ("digests", &with_digest as &dyn Fn(usize) -> String),
        ("shas", &with_sha),
    ] {
        let made = line.create(&namespace, &pod(name, image), "");
        assert_eq!(made.status, 201, "{name}: {}", &made.text()[..500]);
        let labelled = line.patch(
            &namespace,
            name,
            MERGE,
            &json!({"metadata": {"labels": {"a": "b"}}}),
        );
        assert_eq!(labelled.status, 200, "{name}: {}", &labelled.text()[..500]);
        let good = line.patch(
            &namespace,
            name,
            STRATEGIC,
            &self::image("container-999", &pinned("other:1")),
        );
        assert_eq!(good.status, 200, "{name}: {}", &good.text()[..500]);
        let bad = line.patch(
            &namespace,
            name,
            STRATEGIC,
            &self::image("container-998", "other:1"),
        );
        assert_eq!(bad.status, 403, "{name}");
        assert!(
            bad.text().contains("docker.io/library/other:1"),
            "{}",
            bad.text()
        );
        line.remove(&namespace, name);
    }
    let unpinned = line.create(
        &namespace,
        &pod("tags", &|n| format!("{}:v1", long(n))),
        "?dryRun=All",
    );
    assert!(
        unpinned.text().contains("is not pinned to a digest"),
        "{}",
        &unpinned.text()[..1000]
    );
}
