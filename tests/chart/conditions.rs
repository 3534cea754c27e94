//! The match conditions: which requests cotter is asked about at all. failurePolicy is Fail, so an expression that fails or
//! costs too much would refuse the request.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    release::{Bench, Release, bench},
    support::{http_client::Reply, wait, webhook_server::WebhookServer},
};

const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const MERGE: &str = "application/merge-patch+json";
const STRATEGIC: &str = "application/strategic-merge-patch+json";

/// A release whose webhooks are answered by a server that counts.
struct Counted<'b> {
    release: Release<'b>,
    server: WebhookServer,
}

impl<'b> Counted<'b> {
    fn install(bench: &'b Bench) -> Self {
        Self::install_with(bench, "Fail")
    }

    fn install_with(bench: &'b Bench, failure_policy: &str) -> Self {
        let release = bench.install(&json!({"failurePolicy": failure_policy}));
        bench.namespace("shop", &[("cotter.dev/mode", "enforce")]);
        let server = WebhookServer::start(|_| json!([]));
        let bundle = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, server.ca());
        let url = server.url();
        release.patch_webhook(|webhook| {
            webhook["clientConfig"] = json!({"service": null, "url": url, "caBundle": bundle});
            // Those that ignore failures must be as free of errors as the Pods' one.
            webhook["failurePolicy"] = "Fail".into();
        });
        let counted = Self { release, server };
        wait::until("the webhook to be called", Duration::from_secs(20), || {
            let made = counted.send("POST", "pods?dryRun=All", &pod("first", json!({})));
            (made.status == 201 && !counted.server.reviews().is_empty()).then_some(())
        });
        counted
    }

    fn send(&self, method: &str, path: &str, object: &Value) -> Reply {
        let path = format!("/api/v1/namespaces/shop/{path}");
        self.release
            .bench
            .plane
            .request(method, &path, Some(object))
    }

    /// Sends it, expects that it goes through, and says whether the webhook was asked.
    fn asked(&self, what: &str, act: impl FnOnce() -> Reply) -> bool {
        self.times_asked(what, act) > 0
    }

    fn times_asked(&self, what: &str, act: impl FnOnce() -> Reply) -> usize {
        let before = self.server.reviews().len();
        let reply = act();
        assert!(
            (200..300).contains(&reply.status),
            "{what}: {}",
            reply.text()
        );
        self.server.reviews().len() - before
    }

    fn create(&self, pod: &Value) -> bool {
        self.asked("create", || self.send("POST", "pods", pod))
    }

    fn patch(&self, name: &str, kind: &str, patch: &Value) -> bool {
        let path = format!("/api/v1/namespaces/shop/pods/{name}");
        let body = patch.to_string();
        let plane = &self.release.bench.plane;
        self.asked(&patch.to_string()[..60.min(body.len())], || {
            plane.send("PATCH", &path, kind, body.as_bytes())
        })
    }

    fn remove(&self, name: &str) {
        let path = format!("pods/{name}?gracePeriodSeconds=0");
        self.send(
            "DELETE",
            &path,
            &json!({"kind": "DeleteOptions", "apiVersion": "v1"}),
        );
    }
}

/// A Pod of one pinned image; `more` is put into its metadata.
fn pod(name: &str, more: Value) -> Value {
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": more,
        "spec": {"containers": [{"name": "app", "image": format!("ghcr.io/acme/app:v1@{DIGEST}")}]}});
    pod["metadata"]["name"] = name.into();
    pod
}

#[test]
fn a_pinned_pod_is_asked_about_since_it_may_need_its_pull_secret() {
    let bench = bench!();
    let counted = Counted::install(&bench);
    assert!(counted.create(&pod("pinned", json!({}))));
    counted.remove("pinned");
}

#[test]
fn a_mirror_pod_is_not_asked_about() {
    let bench = bench!();
    let counted = Counted::install(&bench);
    let mut mirror = pod(
        "mirror",
        json!({"annotations": {"kubernetes.io/config.mirror": "x"}}),
    );
    mirror["spec"]["nodeName"] = "node-1".into();
    mirror["spec"]["automountServiceAccountToken"] = false.into();
    assert!(!counted.create(&mirror));
    counted.remove("mirror");
}

#[test]
fn of_updates_only_those_with_a_new_image_text() {
    let bench = bench!();
    let counted = Counted::install(&bench);
    let mut first = pod(
        "updated",
        json!({"annotations": {"a": "b"}, "finalizers": ["example.com/hold"]}),
    );
    first["spec"]["initContainers"] = json!([{"name": "init", "image": "init:1"}]);
    first["spec"]["volumes"] = json!([{"name": "data", "image": {"reference": "data:1"}}, {"name": "tmp", "emptyDir": {}}]);
    assert!(counted.create(&first));
    let image = |list: &str, name: &str| {
        let mut spec = json!({});
        spec[list] = json!([{"name": name, "image": "other:1"}]);
        json!({"spec": spec})
    };
    let rows = [
        (
            "a label",
            MERGE,
            json!({"metadata": {"labels": {"a": "b"}}}),
            false,
        ),
        (
            "no annotations",
            MERGE,
            json!({"metadata": {"annotations": null}}),
            false,
        ),
        (
            "a toleration",
            STRATEGIC,
            json!({"spec": {"tolerations": [{"key": "a", "operator": "Exists"}]}}),
            false,
        ),
        ("an image", STRATEGIC, image("containers", "app"), true),
        (
            "an init container's image",
            STRATEGIC,
            image("initContainers", "init"),
            true,
        ),
        (
            "the same image",
            STRATEGIC,
            image("containers", "app"),
            false,
        ),
    ];
    for (what, kind, patch, expected) in rows {
        assert_eq!(counted.patch("updated", kind, &patch), expected, "{what}");
    }
    counted.remove("updated");
    let release_it = json!({"metadata": {"finalizers": null}});
    assert!(
        !counted.patch("updated", MERGE, &release_it),
        "a finalizer of a Pod that is being deleted"
    );
}

#[test]
fn of_ephemeral_updates_only_those_with_a_new_name() {
    let bench = bench!();
    let counted = Counted::install(&bench);
    counted.create(&pod("debugged", json!({})));
    let with = |names: &[&str]| {
        let list: Vec<_> = names
            .iter()
            .map(|n| json!({"name": n, "image": "busybox"}))
            .collect();
        json!({"spec": {"ephemeralContainers": list}})
    };
    for (names, expected) in [
        (&["one"][..], true),
        (&["one"], false),
        (&["two"], true),
        (&["one", "two"], false),
    ] {
        let patch = with(names);
        assert_eq!(
            counted.patch("debugged/ephemeralcontainers", STRATEGIC, &patch),
            expected,
            "{names:?}"
        );
    }
    counted.remove("debugged");
}

#[test]
fn a_new_pod_without_a_trace_of_an_answer_is_asked_about_again() {
    let bench = bench!();
    let counted = Counted::install_with(&bench, "Ignore");
    let none = json!({});
    let annotated = |name: &str| json!({"annotations": {name: "{}"}});
    let secret = json!({"imagePullSecrets": [{"name": "regcred"}]});
    let with = |list: &str, member: Value| json!({"imagePullSecrets": [{"name": "regcred"}], list: [member]});
    let init = with("initContainers", json!({"name": "i", "image": "init:1"}));
    let volume = with(
        "volumes",
        json!({"name": "v", "image": {"reference": "data:1"}}),
    );
    let empty = with("volumes", json!({"name": "v", "emptyDir": {}}));
    let (other, images, unpinned) = (
        annotated("example.com/a"),
        annotated("cotter.dev/images"),
        annotated("cotter.dev/unpinned"),
    );
    let rows = [
        ("by digest", &none, &none, 2),
        ("by digest, a pull secret", &none, &secret, 1),
        ("init container by tag, a pull secret", &none, &init, 2),
        ("volume by tag, a pull secret", &none, &volume, 2),
        ("volume without image, a pull secret", &none, &empty, 1),
        ("another annotation", &other, &none, 2),
        ("what was written", &images, &none, 1),
        ("what stayed unpinned", &unpinned, &none, 1),
    ];
    for (what, metadata, spec, expected) in rows {
        let mut pod = pod("again", metadata.clone());
        let more = spec.as_object().unwrap().clone();
        pod["spec"].as_object_mut().unwrap().extend(more);
        let create = || counted.send("POST", "pods", &pod);
        assert_eq!(counted.times_asked(what, create), expected, "{what}");
        counted.remove("again");
    }
}

#[test]
fn an_update_is_asked_about_once() {
    let bench = bench!();
    let counted = Counted::install_with(&bench, "Ignore");
    let create = || counted.send("POST", "pods", &pod("once", json!({})));
    assert_eq!(counted.times_asked("create", create), 2);
    let mut changed = counted.send("GET", "pods/once", &Value::Null).json();
    changed["spec"]["containers"][0]["image"] = "other:1".into();
    let update = || counted.send("PUT", "pods/once", &changed);
    assert_eq!(counted.times_asked("update", update), 1);
    counted.remove("once");
}

#[test]
fn a_thousand_containers_stay_within_the_budget() {
    let bench = bench!();
    let counted = Counted::install(&bench);
    let containers = |tag: &str| -> Value {
        let image = |n: usize| {
            format!("registry.example.com/some-team/some-application-{n}:{tag}@{DIGEST}")
        };
        (0..1000)
            .map(|n| json!({"name": format!("container-{n}"), "image": image(n)}))
            .collect()
    };
    let mut big = pod("big", json!({}));
    big["spec"]["containers"] = containers("v1");
    assert!(counted.create(&big));
    assert!(!counted.patch("big", MERGE, &json!({"metadata": {"labels": {"a": "b"}}})));
    let changed = json!({"spec": {"containers": [{"name": "container-999", "image": "other:1"}]}});
    assert!(counted.patch("big", STRATEGIC, &changed));
    let mut every = counted.send("GET", "pods/big", &Value::Null).json();
    for container in every["spec"]["containers"].as_array_mut().unwrap() {
        let next = container["image"].as_str().unwrap().replace(":v1", ":v2");
        container["image"] = next.into();
    }
    assert!(counted.asked("every image", || counted.send("PUT", "pods/big", &every)));
    counted.remove("big");
    drop(counted);
    let counted = Counted::install_with(&bench, "Ignore");
    big["spec"]["imagePullSecrets"] = json!([{"name": "regcred"}]);
    assert!(counted.create(&big));
    counted.remove("big");
}

#[test]
fn of_templates_only_those_that_changed_and_that_nobody_controls() {
    let bench = bench!();
    let counted = Counted::install(&bench);
    let plane = &bench.plane;
    let template = |image: &str| json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "app", "image": image}]}});
    let set = |name: &str, more: Value| {
        let mut object = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": more,
            "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "web"}}, "template": template("app:1")}});
        object["metadata"]["name"] = name.into();
        object
    };
    let sets = "/apis/apps/v1/namespaces/shop/replicasets";
    let post =
        |object: &Value| counted.asked("create", || plane.request("POST", sets, Some(object)));
    assert!(post(&set("free", json!({}))));
    let owner = json!([{"apiVersion": "apps/v1", "kind": "Deployment", "name": "d", "uid": "11111111-1111-1111-1111-111111111111", "controller": true}]);
    let (path, owned) = (
        format!("{sets}?dryRun=All"),
        set("owned", json!({"ownerReferences": owner})),
    );
    assert!(!counted.asked("an owned set", || plane.request(
        "POST",
        &path,
        Some(&owned)
    )));
    let patch = |path: &str, patch: Value| {
        counted.asked("patch", || {
            plane.send("PATCH", path, MERGE, patch.to_string().as_bytes())
        })
    };
    let free = format!("{sets}/free");
    assert!(!patch(
        &free,
        json!({"metadata": {"annotations": {"a": "b"}}})
    ));
    assert!(patch(
        &free,
        json!({"spec": {"template": template("app:2")}})
    ));
    let templates = "/api/v1/namespaces/shop/podtemplates";
    let object = json!({"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "t"}, "template": template("app:1")});
    assert!(counted.asked("create", || plane.request("POST", templates, Some(&object))));
    let one = format!("{templates}/t");
    assert!(!patch(
        &one,
        json!({"metadata": {"annotations": {"a": "b"}}})
    ));
    assert!(patch(&one, json!({"template": template("app:2")})));
    for path in [free, one] {
        plane.request("DELETE", &path, None);
    }
}
