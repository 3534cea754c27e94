//! A private image that only a `Registry` makes pullable: before a rotation, after it, and after the old password has
//! stopped working.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{apply, becomes, credential, pull_secret, world::world};
use crate::cotter::enforced;
use crate::lab::{LIMIT, create, pod, ready, waits_for};
use crate::support::node::Lab;
use crate::support::wait;

/// Of the namespace, the Registry, its Secret and its pull secrets.
const NAME: &str = "rotation";
const HOST: &str = "ghcr.io";
const KEY: &str = "ghcr.io/rotation/";
const USER: &str = "deploy-bot";
const OLD: &str = "ghp_before";
const NEW: &str = "ghp_after";
const REFUSED: &[&str] = &["ErrImagePull", "ImagePullBackOff"];

pub(super) fn a_rotation(lab: &Lab) {
    let world = world();
    enforced(lab, NAME);
    world.open(HOST, (USER, OLD), "rotation/");
    asked_to_pull(lab, "without");
    waits_for(lab, NAME, "without", REFUSED);

    apply(lab, [secret(OLD), registry()]);
    becomes(lab, NAME, "Ready", "True", "Ready");
    let (uid, _) = brought(lab, OLD);
    let mut running = vec![pulled(lab, "with-the-registry")];

    world.open(HOST, (USER, NEW), "rotation/");
    apply(lab, [secret(NEW)]);
    let (same, _) = brought(lab, NEW);
    assert_eq!(same, uid, "changed in place");
    running.push(pulled(lab, "after-the-rotation"));

    world.close(HOST, OLD);
    the_old_one_pulls_nothing(lab);
    let refused = world.refused(HOST);
    running.push(pulled(lab, "after-the-old-password"));
    assert_eq!(
        world.refused(HOST),
        refused,
        "nobody tries the old password"
    );

    apply(lab, [secret("ghp_mistyped")]);
    let said = becomes(lab, NAME, "Authenticated", "False", "Degraded");
    assert!(said.starts_with("the new credential is not used"), "{said}");
    assert_eq!(brought(lab, NEW).0, uid);
    running.push(pulled(lab, "after-a-bad-rotation"));

    for before in running {
        let name = before["metadata"]["name"].as_str().unwrap();
        let containers = |pod: &Value| pod["status"]["containerStatuses"].clone();
        assert_eq!(
            containers(&lab.plane.pod(NAME, name)),
            containers(&before),
            "{name}"
        );
    }
}

/// Not even for a Pod that brings it itself.
fn the_old_one_pulls_nothing(lab: &Lab) {
    let namespace = "rotation-by-hand";
    lab.plane.namespace(namespace, &[]);
    let entry = json!({"username": USER, "password": OLD, "auth": STANDARD.encode(format!("{USER}:{OLD}"))});
    lab.plane.pull_secret(
        namespace,
        "by-hand",
        &json!({"auths": {KEY: entry}}).to_string(),
    );
    lab.registry.push("rotation/by-hand", "by-hand", &["dev"]);
    let mut by_hand = pod("by-hand", &format!("{HOST}/rotation/by-hand:dev"));
    by_hand["spec"]["imagePullSecrets"] = json!([{"name": "by-hand"}]);
    create(lab, namespace, "pods", &by_hand);
    waits_for(lab, namespace, "by-hand", REFUSED);
    // The node would go on trying.
    lab.plane
        .kubectl(&["-n", namespace, "delete", "pod", "by-hand", "--now"])
        .ok();
}

fn secret(password: &str) -> Value {
    credential(NAME, HOST, &json!({"username": USER, "token": password}))
}

fn registry() -> Value {
    json!({"apiVersion": "cotter.dev/v1alpha1", "kind": "Registry", "metadata": {"name": NAME}, "spec": {
        "type": "GHCR", "owner": "rotation", "credentials": {"secretRef": {"name": NAME}}, "pullSecret": {"name": NAME},
        "namespaces": {"names": [NAME]}, "probe": {"repository": "rotation/without", "tag": "dev"}}})
}

/// Waits until the pull secret holds this password.
fn brought(lab: &Lab, password: &str) -> (String, Value) {
    wait::until("the pull secret", LIMIT, || {
        pull_secret(lab, NAME, NAME).filter(|(_, auths)| auths[KEY]["password"] == password)
    })
}

/// A Pod of an image that the node has never pulled.
fn asked_to_pull(lab: &Lab, name: &str) {
    let repository = format!("rotation/{name}");
    lab.registry.push(&repository, name, &["dev"]);
    create(
        lab,
        NAME,
        "pods",
        &pod(name, &format!("{HOST}/{repository}:dev")),
    );
}

/// The same, once it runs.
fn pulled(lab: &Lab, name: &str) -> Value {
    asked_to_pull(lab, name);
    let running = ready(lab, NAME, name);
    assert_eq!(
        running["spec"]["imagePullSecrets"],
        json!([{"name": NAME}]),
        "{name}"
    );
    running
}
