//! `Registry` objects, and what a real node pulls with the pull secrets that they bring.

mod rotation;
mod rows;
mod types;
mod world;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::Test;
use crate::lab::LIMIT;
use crate::support::node::{Lab, install::NAMESPACE};
use crate::support::wait;

pub const TESTS: &[Test] = &[
    (
        "registries::every_type_under_its_real_name",
        types::every_type,
    ),
    (
        "registries::a_rotation_is_used_at_the_next_pull",
        rotation::a_rotation,
    ),
];

/// The Secret with a credential: what it is for, and what it holds.
fn credential(name: &str, host: &str, data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "stringData": data, "metadata": {"name": name, "namespace": NAMESPACE,
        "annotations": {"cotter.dev/registry": name, "cotter.dev/host": host}}})
}

fn apply(lab: &Lab, objects: impl IntoIterator<Item = Value>) {
    let objects: Vec<_> = objects.into_iter().collect();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
    lab.plane.apply(&list.to_string(), &[]).ok();
}

/// Waits until a condition of a Registry has this status and reason; its message.
fn becomes(lab: &Lab, registry: &str, kind: &str, status: &str, reason: &str) -> String {
    let path = format!("/apis/cotter.dev/v1alpha1/registries/{registry}");
    wait::until(
        &format!("{registry} to be {kind} {status} {reason}"),
        LIMIT,
        || {
            let registry = lab.plane.get(&path);
            let all = registry["status"]["conditions"].as_array()?;
            let is = all.iter().find(|condition| condition["type"] == kind)?;
            let holds = is["status"] == status && is["reason"] == reason;
            holds.then(|| is["message"].as_str().unwrap_or_default().to_owned())
        },
    )
}

/// A pull secret that cotter has brought, if it has: its uid, and the registries in it.
fn pull_secret(lab: &Lab, namespace: &str, name: &str) -> Option<(String, Value)> {
    let path = format!("/api/v1/namespaces/{namespace}/secrets/{name}");
    let reply = lab.plane.request("GET", &path, None);
    let secret = (reply.status == 200).then(|| reply.json())?;
    let content = STANDARD
        .decode(secret["data"][".dockerconfigjson"].as_str()?)
        .unwrap();
    let content: Value = serde_json::from_slice(&content).unwrap();
    let uid = secret["metadata"]["uid"].as_str()?;
    Some((uid.to_owned(), content["auths"].clone()))
}
