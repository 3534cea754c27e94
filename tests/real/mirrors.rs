//! Mirrors that ask for a login: with a Secret of cotter's own namespace that carries their label.

use serde_json::{Value, json};

use crate::{
    lab::{Cotter, eventually, lab, mirrored, seeded, unique},
    support::{
        image::Image,
        registry_part::{ALICE, Registry},
    },
};

#[test]
fn a_mirror_that_asks_for_a_login_is_asked_with_cotters_own_secret() {
    let lab = lab!();
    let mirror = seeded(Registry::token());
    let digest = mirror.push("acme/only", &Image::new("only here").build(), &["dev"]);
    let own = unique("own");
    lab.plane.namespace(&own, &[]);
    let args = ["--namespace", &own, "--pod-name", "cotter-0"];
    let cotter = Cotter::start_with(&lab.plane, &mirrored(lab.tokens, &mirror), &args);
    let shop = lab.namespace_for(&cotter, &[("cotter.dev/mode", "enforce")]);
    let image = lab.image("acme/only:dev");
    assert_eq!(shop.run(&image).image(), image, "asked anonymously");

    let secrets = format!("/api/v1/namespaces/{own}/secrets");
    let label = |labels: &Value| {
        let change = json!({"metadata": {"labels": labels}}).to_string();
        let path = format!("{secrets}/mirror");
        let kind = "application/merge-patch+json";
        let sent = lab.plane.send("PATCH", &path, kind, change.as_bytes());
        assert_eq!(sent.status, 200, "{}", sent.text());
    };
    lab.plane
        .pull_secret(&own, "mirror", &mirror.docker_config(ALICE.0, ALICE.1));
    label(&json!({"cotter.dev/mirror": ""}));
    eventually("the mirror's digest", || {
        shop.run(&image).image().ends_with(&digest).then_some(())
    });
    assert!(shop.run(&image).secrets().is_empty(), "it is no Pod's");
    let watched = r#"cotter_watch_last_event_timestamp_seconds{watch="mirror_secrets"}"#;
    let page = cotter.ops("/metrics").1;
    assert!(
        page.contains(r#"watch="mirror_secrets""#),
        "{watched}: {page}"
    );
    assert!(!cotter.log().contains(ALICE.1));
}

#[test]
fn without_the_right_mirrors_are_asked_anonymously_and_it_is_said() {
    let lab = lab!();
    let mirror = seeded(Registry::token());
    let own = unique("own");
    lab.plane.namespace(&own, &[]);
    crate::rights::know_pins(&lab.plane);
    let account = crate::rights::Account::new(&lab.plane, &own);
    let read = ["get", "list", "watch"];
    let shop = unique("shop");
    lab.plane
        .namespace(&shop, &[("cotter.dev/mode", "enforce")]);
    let rules = [
        "secrets",
        "serviceaccounts",
        "pods",
        "revisionpins.cotter.dev",
    ]
    .map(|resource| crate::rights::rule(resource, &read, &[]));
    account.grant(&json!([crate::rights::rule("namespaces", &read, &[&shop])]));
    account.grant_in(&own, &crate::rights::own_rules());
    account.grant_in(&shop, &json!(rules));
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cotter"},
        "data": {"cotter.yaml": mirrored(lab.tokens, &mirror)}});
    let path = format!("/api/v1/namespaces/{own}/configmaps");
    assert_eq!(lab.plane.request("POST", &path, Some(&map)).status, 201);
    let args = [
        "--watch-namespaces",
        &shop,
        "--config-map",
        "cotter",
        "--namespace",
        &own,
        "--pod-name",
        "cotter-0",
    ];
    let cotter = Cotter::with(&account.kubeconfig, &args);
    cotter.wait_until_ready();
    let line = format!("[!] mirror credentials: may not list secrets in namespace {own}");
    eventually(&line, || {
        let (status, page) = cotter.ops("/readyz?verbose");
        (status == 200 && page.contains(&line)).then_some(())
    });
    assert!(
        cotter.log().contains("mirrors are asked anonymously"),
        "{}",
        cotter.log()
    );
}
