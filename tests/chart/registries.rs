//! Who may make, change and delete a Registry, with cotter as the chart installs it and without any.

use serde_json::{Value, json};

use crate::{
    registry_site::{COLLECT, FOLLOW, Site, refused},
    release::bench,
    support::wait,
};

fn creator(name: &str) -> Value {
    json!({"metadata": {"annotations": {"cotter.dev/creator": name}}})
}

#[test]
fn who_made_a_registry_is_stamped_and_cannot_be_forged() {
    let bench = bench!();
    let (site, _replica) = Site::serving(&bench, "stamped", &json!({}));
    let mut forged = site.registry();
    forged["metadata"]["annotations"] =
        json!({"cotter.dev/creator": "bob", "example.com/kept": "yes"});
    let dry = ["--dry-run=server", "-o", "json"];
    let tried: Value = serde_json::from_str(&site.apply_as("alice", &forged, &dry).ok()).unwrap();
    assert_eq!(
        tried["metadata"]["annotations"]["cotter.dev/creator"],
        "alice"
    );
    site.kubectl("alice", &["create", "-f", "-"], &forged.to_string())
        .ok();
    assert_eq!(site.creator(), "alice");
    let stored = site.stored().unwrap();
    assert_eq!(stored["metadata"]["annotations"]["example.com/kept"], "yes");

    for (name, other) in [
        ("another", creator("bob")),
        (
            "none",
            json!({"metadata": {"annotations": {"cotter.dev/creator": null}}}),
        ),
    ] {
        let outcome = site.patch_as("alice", &other);
        let words = [
            "the annotation cotter.dev/creator of the Registry stamped stays alice",
            "members of the group platform-admins",
        ];
        assert_ne!(outcome.code, 0, "{name}");
        refused(outcome, &words);
    }
    site.patch_as("alice", &json!({"spec": {"owner": "team-a"}}))
        .ok();
    site.patch_as("carol@platform-admins", &creator("bob")).ok();
    assert_eq!(site.creator(), "bob");
    site.delete_as("bob", &[]).ok();
}

#[test]
fn only_who_made_a_registry_and_the_admin_groups_change_and_delete_it() {
    let bench = bench!();
    let (site, _replica) = Site::serving(&bench, "owned", &json!({}));
    site.apply_as("alice", &site.registry(), &[]).ok();
    let change = json!({"spec": {"owner": "team-b"}});
    let who_may = "who may: alice, who made it; members of the group platform-admins";
    let told = ["bob may not change the Registry owned", who_may];
    refused(site.patch_as("bob", &change), &told);
    refused(
        site.patch_as("bob", &json!({"metadata": {"labels": {"a": "b"}}})),
        &told,
    );
    refused(
        site.patch_as(
            "bob",
            &json!({"metadata": {"annotations": {"cotter.dev/delete-in-use": "true"}}}),
        ),
        &told,
    );
    let gone = site.delete_as("bob", &[]);
    refused(gone, &["bob may not delete the Registry owned", who_may]);
    let all = site.kubectl("bob", &["delete", "registries", "--all"], "");
    refused(all, &["bob may not delete the Registry owned"]);
    // Not the kubectl of an administrator either, as long as that is of no group that the values name.
    refused(
        site.delete_as("root@system:masters", &[]),
        &["root may not delete"],
    );

    site.patch_as("alice", &change).ok();
    site.patch_as(
        "carol@platform-admins",
        &json!({"spec": {"owner": "team-c"}}),
    )
    .ok();
    // The status is cotter's, and RBAC's to give.
    let status = json!({"status": {"pods": 3}}).to_string();
    let args = [
        "patch",
        "registry",
        "owned",
        "--subresource=status",
        "--type=merge",
        "-p",
        &status,
    ];
    site.kubectl("bob", &args, "").ok();
    site.delete_as("carol@platform-admins", &[]).ok();
    assert_eq!(site.stored(), None);
}

#[test]
fn the_garbage_collector_does_its_work() {
    let bench = bench!();
    let (site, _replica) = Site::serving(&bench, "collected", &json!({}));
    site.apply_as("alice", &site.registry(), &[]).ok();
    site.wait_for_the_collector();
    // It takes its finalizer away as itself.
    site.delete_as("alice", &["--cascade=foreground"]).ok();
    assert_eq!(site.stored(), None);

    let owner = [
        "create",
        "clusterrole",
        "owner",
        "--verb=get",
        "--resource=pods",
        "-o",
        "json",
    ];
    let owner: Value = serde_json::from_str(&bench.plane.kubectl(&owner).ok()).unwrap();
    let mut owned = site.registry();
    owned["metadata"]["ownerReferences"] = json!([{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "name": "owner", "uid": owner["metadata"]["uid"]}]);
    site.apply_as("alice", &owned, &[]).ok();
    bench
        .plane
        .kubectl(&["delete", "clusterrole", "owner"])
        .ok();
    wait::until("it to go with its owner", COLLECT, || {
        site.stored().is_none().then_some(())
    });
}

#[test]
fn without_cotter_nobody_makes_or_deletes_a_registry_and_pods_are_left_alone() {
    let bench = bench!();
    let (site, replica) = Site::serving(&bench, "alone", &json!({}));
    site.apply_as("alice", &site.registry(), &[]).ok();
    bench.namespace("shop", &[("cotter.dev/mode", "enforce")]);
    drop(replica);
    let another = json!({"apiVersion": "cotter.dev/v1alpha1", "kind": "Registry", "metadata": {"name": "another"}, "spec": {"type": "Public", "host": "a.example.com"}});
    refused(
        site.apply_as("alice", &another, &[]),
        &["failed calling webhook \"creator.registries.cotter.dev\""],
    );
    refused(
        site.delete_as("alice", &[]),
        &["failed calling webhook \"deletion.registries.cotter.dev\""],
    );
    let run = ["-n", "shop", "run", "alone", "--image=nginx"];
    bench.plane.kubectl(&run).ok();
    bench
        .plane
        .kubectl(&["-n", "shop", "delete", "pod", "alone", "--now"])
        .ok();

    refused(
        site.patch_as("bob", &json!({"spec": {"owner": "x"}})),
        &["bob may not change the Registry alone"],
    );
    site.patch_as("alice", &json!({"spec": {"owner": "x"}}))
        .ok();
    // Whoever takes the webhooks away makes a registry in nobody's name but their own.
    bench
        .plane
        .kubectl(&[
            "delete",
            "mutatingwebhookconfiguration",
            "cotter-registries",
        ])
        .ok();
    wait::until("the webhooks to be forgotten", FOLLOW, || {
        let tried = site.apply_as("alice", &another, &["--dry-run=server"]);
        tried
            .stderr
            .contains("is to be alice, who makes this Registry; it is missing")
            .then_some(())
    });
    let mut forged = another.clone();
    forged["metadata"]["annotations"] = json!({"cotter.dev/creator": "bob"});
    refused(
        site.apply_as("alice", &forged, &[]),
        &["is to be alice, who makes this Registry; it is bob"],
    );
    refused(
        site.delete_as("bob", &[]),
        &["bob may not delete the Registry alone"],
    );
    site.delete_as("alice", &[]).ok();
}

#[test]
fn what_others_write_into_the_webhooks_of_registries_is_put_back() {
    let bench = bench!();
    let (site, replica) = Site::serving(&bench, "healed", &json!({}));
    let object = site.release.registry_webhook().unwrap();
    let client = |object: &Value, index: usize| object["webhooks"][index]["clientConfig"].clone();
    let first = client(&object, 0);
    assert_eq!(first, client(&object, 1));
    let path = first["service"]["path"].as_str().unwrap();
    let of_pods = client(&site.release.webhook(), 0);
    let below = format!(
        "{}/registries",
        of_pods["service"]["path"].as_str().unwrap()
    );
    assert_eq!((path, &first["caBundle"]), (&*below, &of_pods["caBundle"]));

    // The path of Pods is not that of registries.
    let wrong = json!([
        {"op": "replace", "path": "/webhooks/0/clientConfig/service/path", "value": of_pods["service"]["path"]},
        {"op": "remove", "path": "/webhooks/1/clientConfig/caBundle"},
    ]);
    let args = [
        "patch",
        "mutatingwebhookconfiguration",
        "cotter-registries",
        "--type=json",
        "-p",
        &wrong.to_string(),
    ];
    bench.plane.kubectl(&args).ok();
    wait::until("both to be put back", FOLLOW, || {
        let now = site.release.registry_webhook().unwrap();
        (client(&now, 0) == first && client(&now, 1) == first).then_some(())
    });
    let log = replica.process.log();
    let said = "repaired MutatingWebhookConfiguration cotter-registries";
    assert!(log.contains(said), "{log}");
}
