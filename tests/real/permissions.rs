//! A right that cotter does not have is named where an operator looks, and what does not need it goes on.

use serde_json::Value;

use crate::{
    lab::{Cotter, eventually, parts_are_here, unique},
    rights::{Account, events, own_rules, review, rule},
    support::control_plane::ControlPlane,
};

const READ: [&str; 3] = ["get", "list", "watch"];

/// The rules of a cotter that watches the whole cluster, but this one.
fn all_but(resource: &str) -> Value {
    let rules = ["namespaces", "secrets", "serviceaccounts"]
        .map(|r| (r != resource).then(|| rule(r, &READ, &[])));
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
