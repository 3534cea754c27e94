//! `cotter.yaml` in a ConfigMap: what its owner sees of a change.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    lab::{Cotter, config, eventually, lab, unique},
    rights::{events, know_pins, review},
    support::{control_plane::ControlPlane, wait},
};

/// What a Pod's creation ends with where a policy denies it.
const DENIED: u16 = 403;

/// "In use within seconds": the watch needs milliseconds.
const SECONDS: Duration = Duration::from_secs(5);

fn put(plane: &ControlPlane, namespace: &str, data: &Value) {
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "cotter", "namespace": namespace}, "data": data});
    let path = format!("/api/v1/namespaces/{namespace}/configmaps");
    let put = plane.request("PUT", &format!("{path}/cotter"), Some(&map));
    if put.status == 404 {
        let made = plane.request("POST", &path, Some(&map));
        assert_eq!(made.status, 201, "{}", made.text());
    } else {
        assert_eq!(put.status, 200, "{}", put.text());
    }
}

fn start(plane: &ControlPlane, own: &str) -> Cotter {
    let args = [
        "--config-map",
        "cotter",
        "--namespace",
        own,
        "--pod-name",
        "cotter-abc",
    ];
    Cotter::with(plane.kubeconfig(), &args)
}

/// Waits until there is an Event with this reason whose text holds `part`.
fn event(plane: &ControlPlane, own: &str, reason: &str, part: &str) -> Value {
    eventually(&format!("{reason}: {part}"), || {
        let all = events(plane, own);
        let is_it = |e: &&Value| {
            e["reason"] == reason && e["note"].as_str().is_some_and(|note| note.contains(part))
        };
        all.iter().find(is_it).cloned()
    })
}

/// Whether a metric has this value.
fn shows(cotter: &Cotter, line: &str) -> bool {
    cotter.ops("/metrics").1.lines().any(|l| l == line)
}

#[test]
fn a_change_is_in_use_within_seconds() {
    let lab = lab!();
    let own = unique("own");
    lab.plane.namespace(&own, &[]);
    let put = |more: &str| {
        let text = config(&[lab.tokens], more);
        put(&lab.plane, &own, &json!({"cotter.yaml": text}));
    };
    put("");
    let cotter = start(&lab.plane, &own);
    cotter.wait_until_ready();
    let ns = lab.namespace_for(&cotter, &[("cotter.dev/mode", "enforce")]);
    let missing = crate::lab::one(&lab.image("public/app:no-such-tag"));
    let status = || {
        ns.create(&json!({"generateName": "p-"}), &missing, "")
            .status
    };
    assert_eq!(status(), 201);
    put("defaultPolicy: p\npolicies: { p: { onFailure: { notFound: deny } } }");
    wait::until("it is in use", SECONDS, || {
        (status() == DENIED).then_some(())
    });
    let used = event(&lab.plane, &own, "ConfigUsed", "is in use");
    assert_eq!(used["type"], "Normal");
    assert!(shows(&cotter, "cotter_config_last_reload_successful 1"));
    assert!(cotter.metric("cotter_config_last_success_timestamp_seconds") > 1e9);
}

#[test]
fn a_bad_one_is_refused_where_its_owner_looks() {
    let lab = lab!();
    know_pins(&lab.plane);
    let own = unique("own");
    lab.plane.namespace(&own, &[]);
    let put = |text: &str| put(&lab.plane, &own, &json!({"cotter.yaml": text}));
    put("");
    let cotter = start(&lab.plane, &own);
    cotter.wait_until_ready();
    put("resolve:\n  ttl: 30s\npolicies: { p: { pin: { style: sha } } }\n");
    let place = format!("ConfigMap {own}/cotter:3:32: ");
    let refused = event(&lab.plane, &own, "ConfigRefused", &place);
    assert_eq!(refused["type"], "Warning");
    assert_eq!(refused["reportingInstance"], "cotter-abc");
    assert_eq!(refused["regarding"]["kind"], "ConfigMap");
    let note = refused["note"].as_str().unwrap();
    assert!(
        note.contains("the configuration before stays in use"),
        "{note}"
    );
    assert!(cotter.log().contains(&place), "{}", cotter.log());
    assert!(shows(&cotter, "cotter_config_last_reload_successful 0"));
    assert!(shows(&cotter, "cotter_config_reloads_total{ok=\"no\"} 1"));
    let (ready, page) = cotter.ops("/readyz");
    assert!(ready == 200 && page.contains(&place), "{page}");
    let kubectl = |args: &[&str]| {
        let args = [&["-n", own.as_str()], args].concat();
        lab.plane.kubectl(&args).ok()
    };
    let described = kubectl(&["describe", "configmap", "cotter"]);
    assert!(described.contains("ConfigRefused"), "{described}");
    assert!(kubectl(&["get", "events"]).contains(&place));

    put("resolve: { ttl: 30s }");
    event(&lab.plane, &own, "ConfigUsed", "is in use");
    assert!(shows(&cotter, "cotter_config_last_reload_successful 1"));
    assert_eq!(cotter.ops("/readyz"), (200, "ok\n".to_owned()));
}

#[test]
fn one_that_loses_its_key_or_goes_leaves_the_old_configuration_in_use() {
    let lab = lab!();
    let own = unique("own");
    lab.plane.namespace(&own, &[]);
    put(&lab.plane, &own, &json!({"cotter.yaml": ""}));
    let cotter = start(&lab.plane, &own);
    cotter.wait_until_ready();
    put(&lab.plane, &own, &json!({"other.yaml": ""}));
    let said = "has no key cotter.yaml, only other.yaml";
    event(&lab.plane, &own, "ConfigRefused", said);
    let path = format!("/api/v1/namespaces/{own}/configmaps/cotter");
    assert_eq!(lab.plane.request("DELETE", &path, None).status, 200);
    let said = "it is gone, the configuration before stays in use";
    event(&lab.plane, &own, "ConfigRefused", said);
    assert_eq!(cotter.ops("/readyz").0, 200);
    assert_eq!(review(&cotter, "default").status, 200);
    put(&lab.plane, &own, &json!({"cotter.yaml": ""}));
    event(&lab.plane, &own, "ConfigUsed", "is in use");
}

#[test]
fn without_a_good_one_it_is_not_ready_and_failure_policy_decides() {
    let lab = lab!();
    let own = unique("own");
    lab.plane.namespace(&own, &[]);
    let cotter = start(&lab.plane, &own);
    let said = |part: &str| {
        eventually(part, || {
            let (status, page) = cotter.ops("/readyz");
            (status == 503 && page.contains(part)).then_some(())
        });
    };
    said(&format!(
        "[-] config map: ConfigMap {own}/cotter: is not there; create it"
    ));
    let answer = review(&cotter, "default");
    assert_eq!(answer.status, 503);
    assert!(
        answer.text().contains("no configuration yet"),
        "{}",
        answer.text()
    );
    put(&lab.plane, &own, &json!({"cotter.yaml": "polices: {}"}));
    said(&format!(
        "[-] config map: ConfigMap {own}/cotter:1:1: unknown key"
    ));
    event(
        &lab.plane,
        &own,
        "ConfigRefused",
        "nothing is answered until",
    );
    assert_eq!(review(&cotter, "default").status, 503);
    put(&lab.plane, &own, &json!({"cotter.yaml": ""}));
    cotter.wait_until_ready();
    event(&lab.plane, &own, "ConfigUsed", "is in use");
    assert_eq!(review(&cotter, "default").status, 200);
}

#[test]
fn a_ca_file_that_it_names_is_read_again() {
    let lab = lab!();
    let own = unique("own");
    lab.plane.namespace(&own, &[]);
    let ca = lab.plane.folder().join(format!("{own}.pem"));
    std::fs::write(&ca, "no certificate").unwrap();
    let text = format!(
        "registries: [{{ host: r.internal, caFile: {} }}]",
        ca.display()
    );
    put(&lab.plane, &own, &json!({"cotter.yaml": text}));
    let cotter = start(&lab.plane, &own);
    event(&lab.plane, &own, "ConfigRefused", &ca.display().to_string());
    std::fs::write(&ca, lab.plane.ca()).unwrap();
    cotter.wait_until_ready();
}

#[test]
fn a_policy_that_is_removed_while_a_namespace_names_it() {
    let lab = lab!();
    let own = unique("own");
    lab.plane.namespace(&own, &[]);
    let policies = |names: &str| {
        let text = config(
            &[lab.tokens],
            &format!("defaultPolicy: p\npolicies: {{ {names} }}"),
        );
        put(&lab.plane, &own, &json!({"cotter.yaml": text}));
    };
    let strict = "strict: { onFailure: { notFound: deny } }";
    policies(&format!("p: {{}}, {strict}"));
    let cotter = start(&lab.plane, &own);
    cotter.wait_until_ready();
    let labels = [
        ("cotter.dev/mode", "enforce"),
        ("cotter.dev/policy", "strict"),
    ];
    let ns = lab.namespace_for(&cotter, &labels);
    let missing = crate::lab::one(&lab.image("public/app:no-such-tag"));
    let create = || ns.create(&json!({"generateName": "p-"}), &missing, "");
    assert_eq!(create().status, DENIED, "the named policy");
    policies("p: {}");
    let made = wait::until("the default policy", SECONDS, || {
        Some(create()).filter(|made| made.status == 201)
    });
    made.warns("the default is used");
    policies(&format!("p: {{}}, {strict}"));
    wait::until("the named policy again", SECONDS, || {
        (create().status == DENIED).then_some(())
    });
}
