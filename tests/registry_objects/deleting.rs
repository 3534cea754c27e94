//! `cotter registry delete`, with the guard that the API server asks.

use serde_json::{Value, json};

use crate::{desk::desk, lab::eventually};

#[test]
fn one_that_pods_need_stays_and_goes_when_it_is_meant() {
    let desk = desk!();
    let (_cotter, shop) = desk.in_use();

    let said = desk.run(&["delete", &desk.name], "").failed();
    assert!(said.contains("missing: --yes"), "{said}");
    let said = desk.run(&["delete", &desk.name, "--yes"], "").failed();
    let expected =
        format!("is in use: 1 Pod names its pull secret, which would go with it ({shop}/web)");
    assert!(
        said.contains(&expected) && said.contains("--in-use"),
        "{said}"
    );
    assert!(desk.object().is_some());

    let (document, code) = desk.json(&["delete", &desk.name, "--yes", "--in-use"], "");
    assert_eq!(code, 0, "{document}");
    assert_eq!(
        document["uses"],
        json!({"namespaces": [shop], "pods": [format!("{shop}/web")]})
    );
    assert_eq!(document["secretDeleted"], Value::Bool(true));
    assert_eq!(
        (desk.object(), desk.secret(&desk.own, &desk.name)),
        (None, None)
    );
}

#[test]
fn pull_secrets_stay_when_it_is_said() {
    let desk = desk!();
    let (_cotter, shop) = desk.in_use();
    let line = [
        "delete",
        &desk.name,
        "--yes",
        "--keep-pull-secrets",
        "--timeout",
        "2m",
    ];
    let said = desk.run(&line, "").ok();
    assert!(said.contains("deleted"), "{said}");
    assert_eq!(desk.object(), None);
    let secret = desk.secret(&shop, &desk.name).unwrap();
    assert_eq!(
        secret["metadata"]["ownerReferences"],
        Value::Null,
        "{secret}"
    );
}

#[test]
fn pull_secrets_stay_where_no_cotter_has_seen_that_they_should() {
    let desk = desk!();
    let cotter = desk.cotter();
    let shop = desk.namespace("shop");
    desk.add(&["--namespaces", &shop]).ok();
    drop(cotter);
    let owner = |secret: &Value| secret["metadata"]["ownerReferences"][0]["name"].clone();
    let secret = desk.secret(&shop, &desk.name).unwrap();
    assert_eq!(owner(&secret), *desk.name);
    let line = [
        "delete",
        &desk.name,
        "--yes",
        "--keep-pull-secrets",
        "--timeout",
        "2m",
    ];
    desk.run(&line, "").ok();
    let secret = desk.secret(&shop, &desk.name).unwrap();
    assert_eq!(owner(&secret), Value::Null, "{secret}");
}

#[test]
fn a_credential_that_add_did_not_make_stays() {
    let desk = desk!();
    desk.add(&["--no-wait"]).ok();
    let label = format!("secret/{}", desk.name);
    desk.plane
        .kubectl(&[
            "label",
            "-n",
            &desk.own,
            &label,
            "app.kubernetes.io/managed-by=argocd",
            "--overwrite",
        ])
        .ok();
    let said = desk.run(&["delete", &desk.name, "--yes"], "").ok();
    assert!(
        said.contains(&format!("secret/{} stays in {}", desk.name, desk.own)),
        "{said}"
    );
    eventually("the Registry is gone", || {
        desk.object().is_none().then_some(())
    });
    assert!(desk.secret(&desk.own, &desk.name).is_some());
}
