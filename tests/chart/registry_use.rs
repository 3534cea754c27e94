//! A Registry that Pods need: deleted, and uninstalled with its release.

use serde_json::{Value, json};

use crate::{
    helm::NAMESPACE,
    registry_site::{COLLECT, FOLLOW, Site, refused},
    release::{Bench, bench},
    replica::Replica,
    support::{
        image::Image,
        registry_part::{self, ALICE},
        require, wait,
    },
};

/// `cotter.yaml` for a registry that alice can log in to.
fn config(registry: &registry_part::Registry) -> Value {
    let host = |host: &str| json!({"host": host, "caFile": registry.ca_file(), "allowPrivate": true, "authHosts": [registry.auth_host()]});
    let auth = registry.auth_host().unwrap();
    json!({"registries": [host(registry.host()), {"host": auth, "caFile": registry.ca_file(), "allowPrivate": true}]})
}

/// The credential of a Registry, and the Pods that name its pull secrets. Dropped, they end.
struct Users<'b>(&'b Bench);

impl Drop for Users<'_> {
    fn drop(&mut self) {
        let delete = |namespace: &str, kind: &str, name: &str| {
            let what = [kind, name, "--ignore-not-found", "--now"];
            let args = [&["-n", namespace, "delete"], &what[..]].concat();
            self.0.plane.kubectl(&args);
        };
        delete("shop", "pod", "web");
        delete("till", "pod", "cart");
        delete(NAMESPACE, "secret", "needed");
    }
}

/// A Registry whose pull secret cotter has put into `shop` and `till`, and a Pod in each that names it.
fn in_use<'b>(
    bench: &'b Bench,
    registry: &registry_part::Registry,
    values: &Value,
) -> (Site<'b>, Replica, Users<'b>) {
    registry.push("acme/app", &Image::new("app").build(), &["dev"]);
    let mut values = values.clone();
    values["config"] = config(registry);
    let (site, replica) = Site::serving(bench, "needed", &values);
    let secret = json!({"apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "needed", "namespace": NAMESPACE,
            "annotations": {"cotter.dev/registry": "needed", "cotter.dev/host": registry.host()}},
        "stringData": {"username": ALICE.0, "password": ALICE.1}});
    let users = Users(bench);
    bench.plane.apply(&secret.to_string(), &[]).ok();
    let mut object = site.registry();
    object["spec"] = json!({"type": "Custom", "host": registry.host(), "credentials": {"secretRef": {"name": "needed"}},
        "pullSecret": {"name": "regcred"}, "namespaces": {"names": ["shop", "till"]}});
    site.apply_as("alice", &object, &[]).ok();
    wait::until("the pull secrets", FOLLOW, || {
        let has = |namespace: &str| secret_is_there(bench, namespace);
        (has("shop") && has("till")).then_some(())
    });
    for (namespace, name) in [("shop", "web"), ("till", "cart")] {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace},
            "spec": {"imagePullSecrets": [{"name": "regcred"}], "containers": [{"name": "app", "image": "x:1"}]}});
        bench.plane.apply(&pod.to_string(), &[]).ok();
    }
    (site, replica, users)
}

fn secret_is_there(bench: &Bench, namespace: &str) -> bool {
    let path = format!("/api/v1/namespaces/{namespace}/secrets/regcred");
    bench.plane.request("GET", &path, None).status == 200
}

fn end(bench: &Bench, namespace: &str, pod: &str) {
    let args = ["-n", namespace, "delete", "pod", pod, "--now"];
    bench.plane.kubectl(&args).ok();
}

#[test]
fn a_registry_that_pods_need_is_not_deleted() {
    let bench = bench!();
    require!("registry", "crane");
    let registry = registry_part::Registry::token();
    let (site, replica, _users) = in_use(&bench, &registry, &json!({}));
    let both = "Registry needed is in use: 2 Pods name its pull secret, which would go with it (shop/web, till/cart)";
    let how = "kubectl annotate registries.cotter.dev needed cotter.dev/delete-in-use=true";
    refused(site.delete_as("alice", &[]), &[both, how]);
    refused(site.delete_as("alice", &["--dry-run=server"]), &[both]);
    refused(site.delete_as("carol@platform-admins", &[]), &[both]);
    let all = site.kubectl("alice", &["delete", "registries", "--all"], "");
    refused(all, &[both]);

    // One that has ended needs nothing any more.
    let ended = json!({"status": {"phase": "Succeeded"}});
    let path = "/api/v1/namespaces/till/pods/cart/status";
    let reply = bench.plane.send(
        "PATCH",
        path,
        "application/merge-patch+json",
        ended.to_string().as_bytes(),
    );
    assert_eq!(reply.status, 200, "{}", reply.text());
    refused(
        site.delete_as("alice", &[]),
        &["1 Pod names its pull secret, which would go with it (shop/web)"],
    );

    let forced =
        |value: &str| json!({"metadata": {"annotations": {"cotter.dev/delete-in-use": value}}});
    site.patch_as("alice", &forced("true")).ok();
    site.delete_as("alice", &["--dry-run=server"]).ok();
    site.patch_as("alice", &forced("false")).ok();
    refused(
        site.delete_as("alice", &["--dry-run=server"]),
        &["1 Pod names"],
    );
    let deletion = |kind: &str| json!({"spec": {"deletion": kind}});
    site.patch_as("alice", &deletion("Retain")).ok();
    site.delete_as("alice", &["--dry-run=server"]).ok();
    site.patch_as("alice", &deletion("Delete")).ok();
    end(&bench, "shop", "web");
    site.wait_for_the_collector();
    site.delete_as("alice", &[]).ok();
    wait::until("the pull secrets to go with it", COLLECT, || {
        let left = ["shop", "till"].map(|namespace| secret_is_there(&bench, namespace));
        (left == [false, false]).then_some(())
    });
    let log = replica.process.log();
    assert!(!log.contains("orbidden"), "{log}");
}

#[test]
fn users_that_cannot_be_counted_are_taken_to_be_there() {
    let bench = bench!();
    let (site, _replica) = Site::serving(&bench, "uncounted", &json!({}));
    site.apply_as("alice", &site.registry(), &[]).ok();
    let binding = ["delete", "clusterrolebinding", "cotter"];
    bench.plane.kubectl(&binding).ok();
    let words = [
        "Registry uncounted may be in use: cotter cannot count the Pods that name its pull secret: may not list secrets",
        "cotter.dev/delete-in-use=true",
    ];
    // The API server's own view of a binding is a moment late.
    wait::until("a refusal", FOLLOW, || {
        let tried = site.delete_as("alice", &["--dry-run=server"]);
        tried.stderr.contains(words[0]).then_some(())
    });
    refused(site.delete_as("alice", &[]), &words);
    let forced = json!({"metadata": {"annotations": {"cotter.dev/delete-in-use": "true"}}});
    site.patch_as("alice", &forced).ok();
    site.delete_as("alice", &[]).ok();
}

#[test]
fn in_listed_namespaces_users_are_counted_there() {
    let bench = bench!();
    let listed = json!({"rbac": {"scope": "namespaces", "namespaces": ["shop", "till"]}});
    let (site, _replica) = Site::serving(&bench, "listed", &listed);
    site.apply_as("alice", &site.registry(), &[]).ok();
    bench.namespace("elsewhere", &[]);
    for (namespace, name) in [("shop", "web"), ("elsewhere", "web")] {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace},
            "spec": {"imagePullSecrets": [{"name": "mine"}], "containers": [{"name": "app", "image": "x:1"}]}});
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/dockerconfigjson",
            "metadata": {"name": "mine", "namespace": namespace, "labels": {"cotter.dev/registry": "listed"}},
            "stringData": {".dockerconfigjson": "{\"auths\":{}}"}});
        bench.plane.apply(&pod.to_string(), &[]).ok();
        bench.plane.apply(&secret.to_string(), &[]).ok();
    }
    let said = "1 Pod names its pull secret, which would go with it (shop/web)";
    refused(site.delete_as("alice", &[]), &[said]);
    end(&bench, "shop", "web");
    site.delete_as("alice", &[]).ok();
    end(&bench, "elsewhere", "web");
    for namespace in ["shop", "elsewhere"] {
        let secret = [
            "-n",
            namespace,
            "delete",
            "secret",
            "mine",
            "--ignore-not-found",
        ];
        bench.plane.kubectl(&secret).ok();
    }
}

/// Uninstalls a release whose Registry is in use.
fn uninstalled<'b>(
    bench: &'b Bench,
    registry: &registry_part::Registry,
    values: &Value,
) -> Site<'b> {
    let (site, replica, _users) = in_use(bench, registry, values);
    refused(site.delete_as("alice", &[]), &["is in use"]);
    site.wait_for_the_collector();
    site.release.uninstall();
    drop(replica);
    for kind in [
        "mutatingwebhookconfigurations",
        "validatingadmissionpolicies",
        "validatingadmissionpolicybindings",
    ] {
        let found = bench.plane.kubectl(&["get", kind, "cotter-registries"]);
        assert!(
            found.stderr.contains("NotFound"),
            "{kind}: {}",
            found.stderr
        );
    }
    site
}

#[test]
fn a_release_is_uninstalled_whose_registries_are_in_use() {
    let bench = bench!();
    require!("registry", "crane");
    let registry = registry_part::Registry::token();
    let left = |site: &Site<'_>| {
        let secrets = ["shop", "till"].map(|namespace| secret_is_there(&bench, namespace));
        [site.stored().is_some(), secrets[0], secrets[1]]
    };
    let goes = |site: &Site<'_>| {
        wait::until("the Registry to go, and what it kept", COLLECT, || {
            (left(site) == [false; 3]).then_some(())
        });
    };
    // By default the definition is kept, and with it all of that.
    let kept = uninstalled(&bench, &registry, &json!({}));
    assert_eq!(left(&kept), [true; 3]);
    // Nobody asks a webhook or a policy any more.
    wait::until("nobody to be in the way", FOLLOW, || {
        (kept.delete_as("bob", &[]).code == 0).then_some(())
    });
    goes(&kept);
    // With its definition goes what is of a kind, and with a Registry its pull secrets.
    goes(&uninstalled(
        &bench,
        &registry,
        &json!({"crds": {"keep": false}}),
    ));
}
