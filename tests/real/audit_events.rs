//! What the people behind a controller hear, who never see the warnings of its Pods.

use std::time::Duration;

use serde_json::{Value, json};

use crate::lab::{Namespace, eventually, lab, one};

fn deployment(name: &str, replicas: u32, image: &str) -> String {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": {
        "replicas": replicas, "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "app", "image": image}]}},
    }})
    .to_string()
}

/// cotter's Events of a namespace.
fn events(ns: &Namespace<'_>) -> Vec<Value> {
    let args = [
        "get",
        "events",
        "--field-selector",
        "reportingComponent=cotter.dev/cotter",
        "-o",
        "json",
    ];
    let list: Value = serde_json::from_str(&ns.kubectl(&args, "").ok()).unwrap();
    list["items"].as_array().unwrap().clone()
}

fn pods(ns: &Namespace<'_>) -> usize {
    let names = ns.kubectl(&["get", "pods", "-o", "name"], "").ok();
    names.lines().count()
}

#[test]
fn a_deployment_of_five_in_audit_is_one_event() {
    let lab = lab!();
    let ns = lab.namespace(&[("cotter.dev/mode", "audit")]);
    let image = lab.image("public/app:dev");
    ns.kubectl(&["apply", "-f", "-"], &deployment("web", 5, &image))
        .ok();
    let found = eventually("an Event", || {
        let found = events(&ns);
        (!found.is_empty()).then_some(found)
    });
    let event = &found[0];
    assert_eq!(
        (
            &event["reason"],
            &event["type"],
            &event["involvedObject"]["kind"]
        ),
        (
            &json!("WouldChange"),
            &json!("Normal"),
            &json!("ReplicaSet")
        )
    );
    let note = event["message"].as_str().unwrap();
    let expected =
        format!(r#"5 Pods: audit: container "app": {image} would become {image}@sha256:"#);
    assert!(note.starts_with(&expected), "{note}");
    assert_eq!(pods(&ns), 5);
    // A sixth Pod is no second Event: nothing else is told within ten minutes.
    ns.kubectl(&["scale", "deployment", "web", "--replicas=6"], "")
        .ok();
    eventually("six Pods", || (pods(&ns) == 6).then_some(()));
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(events(&ns).len(), 1);
    let set = event["involvedObject"]["name"].as_str().unwrap();
    let described = ns.kubectl(&["describe", "replicaset", set], "").ok();
    assert!(described.contains("WouldChange"), "{described}");
}

#[test]
fn an_image_that_stays_unpinned_is_an_event_in_enforce_too() {
    let lab = lab!();
    let ns = lab.enforced();
    let image = lab.image("public/app:no-such-tag");
    ns.kubectl(&["apply", "-f", "-"], &deployment("web", 2, &image))
        .ok();
    let event = eventually("an Event", || events(&ns).pop());
    assert_eq!(
        (&event["reason"], &event["type"]),
        (&json!("Unpinned"), &json!("Warning"))
    );
    let note = event["message"].as_str().unwrap();
    assert!(
        note.contains("not pinned: no such tag, or no access to it"),
        "{note}"
    );
    let series = format!(
        r#"cotter_namespace_slots_total{{namespace="{}",mode="enforce",outcome="notFound"}}"#,
        ns.name
    );
    assert!(lab.cotter.metric(&series) >= 2.0);
}

#[test]
fn who_reads_warnings_makes_no_event() {
    let lab = lab!();
    let ns = lab.namespace(&[("cotter.dev/mode", "audit")]);
    let image = lab.image("public/app:dev");
    ns.run(&image).warns("would become");
    let deployment = deployment("web", 1, &image);
    ns.kubectl(&["apply", "-f", "-", "--dry-run=server"], &deployment)
        .ok();
    let owner = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "u", "controller": true}]);
    let metadata = json!({"generateName": "p-", "ownerReferences": owner});
    ns.create(&metadata, &one(&image), "?dryRun=All")
        .warns("would become");
    // Events are written three seconds after the first Pod.
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!(events(&ns), [Value::Null; 0]);
}

#[test]
fn the_metrics_of_a_namespace_go_with_it() {
    let lab = lab!();
    let ns = lab.enforced();
    ns.run(&lab.image("public/app:dev"));
    let label = format!(r#"namespace="{}""#, ns.name);
    assert!(lab.cotter.ops("/metrics").1.contains(&label));
    ns.kubectl(&["label", "namespace", &ns.name, "cotter.dev/mode-"], "")
        .ok();
    eventually("the series to go", || {
        (!lab.cotter.ops("/metrics").1.contains(&label)).then_some(())
    });
}

#[test]
fn the_audit_log_has_the_outcome_of_each_image() {
    let lab = lab!();
    let ns = lab.enforced();
    ns.kubectl(
        &["apply", "-f", "-"],
        &deployment("web", 1, &lab.image("public/app:dev")),
    )
    .ok();
    let key = format!("{}.cotter.dev/outcomes", ns.name);
    let told = eventually("the audit log", || {
        let events = lab.plane.audit_events();
        events.into_iter().find_map(|event| {
            let is_pod = event["objectRef"]["resource"] == "pods"
                && event["objectRef"]["namespace"] == *ns.name;
            let outcomes = event["annotations"][&key].as_str();
            is_pod.then_some(())?;
            outcomes.map(str::to_owned)
        })
    });
    assert_eq!(told, r#"{"app":"pinned"}"#);
}
