//! Pods and what they name, as tests write and read them.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

/// The names in a Pod's `imagePullSecrets`.
pub fn secrets(pod: &Value) -> Vec<&str> {
    let list = pod["spec"]["imagePullSecrets"].as_array();
    list.into_iter()
        .flatten()
        .filter_map(|s| s["name"].as_str())
        .collect()
}

/// The spec of a Pod with one container.
pub fn one(image: &str) -> Value {
    json!({"containers": [{"name": "app", "image": image}]})
}

/// `repo:tag` becomes this when it is pinned to an artifact's digest.
pub fn pinned(image: &str, digest: &str) -> String {
    format!("{image}@{digest}")
}

/// The value of an annotation of cotter, read as JSON.
pub fn annotation(pod: &Value, name: &str) -> Value {
    let text = pod["metadata"]["annotations"][name].as_str();
    text.map_or(Value::Null, |text| serde_json::from_str(text).unwrap())
}

/// Basic credentials for a host that no registry part wrote.
pub fn docker_config(host: &str, user: &str, password: &str) -> String {
    let auth = BASE64_STANDARD.encode(format!("{user}:{password}"));
    json!({"auths": {host: {"auth": auth}}}).to_string()
}
