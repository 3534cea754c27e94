//! cotter in the lab, as its chart installs it.

use std::sync::Once;
use std::time::Duration;

use serde_json::{Value, json};

use crate::lab::{LIMIT, pod};
use crate::support::node::Lab;
use crate::support::wait;

/// What pins a Pod: the annotation in which cotter writes what it changed.
const CHANGED: &str = "cotter.dev/images";

/// Installs cotter if no test has done so yet.
pub fn installed(lab: &Lab) {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        lab.push_cotter("dev");
        lab.install_cotter(&lab.values("dev"));
        lab.registry.push("public/probe", "probe", &["dev"]);
    });
}

/// A namespace whose Pods cotter is asked about.
pub fn enforced(lab: &Lab, name: &str) {
    installed(lab);
    lab.plane.namespace(name, &[("cotter.dev/mode", "enforce")]);
    wait_until_asked(lab, name);
}

/// The API server learns of a namespace's labels and of a webhook a moment after it has stored them.
pub fn wait_until_asked(lab: &Lab, namespace: &str) {
    let probe = pod("probe", &lab.registry.image("public/probe:dev"));
    let path = format!("/api/v1/namespaces/{namespace}/pods?dryRun=All");
    wait::until("cotter to be asked", Duration::from_secs(20), || {
        let made = lab.plane.request("POST", &path, Some(&probe));
        is_pinned(&made.json()).then_some(())
    });
}

/// Whether cotter has pinned the first container.
pub fn is_pinned(pod: &Value) -> bool {
    let image = pod["spec"]["containers"][0]["image"].as_str();
    image.is_some_and(|image| image.contains("@sha256:"))
}

/// The digest behind an image reference or an `imageID`.
pub fn digest_of(text: &Value) -> String {
    let text = text.as_str().unwrap_or_default();
    text.rsplit_once('@')
        .map_or_else(String::new, |(_, digest)| digest.to_owned())
}

/// The images that this Pod runs, of containers of every kind, as the kubelet reports them.
pub fn running(pod: &Value) -> Vec<String> {
    [
        "initContainerStatuses",
        "containerStatuses",
        "ephemeralContainerStatuses",
    ]
    .iter()
    .filter_map(|list| pod["status"][list].as_array())
    .flatten()
    .map(|status| digest_of(&status["imageID"]))
    .collect()
}

/// What cotter wrote down about this Pod.
pub fn changes(pod: &Value) -> Value {
    let text = pod["metadata"]["annotations"][CHANGED].as_str();
    serde_json::from_str(text.unwrap_or("null")).unwrap()
}

/// The Pods of a namespace with this label that are not being deleted.
pub fn pods_of(lab: &Lab, namespace: &str, label: &str) -> Vec<Value> {
    let path = format!("/api/v1/namespaces/{namespace}/pods?labelSelector={label}");
    let all = lab.plane.get(&path)["items"].as_array().cloned();
    let mut all = all.unwrap_or_default();
    all.retain(|pod| pod["metadata"]["deletionTimestamp"].is_null());
    all
}

/// A Deployment whose Pods wait until they are told to end.
pub fn deployment(name: &str, image: &str, replicas: u32) -> Value {
    let labels = json!({"app": name});
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": {
        "replicas": replicas, "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod(name, image)["spec"]}}})
}

/// Waits until a Deployment's rollout is complete.
pub fn rolled_out(lab: &Lab, namespace: &str, name: &str) {
    let limit = format!("--timeout={}s", LIMIT.as_secs());
    let target = format!("deployment/{name}");
    lab.plane
        .kubectl(&["-n", namespace, "rollout", "status", &target, &limit])
        .ok();
}
