//! A right that cotter does not have is named where an operator looks, and what does not need it goes on.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    lab::{Cotter, eventually, parts_are_here, unique},
    rights::{Account, events, know_pins, own_rules, review, rule},
    support::{control_plane::ControlPlane, wait},
};

const READ: [&str; 3] = ["get", "list", "watch"];

/// Twice the time between two tries of what nobody waits for: the record of a revision.
const TRIED_AGAIN: Duration = Duration::from_mins(2);

/// The rules of a cotter that watches the whole cluster, but this one.
fn all_but(resource: &str) -> Value {
    let all = [
        "namespaces",
        "secrets",
        "serviceaccounts",
        "pods",
        "revisionpins.cotter.dev",
    ];
    let rules = all.map(|r| (r != resource).then(|| rule(r, &READ, &[])));
    rules.into_iter().flatten().collect()
}

fn start(account: &Account<'_>, own: &str) -> Cotter {
    let args = ["--namespace", own, "--pod-name", "cotter-abc"];
    Cotter::with(&account.kubeconfig, &args)
}

/// Waits until the Event about cotter's own Pod names it.
fn event(plane: &ControlPlane, own: &str, part: &str) {
    let event = eventually(&format!("an Event: {part}"), || {
        let says = |e: &&Value| e["note"].as_str().is_some_and(|note| note.contains(part));
        events(plane, own).iter().find(says).cloned()
    });
    assert_eq!(event["reason"], "MissingPermission");
    assert_eq!(event["type"], "Warning");
    assert_eq!(event["regarding"]["name"], "cotter-abc");
}

#[test]
fn at_the_start_it_is_waited_for_and_granted_later_it_is_used() {
    let test = "at_the_start_it_is_waited_for_and_granted_later_it_is_used";
    if !parts_are_here(test) {
        return;
    }
    let plane = ControlPlane::shared();
    know_pins(&plane);
    let own = unique("own");
    plane.namespace(&own, &[]);
    let account = Account::new(&plane, &own);
    account.grant(&all_but("serviceaccounts"));
    account.grant_in(&own, &own_rules());
    let cotter = start(&account, &own);
    let named =
        "may not list serviceaccounts: grant the verb list on serviceaccounts to cotter (RBAC)";
    eventually("readiness names it", || {
        let (status, page) = cotter.ops("/readyz");
        (status == 503 && page.contains(&format!("[-] service accounts: {named}"))).then_some(())
    });
    event(&plane, &own, named);
    assert!(cotter.log().contains(named), "{}", cotter.log());
    let metric =
        r#"cotter_missing_permissions{verb="list",resource="serviceaccounts",namespace=""} 1"#;
    assert!(
        cotter.ops("/metrics").1.contains(metric),
        "{}",
        cotter.ops("/metrics").1
    );
    eventually("what does not need it goes on", || {
        let page = cotter.ops("/readyz?verbose").1;
        (page.contains("[+] namespaces") && page.contains("[+] pull secrets (dockercfg)"))
            .then_some(())
    });
    assert_eq!(review(&cotter, "default").status, 200);

    account.regrant(&all_but("none"));
    eventually("ready", || {
        (cotter.ops("/readyz") == (200, "ok\n".to_owned())).then_some(())
    });
    eventually("the metric is gone", || {
        (!cotter.ops("/metrics").1.contains(metric)).then_some(())
    });
}

#[test]
fn taken_away_later_it_is_named_and_the_replica_stays_ready() {
    let test = "taken_away_later_it_is_named_and_the_replica_stays_ready";
    if !parts_are_here(test) {
        return;
    }
    let plane = ControlPlane::start();
    plane.namespace("own", &[]);
    let account = Account::new(&plane, "own");
    account.grant(&all_but("none"));
    account.grant_in("own", &own_rules());
    let cotter = start(&account, "own");
    cotter.wait_until_ready();
    account.regrant(&all_but("secrets"));
    // A watch that runs goes on for minutes without the right; one that begins again does not.
    plane.restart_api_server(|| {});
    let named = "may not watch secrets: grant the verb watch on secrets to cotter (RBAC)";
    eventually("readiness names it", || {
        let (status, page) = cotter.ops("/readyz");
        assert_eq!(status, 200, "{page}");
        let line = format!("[!] pull secrets (dockercfg): {named}");
        page.contains(&line).then_some(())
    });
    event(&plane, "own", named);
    assert!(cotter.log().contains(named), "{}", cotter.log());
}

/// Waits until the ready replica names this, and counts it.
fn named(cotter: &Cotter, line: &str, [verb, resource, namespace]: [&str; 3]) {
    wait::until(line, TRIED_AGAIN, || {
        cotter.ops("/readyz?verbose").1.contains(line).then_some(())
    });
    let metric = format!(
        "cotter_missing_permissions{{verb=\"{verb}\",resource=\"{resource}\",namespace=\"{namespace}\"}} 1"
    );
    eventually(&metric, || {
        cotter.ops("/metrics").1.contains(&metric).then_some(())
    });
}

/// Waits until nothing is missing.
fn content(cotter: &Cotter) {
    wait::until("nothing is missing", TRIED_AGAIN, || {
        let named = cotter.ops("/readyz?verbose").1.contains("may not ");
        let counted = cotter
            .ops("/metrics")
            .1
            .contains("cotter_missing_permissions{");
        (!named && !counted).then_some(())
    });
}

#[test]
fn events_that_cannot_be_written_are_named_and_written_later() {
    let test = "events_that_cannot_be_written_are_named_and_written_later";
    if !parts_are_here(test) {
        return;
    }
    let plane = ControlPlane::shared();
    know_pins(&plane);
    let own = unique("own");
    plane.namespace(&own, &[]);
    let account = Account::new(&plane, &own);
    account.grant(&all_but("none"));
    account.grant_in(&own, &json!([]));
    let cotter = start(&account, &own);
    cotter.wait_until_ready();
    let lease = format!("may not get leases in namespace {own}");
    named(
        &cotter,
        &format!("[!] lease: {lease}"),
        ["get", "leases", &own],
    );
    let lacks = format!("may not create events.events.k8s.io in namespace {own}");
    let line = format!("[!] events: {lacks}");
    // With the whole cluster watched, as many namespaces as it has may have Events.
    named(&cotter, &line, ["create", "events.events.k8s.io", ""]);
    assert!(cotter.log().contains(&lacks), "{}", cotter.log());
    assert_eq!(review(&cotter, "default").status, 200);
    account.regrant_in(&own, &own_rules());
    content(&cotter);
    event(&plane, &own, &lease);
}

/// A ReplicaSet whose Pod is pinned as cotter would pin it.
fn pinned_workload(plane: &ControlPlane, namespace: &str) {
    let to = format!("localhost:1/app:dev@sha256:{}", "a".repeat(64));
    let slot = json!({"containers/a": {"from": "localhost:1/app:dev", "to": to}}).to_string();
    let meta = json!({"labels": {"app": "web", "cotter.dev/pinned": "true"}, "annotations": {"cotter.dev/images": slot}});
    let set = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "web", "namespace": namespace},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": meta, "spec": {"containers": [{"name": "a", "image": to}]}}}});
    plane.apply(&set.to_string(), &[]).ok();
}

#[test]
fn a_revision_that_cannot_be_recorded_is_named_until_it_is() {
    let test = "a_revision_that_cannot_be_recorded_is_named_until_it_is";
    if !parts_are_here(test) {
        return;
    }
    let plane = ControlPlane::start();
    know_pins(&plane);
    plane.namespace("own", &[]);
    plane.namespace("shop", &[("cotter.dev/mode", "enforce")]);
    let account = Account::new(&plane, "own");
    let rules = |verbs: &[&str]| {
        let mut rules = all_but("none");
        let writes = rule("revisionpins.cotter.dev", verbs, &[]);
        rules.as_array_mut().unwrap().push(writes);
        rules
    };
    account.grant(&all_but("none"));
    account.grant_in("own", &own_rules());
    let cotter = start(&account, "own");
    cotter.wait_until_ready();
    pinned_workload(&plane, "shop");
    let pins = "revisionpins.cotter.dev";
    let lacks = |verb: &str| format!("may not {verb} {pins} in namespace shop");
    let line = |verb: &str| format!("[!] revision records: {}", lacks(verb));
    named(&cotter, &line("patch"), ["patch", pins, ""]);
    event(&plane, "own", &lacks("patch"));
    // The API server asks for this one only where the object is not there yet.
    account.regrant(&rules(&["patch"]));
    named(&cotter, &line("create"), ["create", pins, ""]);
    event(&plane, "own", &lacks("create"));
    account.regrant(&rules(&["patch", "create"]));
    content(&cotter);
    let made = plane.get("/apis/cotter.dev/v1alpha1/namespaces/shop/revisionpins");
    assert_eq!(made["items"].as_array().unwrap().len(), 1);
}
