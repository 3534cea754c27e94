//! The control plane.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::control_plane::{ControlPlane, MutatingWebhook};
use crate::support::webhook_server::{WebhookServer, add_sidecar};
use crate::support::{require, wait};

const SOON: Duration = Duration::from_secs(10);

fn pod(name: &str, image: &str) -> String {
    let containers = json!([{"name": "app", "image": image}]);
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": containers}}).to_string()
}

fn images(pod: &Value) -> Vec<&str> {
    pod["spec"]["containers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["image"].as_str().unwrap())
        .collect()
}

#[test]
fn a_pod_is_stored_as_it_was_written() {
    require!(
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kubectl"
    );
    let plane = ControlPlane::shared();
    plane.namespace("plain", &[("team", "one")]);
    plane
        .apply(&pod("web", "registry.test/acme/app:dev"), &["-n", "plain"])
        .ok();
    let stored = plane.pod("plain", "web");
    assert_eq!(images(&stored), ["registry.test/acme/app:dev"]);
    assert_eq!(stored["spec"]["serviceAccountName"], "default");
    assert_eq!(
        plane.get("/api/v1/namespaces/plain")["metadata"]["labels"]["team"],
        "one"
    );
    let event = plane.audit_event("create", "plain", "web");
    assert_eq!(
        event["requestObject"]["spec"]["containers"][0]["image"],
        "registry.test/acme/app:dev"
    );
}

#[test]
fn the_controller_manager_makes_pods_of_a_deployment() {
    require!(
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kubectl"
    );
    let plane = ControlPlane::shared();
    plane.namespace("rollout", &[]);
    plane
        .kubectl(&[
            "create",
            "deployment",
            "web",
            "--image=registry.test/app:1",
            "--replicas=2",
            "-n",
            "rollout",
        ])
        .ok();
    let pods = wait::until("two Pods", Duration::from_secs(30), || {
        let pods = plane.get("/api/v1/namespaces/rollout/pods");
        pods["items"]
            .as_array()
            .filter(|items| items.len() == 2)
            .cloned()
    });
    assert!(
        pods.iter()
            .all(|pod| images(pod) == ["registry.test/app:1"])
    );
}

#[test]
fn a_user_may_do_what_rbac_says() {
    require!(
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kubectl"
    );
    let plane = ControlPlane::shared();
    plane.namespace("guarded", &[]);
    let viewer = plane.kubeconfig_for("jane", &["viewers", "team-a"]);
    let list = ["get", "pods", "-n", "guarded"];
    assert!(
        plane
            .kubectl_as(&viewer, &list, "")
            .failed()
            .contains(r#"User "jane" cannot list resource "pods""#)
    );
    plane
        .kubectl(&[
            "create",
            "rolebinding",
            "view",
            "--clusterrole=view",
            "--group=team-a",
            "-n",
            "guarded",
        ])
        .ok();
    wait::until("the binding", SOON, || {
        (plane.kubectl_as(&viewer, &list, "").code == 0).then_some(())
    });
    let denied = plane
        .kubectl_as(
            &viewer,
            &["apply", "-n", "guarded", "-f", "-"],
            &pod("web", "app"),
        )
        .failed();
    assert!(denied.contains("Forbidden"), "{denied}");
}

#[test]
fn a_webhook_by_url_is_called_and_patches() {
    require!(
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kubectl"
    );
    let plane = ControlPlane::shared();
    plane.namespace("hooked", &[]);
    let webhook = WebhookServer::start(add_sidecar("side", "registry.test/side:1"));
    plane.install_webhook(&MutatingWebhook::new(
        "sidecar",
        &webhook.url(),
        webhook.ca(),
        &["hooked"],
    ));
    wait::until("the webhook", SOON, || {
        plane
            .apply(&pod("probe", "app"), &["-n", "hooked", "--dry-run=server"])
            .ok();
        (!webhook.reviews().is_empty()).then_some(())
    });
    plane
        .apply(&pod("web", "registry.test/app:1"), &["-n", "hooked"])
        .ok();
    assert_eq!(
        images(&plane.pod("hooked", "web")),
        ["registry.test/app:1", "registry.test/side:1"]
    );
    let event = plane.audit_event("create", "hooked", "web");
    let patch = &event["annotations"]["patch.webhook.admission.k8s.io/round_0_index_0"];
    assert!(
        patch
            .as_str()
            .is_some_and(|patch| patch.contains("registry.test/side:1")),
        "{event}"
    );
    plane.remove_webhook("sidecar");
}

#[test]
fn an_api_server_comes_back_with_its_data() {
    require!(
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kubectl"
    );
    let plane = ControlPlane::start();
    plane.namespace("kept", &[]);
    plane.restart_api_server(|| {
        assert!(
            plane
                .kubectl(&["get", "namespaces"])
                .failed()
                .contains("refused")
        );
    });
    assert_eq!(
        plane.get("/api/v1/namespaces/kept")["metadata"]["name"],
        "kept"
    );
}
