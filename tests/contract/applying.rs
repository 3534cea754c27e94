//! `case` rows about workloads whose template a webhook changes, and about server-side apply.

use std::time::Duration;

use serde_json::{Value, json};

use crate::hook::Hook;
use crate::pods::{deployment, pod};
use crate::rows::Scenario;
use crate::seen::Seen;
use crate::site::{APPLY, JSON, MERGE, Made, Site};
use crate::support::wait;

pub const SCENARIOS: &[Scenario] = &[
    ("Deployment template image", |_| {
        let site = Site::with(&[on_deployments("/ok")]);
        let made = site.send_to(
            "POST",
            &deployments(&site),
            JSON,
            &deployment("web", "Bad Image"),
        );
        Seen::of(&site, &made)
    }),
    ("SSA create through hook", |_| workload(1)),
    ("SSA same manifest again", |_| workload(2)),
    ("SSA by second manager", |_| workload(3)),
    ("PUT original manifest", |_| workload(4)),
    ("scale subresource", |_| scaled()),
    ("SSA pod create", |_| applied_pod(1)),
    ("SSA pod apply again", |_| applied_pod(2)),
];

fn deployments(site: &Site) -> String {
    format!("/apis/apps/v1/namespaces/{}/deployments", site.name)
}

fn on_deployments(path: &str) -> Hook {
    Hook::new(path).on(&["CREATE", "UPDATE"], &["deployments"])
}

/// The first steps of: apply, apply again, apply by another manager, put.
fn workload(steps: usize) -> Seen {
    let site = Site::with(&[on_deployments("/template")]);
    let manifest = deployment("web", "nginx:1");
    let path = format!("{}/web", deployments(&site));
    let apply = |manager: &str| {
        let path = format!("{path}?fieldManager={manager}");
        site.send_to("PATCH", &path, APPLY, &manifest)
    };
    let step = |step: usize| match step {
        1 | 2 => apply("m1"),
        3 => apply("m2"),
        _ => site.send_to("PUT", &path, JSON, &manifest),
    };
    for earlier in 1..steps {
        step(earlier);
        settle(&site, &path);
    }
    let before = site.calls().len();
    let made = step(steps);
    let managers = managers(&made);
    Seen::of(&site, &made)
        .called(&site, &site.calls()[before..])
        .with("managers", managers)
}

/// Waits for the controller's last write, which a request at the same time would have to be repeated for.
fn settle(site: &Site, path: &str) {
    wait::until("the controller", Duration::from_secs(30), || {
        let object = site.plane.get(path);
        let observed = &object["status"]["observedGeneration"];
        (*observed == object["metadata"]["generation"]).then_some(())
    });
}

/// Who manages the object, how, and whether the first container's image is theirs. Controllers left out.
fn managers(made: &Made) -> Value {
    let fields = made.object["metadata"]["managedFields"].as_array();
    let fields = fields.into_iter().flatten();
    let people = fields.filter(|entry| entry["manager"] != "kube-controller-manager");
    let manager = |entry: &Value| {
        let containers = "/fieldsV1/f:spec/f:template/f:spec/f:containers";
        let container = entry.pointer(&format!("{containers}/k:{{\"name\":\"c\"}}"));
        let owns = container.is_some_and(|container| container.get("f:image").is_some());
        // The rows were recorded with Python's client, whose name it was.
        let name = match entry["manager"].as_str() {
            Some("cotter-tests") => "Python-urllib",
            name => name.unwrap_or_default(),
        };
        json!([name, entry["operation"], owns])
    };
    people.map(manager).collect()
}

fn scaled() -> Seen {
    let site = Site::new();
    let made = site.send_to(
        "POST",
        &deployments(&site),
        JSON,
        &deployment("web", "nginx:1"),
    );
    assert_eq!(made.status, 201, "{}", made.object);
    site.install("", &[on_deployments("/template")]);
    let path = format!("{}/web/scale", deployments(&site));
    let made = site.send_to("PATCH", &path, MERGE, &json!({"spec": {"replicas": 1}}));
    Seen::of(&site, &made)
}

/// The first steps of: apply, apply again.
fn applied_pod(steps: usize) -> Seen {
    let site = Site::with(&[Hook::new("/img")]);
    let manifest = pod("p", "nginx:1");
    let apply = || site.send("PATCH", "pods/p?fieldManager=m1", APPLY, &manifest);
    for _ in 1..steps {
        apply();
    }
    let before = site.calls().len();
    let made = apply();
    Seen::of(&site, &made).called(&site, &site.calls()[before..])
}
