//! Pull secrets: found, chosen, injected, missed, and kept apart.

use serde_json::json;

use crate::{
    lab::{Cotter, annotation, config, lab, one, pinned, seeded},
    support::registry_part::{ALICE, BOB, Registry},
};

/// The Pod follows its Secret within milliseconds; the watch may be late.
#[test]
fn a_secret_created_right_before_its_pod() {
    let lab = lab!();
    let ns = lab.enforced();
    let image = lab.image("acme/app:dev");
    let digest = lab.tokens.digest("acme/app", "dev");
    for round in 0..5 {
        let name = format!("ghcr-{round}");
        ns.secret(&name, &lab.alice());
        let made = ns.run(&image);
        assert_eq!(made.image(), pinned(&image, &digest));
        assert_eq!(made.secrets(), [name.as_str()]);
        ns.kubectl(&["delete", "secret", &name], "").ok();
        crate::lab::eventually("the deletion to be seen", || {
            ns.run(&image).secrets().is_empty().then_some(())
        });
    }
}

#[test]
fn a_named_secret_created_right_before_its_pod() {
    let lab = lab!();
    let ns = lab.enforced();
    ns.secret("mine", &lab.alice());
    let mut spec = one(&lab.image("acme/app:dev"));
    spec["imagePullSecrets"] = json!([{"name": "mine"}]);
    let made = ns.create(&json!({"generateName": "p-"}), &spec, "");
    assert!(made.image().contains("@sha256:"));
    assert_eq!(made.warnings, [""; 0]);
}

#[test]
fn the_secrets_of_a_service_account_are_enough() {
    let lab = lab!();
    let ns = lab.enforced();
    ns.secret("ghcr", &lab.alice());
    ns.secret("other", &lab.alice());
    let patch = r#"{"imagePullSecrets": [{"name": "ghcr"}]}"#;
    ns.kubectl(&["patch", "serviceaccount", "default", "-p", patch], "")
        .ok();
    let made = ns.run(&lab.image("acme/app:dev"));
    assert_eq!(made.secrets(), ["ghcr"]);
    assert!(made.image().contains("@sha256:"));
}

#[test]
fn a_service_account_that_enforces_its_list_is_heeded() {
    let lab = lab!();
    let ns = lab.enforced();
    ns.secret("ghcr", &lab.alice());
    let patch =
        r#"{"metadata": {"annotations": {"kubernetes.io/enforce-mountable-secrets": "true"}}}"#;
    ns.kubectl(&["patch", "serviceaccount", "default", "-p", patch], "")
        .ok();
    crate::lab::eventually("the annotation to be seen", || {
        let made = ns.create(
            &json!({"generateName": "p-"}),
            &one(&lab.image("acme/app:dev")),
            "",
        );
        // Until the watch has it, the API server refuses what was injected.
        if made.status != 201 {
            return None;
        }
        assert_eq!(made.secrets(), [""; 0]);
        made.warns("ServiceAccount does not list");
        Some(())
    });
}

/// One registry, two namespaces, two credentials: neither is served with the other's.
#[test]
fn two_namespaces_with_different_credentials_for_one_registry() {
    let lab = lab!();
    let (alice, bob) = (lab.enforced(), lab.enforced());
    alice.secret("pull", &lab.alice());
    bob.secret("pull", &lab.tokens.docker_config(BOB.0, BOB.1));
    let (acme, beta) = (lab.image("acme/app:dev"), lab.image("beta/app:dev"));
    let pinned_acme = pinned(&acme, &lab.tokens.digest("acme/app", "dev"));
    assert_eq!(alice.pin(&acme), pinned_acme);
    assert_eq!(
        bob.pin(&beta),
        pinned(&beta, &lab.tokens.digest("beta/app", "dev"))
    );
    let denied = bob.run(&acme);
    assert_eq!(denied.image(), acme);
    denied.warns("no such tag, or no access to it");
    assert_eq!(alice.run(&beta).image(), beta);
}

#[test]
fn a_broken_secret_is_never_injected_and_named_where_it_breaks_a_pod() {
    let lab = lab!();
    let ns = lab.enforced();
    ns.secret("broken", r#"{"auths": {"x": {"auth": "!"}}}"#);
    let image = lab.image("public/app:dev");
    assert_eq!(ns.run(&image).secrets(), [""; 0]);
    let mut spec = one(&image);
    spec["imagePullSecrets"] = json!([{"name": "broken"}]);
    let made = ns.create(&json!({"generateName": "p-"}), &spec, "");
    made.warns(r#"pull secret \"broken\" breaks every image pull of this Pod"#);
    assert!(lab.cotter.metric("cotter_broken_pull_secrets") >= 1.0);
}

#[test]
fn a_missing_tag_and_wrong_credentials_read_alike() {
    let lab = lab!();
    let (right, wrong) = (lab.enforced(), lab.enforced());
    right.secret("pull", &lab.alice());
    wrong.secret("pull", &lab.tokens.docker_config(ALICE.0, "wrong"));
    let missing = right.run(&lab.image("acme/app:gone"));
    let forbidden = wrong.run(&lab.image("acme/app:gone"));
    assert_eq!(missing.warnings, forbidden.warnings);
    assert_eq!(
        annotation(&missing.object, "cotter.dev/unpinned"),
        json!({"app": "notFound"})
    );
    assert_eq!(
        annotation(&forbidden.object, "cotter.dev/unpinned"),
        json!({"app": "unauthorized"})
    );
    assert!(!lab.cotter.log().contains("rabbit-hole"));
}

#[test]
fn a_registry_that_wants_a_secret_names_the_command_that_makes_one() {
    let lab = lab!();
    let ns = lab.enforced();
    let made = ns.run(&lab.image("acme/app:dev"));
    made.warns("kubectl create secret docker-registry NAME");
}

#[test]
fn a_secret_that_does_not_exist_is_named() {
    let lab = lab!();
    let ns = lab.enforced();
    let mut spec = one(&lab.image("public/app:dev"));
    spec["imagePullSecrets"] = json!([{"name": "gone"}]);
    let made = ns.create(&json!({"generateName": "p-"}), &spec, "");
    made.warns(r#"\"gone\" is no pull secret"#);
    assert!(made.image().contains("@sha256:"));
}

/// The other kind of authentication, and a secret of the older format.
#[test]
fn a_registry_with_basic_authentication() {
    let lab = lab!();
    let registry = seeded(Registry::basic());
    let cotter = Cotter::start(&lab.plane, &config(&[&registry], ""));
    let ns = lab.namespace_for(&cotter, &[("cotter.dev/mode", "enforce")]);
    let host = registry.host();
    let entry = json!({host: {"username": BOB.0, "password": BOB.1}});
    let old = json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/dockercfg",
        "metadata": {"name": "old"}, "stringData": {".dockercfg": entry.to_string()}});
    assert_eq!(ns.send("POST", "secrets", &old).status, 201);
    let image = registry.image("acme/app:dev");
    let made = ns.run(&image);
    assert_eq!(
        made.image(),
        pinned(&image, &registry.digest("acme/app", "dev"))
    );
    assert_eq!(made.secrets(), ["old"]);
}
