//! A credential is used once it is proven, and for nothing but what it is for.

use serde_json::{Value, json};

use super::{REGISTRIES, Site};
use crate::{
    lab::{lab, seeded},
    support::registry_part::{ALICE, Registry},
};

#[test]
fn a_bad_credential_changes_nothing_and_a_good_one_is_rolled_out() {
    let lab = lab!();
    let site = Site::start(&lab);
    let shop = site.ready_in("shop");

    site.credential("wrong");
    let said = site.becomes("Authenticated", "False", "Degraded");
    assert!(said.starts_with("the new credential is not used"), "{said}");
    assert!(!said.contains("wrong") && !said.contains(ALICE.1), "{said}");
    assert_eq!(site.password(&shop).as_deref(), Some(ALICE.1));

    site.credential(ALICE.1);
    site.becomes("Ready", "True", "Ready");
}

#[test]
fn another_leader_leaves_what_it_cannot_prove_and_says_so() {
    let lab = lab!();
    let site = Site::start(&lab);
    let (shop, later) = (site.namespace("shop"), format!("{}-later", site.own));
    site.credential(ALICE.1);
    site.apply(&site.registry(&[&shop, &later]));
    site.becomes("Ready", "True", "Ready");
    site.cotter.process().stop();
    site.credential("wrong");
    site.cotter.start_again(&lab.plane);
    let said = site.becomes("Authenticated", "False", "Degraded");
    assert!(
        said.starts_with("the pull secrets stay as they are"),
        "{said}"
    );
    assert_eq!(site.password(&shop).as_deref(), Some(ALICE.1));
    lab.plane.namespace(&later, &[]);
    site.credential(ALICE.1);
    site.becomes("Ready", "True", "Ready");
    assert_eq!(site.password(&later).as_deref(), Some(ALICE.1));
}

#[test]
fn a_registry_that_does_not_answer_changes_nothing() {
    let lab = lab!();
    let mut registry = seeded(Registry::token());
    let site = Site::start_of(&lab, &[&registry]);
    let shop = site.namespace("shop");
    let mut object = site.registry(&[&shop]);
    object["spec"]["host"] = json!(registry.host());
    site.credential_for(registry.host(), ALICE.1);
    site.apply(&object);
    site.becomes("Ready", "True", "Ready");
    registry.stop();
    object["spec"]["probe"]["tag"] = json!("latest");
    site.apply(&object);
    let said = site.becomes("Authenticated", "False", "Degraded");
    assert!(
        said.starts_with("it worked before") && said.contains("Reachable failed"),
        "{said}"
    );
    let (status, reason, _) = site.condition("Ready").unwrap();
    assert_eq!((&*status, &*reason), ("False", "Degraded"));
    let secret = lab
        .plane
        .get(&format!("/api/v1/namespaces/{shop}/secrets/regcred"));
    assert_eq!(secret["type"], "kubernetes.io/dockerconfigjson");
}

#[test]
fn a_credential_is_used_for_nothing_but_what_it_says() {
    let lab = lab!();
    let site = Site::start(&lab);
    let shop = site.namespace("shop");
    site.credential(ALICE.1);
    let rows = [
        ("cotter.dev/registry", json!("another")),
        ("cotter.dev/registry", Value::Null),
        ("cotter.dev/host", json!("ghcr.io")),
        ("cotter.dev/host", Value::Null),
    ];
    for (annotation, value) in rows {
        let path = format!("/api/v1/namespaces/{}/secrets/{}", site.own, site.name);
        let change = json!({"metadata": {"annotations": {annotation: value}}}).to_string();
        lab.plane.send(
            "PATCH",
            &path,
            "application/merge-patch+json",
            change.as_bytes(),
        );
        lab.plane
            .request("DELETE", &format!("{REGISTRIES}/{}", site.name), None);
        site.apply(&site.registry(&[&shop]));
        let said = site.becomes("Valid", "False", "OtherCredential");
        assert!(said.contains(annotation), "{said}");
        assert_eq!(site.password(&shop), None, "{annotation}");
        site.credential(ALICE.1);
    }
    site.becomes("Ready", "True", "Ready");
}
