//! The objects that the rows send.

use serde_json::{Value, json};

/// A Pod with one container.
pub fn pod(name: &str, image: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {"containers": [{"name": "c", "image": image}]}})
}

/// The same with more members in its spec.
pub fn pod_with(name: &str, image: &str, spec: Value) -> Value {
    let mut pod = pod(name, image);
    let Value::Object(members) = spec else {
        panic!("members")
    };
    pod["spec"].as_object_mut().expect("a spec").extend(members);
    pod
}

/// A Pod with one image volume.
pub fn pod_with_volume(name: &str, reference: &str) -> Value {
    let volume = json!({"name": "v", "image": {"reference": reference}});
    pod_with(name, "nginx:1", json!({"volumes": [volume]}))
}

/// A Pod whose environment takes `count` times 100 kB.
pub fn pod_of_size(name: &str, count: usize) -> Value {
    let value = "v".repeat(100_000);
    let variables: Vec<_> = (0..count)
        .map(|n| json!({"name": format!("E{n}"), "value": value}))
        .collect();
    let mut pod = pod(name, "nginx:1");
    pod["spec"]["containers"][0]["env"] = json!(variables);
    pod
}

/// A paused Deployment without replicas: its controller writes its status once, and then leaves it alone.
pub fn deployment(name: &str, image: &str) -> Value {
    let labels = json!({"app": name});
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {"replicas": 0, "paused": true, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels},
            "spec": {"containers": [{"name": "c", "image": image}]}}}})
}

/// The patch that gives a Pod this ephemeral container.
pub fn debugger(name: &str) -> Value {
    json!({"spec": {"ephemeralContainers": [{"name": name, "image": "eph:1", "targetContainerName": "c"}]}})
}
