//! Where pull secrets are, and how long.

use std::time::Duration;

use rstest::rstest;
use serde_json::json;

use super::{REGISTRIES, Site};
use crate::{
    lab::{eventually, lab},
    support::registry_part::ALICE,
};

#[test]
fn the_pull_secret_is_where_it_is_wanted_and_stays_as_it_should_be() {
    let lab = lab!();
    let site = Site::start(&lab);
    let shop = site.namespace("shop");
    let later = format!("{}-later", site.own);
    site.apply(&site.registry(&[&shop, &later]));
    let said = site.becomes("Valid", "False", "NoCredential");
    assert!(said.contains(&site.name), "{said}");

    site.credential(ALICE.1);
    let said = site.becomes("Ready", "True", "Ready");
    assert_eq!(said, "the pull secrets are in place and work");
    let (_, _, said) = site.condition("Authenticated").unwrap();
    assert!(said.contains("manifest: sha256:"), "{said}");
    assert_eq!(site.password(&shop).as_deref(), Some(ALICE.1));

    lab.plane.namespace(&later, &[]);
    let password = eventually("the later namespace has it", || site.password(&later));
    assert_eq!(password, ALICE.1);

    let path = format!("/api/v1/namespaces/{shop}/secrets/regcred");
    lab.plane.request("DELETE", &path, None);
    eventually("it is put back", || site.password(&shop));

    let registry = eventually("it is counted", || {
        let registry = lab.plane.get(&format!("{REGISTRIES}/{}", site.name));
        (registry["status"]["namespaces"]["summary"] == "2/2").then_some(registry)
    });
    assert_eq!(registry["status"]["host"], site.host());
}

#[test]
fn a_secret_of_somebody_else_is_never_touched() {
    let lab = lab!();
    let site = Site::start(&lab);
    let (shop, taken) = (site.namespace("shop"), site.namespace("taken"));
    lab.plane.pull_secret(&taken, "regcred", r#"{"auths":{}}"#);
    site.credential(ALICE.1);
    site.apply(&site.registry(&[&shop, &taken]));
    let said = site.becomes("Synced", "False", "Conflict");
    assert!(said.contains(&taken) && !said.contains(&shop), "{said}");
    assert_eq!(site.password(&shop).as_deref(), Some(ALICE.1));

    let path = format!("/api/v1/namespaces/{taken}/secrets/regcred");
    lab.plane.request("DELETE", &path, None);
    site.becomes("Ready", "True", "Ready");
    assert_eq!(site.password(&taken).as_deref(), Some(ALICE.1));
}

#[test]
fn a_namespace_that_leaves_keeps_it_while_a_pod_names_it() {
    let lab = lab!();
    let site = Site::start(&lab);
    let (shop, used) = (site.namespace("shop"), site.namespace("used"));
    site.credential(ALICE.1);
    site.apply(&site.registry(&[&shop, &used]));
    site.becomes("Ready", "True", "Ready");
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": {
        "imagePullSecrets": [{"name": "regcred"}], "containers": [{"name": "a", "image": "x:1"}]}});
    let made = lab.plane.request(
        "POST",
        &format!("/api/v1/namespaces/{used}/pods"),
        Some(&pod),
    );
    assert_eq!(made.status, 201, "{}", made.text());

    site.apply(&site.registry(&[]));
    eventually("it has left", || {
        site.password(&shop).is_none().then_some(())
    });
    assert_eq!(
        site.password(&used).as_deref(),
        Some(ALICE.1),
        "a Pod names it"
    );
    // The status is written when all is done.
    eventually("it is said", || {
        let (_, _, said) = site.condition("Synced")?;
        said.contains(&used).then_some(())
    });
}

#[test]
fn the_pull_secrets_go_with_their_registry_or_stay() {
    let lab = lab!();
    let site = Site::start(&lab);
    let shop = site.namespace("shop");
    site.credential(ALICE.1);
    let mut registry = site.registry(&[&shop]);
    registry["spec"]["deletion"] = json!("Retain");
    site.apply(&registry);
    site.becomes("Ready", "True", "Ready");
    let owners = || {
        let secret = lab
            .plane
            .get(&format!("/api/v1/namespaces/{shop}/secrets/regcred"));
        secret["metadata"]["ownerReferences"]
            .as_array()
            .map_or(0, Vec::len)
    };
    assert_eq!(owners(), 0, "kept");
    registry["spec"]["deletion"] = json!("Delete");
    site.apply(&registry);
    eventually("it is owned", || (owners() == 1).then_some(()));
    lab.plane
        .request("DELETE", &format!("{REGISTRIES}/{}", site.name), None);
    eventually("it goes with its Registry", || {
        site.password(&shop).is_none().then_some(())
    });
}

/// Namespaces of a burst, as one tool makes them for many teams.
const BURST: usize = 100;

#[rstest]
#[case::at_once(Duration::ZERO)]
#[case::a_moment_later(Duration::from_millis(50))]
fn the_first_pod_of_each_of_a_hundred_new_namespaces_has_its_pull_secret(#[case] pause: Duration) {
    let lab = lab!();
    let site = Site::start(&lab);
    site.credential(ALICE.1);
    let mut registry = site.registry(&[]);
    registry["spec"]["namespaces"] = json!({"selector": {"matchLabels": {"burst": site.own}}});
    site.apply(&registry);
    site.becomes("Authenticated", "True", "Accepted");
    let webhook = site.cotter.webhook(&site.own, &[]);
    lab.plane.install_webhook(&webhook);
    site.wait_until_called();
    let image = lab.image("acme/app:dev");
    let names: Vec<_> = (0..BURST)
        .map(|n| format!("{}-burst-{n}", site.own))
        .collect();
    let made = std::thread::scope(|scope| {
        let pods = names.iter().map(|name| {
            site.bare_namespace(name, &json!({"burst": site.own, "cotter.dev/mode": "enforce"}));
            let (plane, image) = (&*lab.plane, &image);
            scope.spawn(move || {
                std::thread::sleep(pause);
                let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": {
                    "serviceAccountName": "web", "automountServiceAccountToken": false,
                    "containers": [{"name": "a", "image": image}]}});
                let path = format!("/api/v1/namespaces/{name}/pods");
                plane.request("POST", &path, Some(&pod)).json()
            })
        });
        let pods: Vec<_> = pods.collect();
        pods.into_iter()
            .map(|pod| pod.join().unwrap())
            .collect::<Vec<_>>()
    });
    lab.plane.remove_webhook(&site.own);
    let without = made
        .iter()
        .filter(|pod| pod["spec"]["imagePullSecrets"][0]["name"] != "regcred");
    let without: Vec<_> = without.map(ToString::to_string).collect();
    assert!(
        without.is_empty(),
        "{} of {BURST}, the first: {}",
        without.len(),
        without[0]
    );
    let pinned = made.iter().filter(|pod| {
        let image = pod["spec"]["containers"][0]["image"].as_str();
        image.is_some_and(|image| image.contains("@sha256:"))
    });
    assert_eq!(pinned.count(), BURST);
    eventually("all are in sync", || {
        let registry = lab.plane.get(&format!("{REGISTRIES}/{}", site.name));
        (registry["status"]["namespaces"]["summary"] == format!("{BURST}/{BURST}")).then_some(())
    });
}

#[test]
fn a_pod_waits_a_moment_for_a_pull_secret_that_is_on_its_way() {
    let lab = lab!();
    let site = Site::start(&lab);
    let late = format!("{}-late", site.own);
    site.credential(ALICE.1);
    site.apply(&site.registry(&[&late]));
    site.becomes("Authenticated", "True", "Accepted");
    let other = site.replica();
    lab.plane.install_webhook(&other.webhook(&site.own, &[]));
    site.wait_until_called();
    // Who leads is busy with something else for a while.
    site.cotter.process().signal("STOP");
    site.bare_namespace(&late, &json!({"cotter.dev/mode": "enforce"}));
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": {
        "serviceAccountName": "web", "automountServiceAccountToken": false,
        "containers": [{"name": "a", "image": lab.image("acme/app:dev")}]}});
    let pod = std::thread::scope(|scope| {
        let path = format!("/api/v1/namespaces/{late}/pods");
        let plane = &*lab.plane;
        let pod = scope.spawn(move || plane.request("POST", &path, Some(&pod)).json());
        std::thread::sleep(Duration::from_millis(800));
        site.cotter.process().signal("CONT");
        pod.join().unwrap()
    });
    lab.plane.remove_webhook(&site.own);
    let secrets = &pod["spec"]["imagePullSecrets"];
    assert_eq!(secrets, &json!([{"name": "regcred"}]), "{pod}");
}
