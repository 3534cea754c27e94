//! `--watch-namespaces`: rights in the listed namespaces only.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    lab::{Cotter, Lab, config, eventually, lab, one, pinned, unique},
    rights::{Account, events, know_pins, own_rules, rule},
    support::wait,
};

const READ: [&str; 3] = ["get", "list", "watch"];

/// What cotter needs in a namespace that it watches.
fn rules_within() -> Value {
    let read = ["list", "watch"];
    json!([
        rule("secrets", &read, &[]),
        rule("serviceaccounts", &read, &[]),
        rule("pods", &read, &[]),
        rule("revisionpins.cotter.dev", &read, &[])
    ])
}

/// A cotter that watches these namespaces; it has no rights in the last one but to see the namespace itself.
fn start<'l>(lab: &'l Lab, own: &str, namespaces: [&str; 2]) -> (Cotter, Account<'l>) {
    know_pins(&lab.plane);
    lab.plane.namespace(own, &[]);
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cotter"},
        "data": {"cotter.yaml": config(&[lab.tokens], "")}});
    let path = format!("/api/v1/namespaces/{own}/configmaps");
    assert_eq!(lab.plane.request("POST", &path, Some(&map)).status, 201);
    let account = Account::new(&lab.plane, own);
    account.grant(&json!([rule("namespaces", &READ, &namespaces)]));
    account.grant_in(own, &own_rules());
    account.grant_in(namespaces[0], &rules_within());
    let listed = namespaces.join(",");
    let args = [
        "--watch-namespaces",
        &listed,
        "--config-map",
        "cotter",
        "--namespace",
        own,
        "--pod-name",
        "cotter-abc",
    ];
    (Cotter::with(&account.kubeconfig, &args), account)
}

#[test]
fn a_namespace_without_a_role_is_named_and_the_others_are_served() {
    let lab = lab!();
    let (shop, bank) = (unique("shop"), unique("bank"));
    for name in [&shop, &bank] {
        lab.plane.namespace(name, &[("cotter.dev/mode", "enforce")]);
    }
    let own = unique("own");
    let (cotter, account) = start(&lab, &own, [&shop, &bank]);
    cotter.wait_until_ready();
    let named = format!(
        "may not list secrets in namespace {bank}: grant the verb list on secrets in namespace {bank}"
    );
    eventually("readiness names it", || {
        let (status, page) = cotter.ops("/readyz");
        assert_eq!(status, 200, "{page}");
        let line = format!("[!] namespace {bank}: {named}");
        page.contains(&line).then_some(())
    });
    eventually("an Event names it", || {
        let says = |e: &Value| e["note"].as_str().is_some_and(|note| note.contains(&named));
        events(&lab.plane, &own).iter().any(says).then_some(())
    });
    let metric = format!(
        r#"cotter_missing_permissions{{verb="list",resource="secrets",namespace="{bank}"}} 1"#
    );
    assert!(
        cotter.ops("/metrics").1.contains(&metric),
        "{}",
        cotter.ops("/metrics").1
    );

    lab.plane.pull_secret(&shop, "pull", &lab.alice());
    let image = lab.image("acme/app:dev");
    let ns = lab.called(&cotter, &shop);
    let made = ns.run(&image);
    assert_eq!(made.secrets(), ["pull"]);
    assert!(
        made.image().starts_with(&pinned(&image, "sha256:")),
        "{}",
        made.image()
    );

    account.grant_in(&bank, &rules_within());
    // Pins are asked for again every 30 s.
    wait::until("the role is used", Duration::from_mins(1), || {
        (cotter.ops("/readyz") == (200, "ok\n".to_owned())).then_some(())
    });
}

#[test]
fn pods_of_a_namespace_outside_are_left_alone_with_a_warning() {
    let lab = lab!();
    let (shop, bank) = (unique("shop"), unique("bank"));
    for name in [&shop, &bank] {
        lab.plane.namespace(name, &[("cotter.dev/mode", "enforce")]);
    }
    let (cotter, _account) = start(&lab, &unique("own"), [&shop, &bank]);
    cotter.wait_until_ready();
    let outside = lab.namespace_for(&cotter, &[("cotter.dev/mode", "enforce")]);
    let image = lab.image("public/app:dev");
    let made = outside.create(&json!({"generateName": "p-"}), &one(&image), "");
    assert_eq!(made.status, 201);
    assert_eq!(made.image(), image);
    made.warns("is not among those that cotter watches");
    assert!(cotter.metric("cotter_unwatched_reviews_total") >= 1.0);
}
