//! Listed namespaces with a Role in each, and what is said where a right is missing.

use std::time::Duration;

use serde_json::{Value, json};

use super::Site;
use crate::{
    lab::{Cotter, Lab, config, eventually, lab},
    rights::{Account, events, own_rules, rule},
    support::{registry_part::ALICE, wait},
};

const READ: [&str; 3] = ["get", "list", "watch"];

/// Twice the longest pause between two tries.
const TRIED_AGAIN: Duration = Duration::from_mins(2);

/// What cotter needs in a namespace that it looks after, with these rights on Secrets.
fn within(secrets: &[&str]) -> Value {
    let read = ["list", "watch"];
    json!([
        rule("secrets", secrets, &[]),
        rule("serviceaccounts", &read, &[]),
        rule("pods", &read, &[]),
        rule("revisionpins.cotter.dev", &read, &[])
    ])
}

const WRITE: [&str; 5] = ["list", "watch", "create", "patch", "delete"];

/// A cotter that may look at Registries and at these namespaces, and in its own does what it has to.
fn start(lab: &Lab, account: &Account<'_>, own: &str, listed: &[&str]) -> Cotter {
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cotter"},
        "data": {"cotter.yaml": config(&[lab.tokens], "")}});
    let path = format!("/api/v1/namespaces/{own}/configmaps");
    assert_eq!(lab.plane.request("POST", &path, Some(&map)).status, 201);
    account.grant(&json!([
        rule("namespaces", &READ, listed),
        rule("registries.cotter.dev", &READ, &[]),
        rule("registries/status.cotter.dev", &["patch"], &[]),
    ]));
    let mut in_own = own_rules();
    let secrets = rule("secrets", &["list", "watch"], &[]);
    in_own.as_array_mut().unwrap().push(secrets);
    account.grant_in(own, &in_own);
    let told = rule("events.events.k8s.io", &["create", "patch"], &[]);
    account.grant_in("default", &json!([told]));
    let listed = listed.join(",");
    let cotter = Cotter::with(
        &account.kubeconfig,
        &[
            "--registries",
            "--watch-namespaces",
            &listed,
            "--config-map",
            "cotter",
            "--namespace",
            own,
            "--pod-name",
            "cotter-0",
        ],
    );
    cotter.wait_until_ready();
    cotter
}

fn missing(verb: &str, namespace: &str) -> String {
    format!(
        r#"cotter_missing_permissions{{verb="{verb}",resource="secrets",namespace="{namespace}"}} 1"#
    )
}

/// What is told of rights that are missing: in the metric, in readiness, which passes, and in an Event of cotter's own Pod.
fn told_to_the_operator(site: &Site<'_>, [bank, vault]: [&str; 2]) {
    for (verb, namespace) in [("patch", bank), ("list", vault)] {
        let metric = missing(verb, namespace);
        eventually(&metric, || {
            site.cotter
                .ops("/metrics")
                .1
                .contains(&metric)
                .then_some(())
        });
    }
    let (status, page) = site.cotter.ops("/readyz?verbose");
    assert!(
        status == 200 && page.contains("[!] registry objects: may not list secrets"),
        "{page}"
    );
    let named = format!("may not patch secrets in namespace {bank}");
    eventually("an Event of cotter's own Pod names it", || {
        let says = |event: &Value| {
            let note = event["note"].as_str().unwrap_or_default();
            event["reason"] == "MissingPermission" && note.contains(&named)
        };
        events(&site.lab.plane, &site.own)
            .iter()
            .any(says)
            .then_some(())
    });
}

fn nothing_is_missing(site: &Site<'_>) {
    wait::until("nothing is missing", TRIED_AGAIN, || {
        let page = site.cotter.ops("/metrics").1;
        (!page.contains("cotter_missing_permissions{")).then_some(())
    });
}

#[test]
fn the_namespaces_without_rights_are_named_and_the_others_are_served() {
    let lab = lab!();
    let mut account = None;
    let site = Site::start_by(&lab, |own| {
        for name in ["shop", "bank", "vault", "outside"] {
            lab.plane.namespace(&format!("{own}-{name}"), &[]);
        }
        let of = account.insert(Account::new(&lab.plane, own));
        of.grant_in(&format!("{own}-shop"), &within(&WRITE));
        of.grant_in(&format!("{own}-bank"), &within(&["list", "watch"]));
        let listed = ["shop", "bank", "vault"].map(|name| format!("{own}-{name}"));
        start(&lab, of, own, &listed.each_ref().map(String::as_str))
    });
    let [shop, bank, vault, outside] =
        ["shop", "bank", "vault", "outside"].map(|name| format!("{}-{name}", site.own));
    site.credential(ALICE.1);
    site.apply(&site.registry(&[&shop, &bank, &vault, &outside]));
    let denied = [
        format!("may not patch secrets in namespace {bank}"),
        format!("may not list secrets in namespace {vault}"),
    ];
    let said = eventually("both are named", || {
        let (_, reason, said) = site.condition("Synced")?;
        let both = denied.iter().all(|denied| said.contains(denied));
        (reason == "Forbidden" && both).then_some(said)
    });
    let told = format!("{outside}: not among the namespaces that cotter looks after");
    assert!(
        said.starts_with("regcred is in 1 of 4 namespaces") && said.contains(&told),
        "{said}"
    );
    assert_eq!(site.password(&shop).as_deref(), Some(ALICE.1));
    told_to_the_operator(&site, [&bank, &vault]);

    let account = account.unwrap();
    account.regrant_in(&bank, &within(&WRITE));
    account.grant_in(&vault, &within(&WRITE));
    wait::until("what was granted is used", TRIED_AGAIN, || {
        let (_, reason, _) = site.condition("Synced")?;
        (reason == "NotWatched").then_some(())
    });
    for namespace in [&bank, &vault] {
        assert_eq!(site.password(namespace).as_deref(), Some(ALICE.1));
    }
    site.apply(&site.registry(&[&shop, &bank, &vault]));
    site.becomes("Ready", "True", "Ready");
    nothing_is_missing(&site);
    site.apply(&site.registry(&[&shop]));
    eventually("it is taken away where it is not wanted", || {
        (site.password(&vault).is_none() && site.password(&bank).is_none()).then_some(())
    });
}

/// Requests for which the API server has found no right so far.
fn refused(lab: &Lab) -> f64 {
    let metrics = lab.plane.request("GET", "/metrics", None).text();
    let refused = r#"authorization_attempts_total{result="no-opinion"} "#;
    let counted = metrics.lines().find_map(|line| line.strip_prefix(refused));
    counted.unwrap().parse().unwrap()
}

#[test]
fn what_fails_is_not_tried_at_every_turn() {
    let lab = lab!();
    let site = Site::start_by(&lab, |own| {
        let bank = format!("{own}-bank");
        lab.plane.namespace(&bank, &[]);
        let account = Account::new(&lab.plane, own);
        account.grant_in(&bank, &within(&["list", "watch"]));
        start(&lab, &account, own, &[&bank])
    });
    let bank = format!("{}-bank", site.own);
    site.credential(ALICE.1);
    let mut registry = site.registry(&[&bank]);
    site.apply(&registry);
    site.becomes("Synced", "False", "Forbidden");
    let before = refused(&lab);
    for turn in 0..20 {
        registry["metadata"]["labels"] = json!({"turn": turn.to_string()});
        site.apply(&registry);
        std::thread::sleep(Duration::from_millis(500));
    }
    let tried = refused(&lab) - before;
    // Within some 15 s: after 1, 2, 4, 8 s.
    assert!((1.0..=6.0).contains(&tried), "{tried} tries");
}
