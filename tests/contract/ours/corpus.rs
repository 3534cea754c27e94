//! The reviews that cotter is asked, each with a name.

mod changed;
mod created;
mod others;

use serde_json::{Value, json};

use super::server::{SHOP, Servers};

pub struct Case {
    pub name: String,
    pub review: Value,
}

impl Case {
    pub fn request(&self) -> &Value {
        &self.review["request"]
    }

    pub fn object(&self) -> &Value {
        &self.request()["object"]
    }

    pub fn is(&self, operation: &str, subresource: &str) -> bool {
        let request = self.request();
        let own = request["subResource"].as_str().unwrap_or_default();
        request["operation"] == operation && own == subresource
    }

    pub fn is_pod(&self) -> bool {
        self.request()["kind"]["kind"] == "Pod"
    }
}

pub fn all() -> Vec<Case> {
    let mut cases = created::all();
    cases.extend(changed::all());
    cases.extend(others::all());
    for (number, case) in cases.iter_mut().enumerate() {
        case.review["request"]["uid"] = json!(format!("705ab4f5-6393-11e8-b7cc-{number:012}"));
    }
    cases
}

/// An image of the registry.
fn image(rest: &str) -> String {
    format!("{}/{rest}", Servers::get().registry.host())
}

/// A review as the API server sends it; its uid comes later.
fn review(operation: &str, gvk: [&str; 3], resource: &str, object: &Value, old: &Value) -> Value {
    let [group, version, kind] = gvk;
    let (resource, sub) = resource.split_once('/').unwrap_or((resource, ""));
    let kind = json!({"group": group, "version": version, "kind": kind});
    let plural = json!({"group": group, "version": version, "resource": resource});
    let options = json!({"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"});
    let named = if object.is_null() { old } else { object };
    let mut request = json!({
        "uid": "", "kind": kind, "resource": plural, "requestKind": kind, "requestResource": plural,
        "namespace": SHOP, "operation": operation, "userInfo": {"username": "admin", "groups": ["system:masters"]},
        "object": object, "oldObject": old, "dryRun": false, "options": options,
    });
    if !sub.is_empty() {
        request["subResource"] = json!(sub);
        request["requestSubResource"] = json!(sub);
    }
    if let Some(name) = named["metadata"]["name"].as_str() {
        request["name"] = json!(name);
    }
    json!({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request})
}

const POD: [&str; 3] = ["", "v1", "Pod"];

/// A Pod as the API server has filled it in.
fn pod(containers: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "web", "namespace": SHOP, "managedFields": [{"manager": "kubectl", "fieldsV1": {"f:spec": {}}}]},
        "spec": {"containers": containers, "restartPolicy": "Always", "serviceAccountName": "default",
            "tolerations": [{"key": "a", "operator": "Exists"}], "priority": 0},
        "status": {}})
}

fn container(name: &str, image: &str) -> Value {
    json!({"name": name, "image": image, "imagePullPolicy": "IfNotPresent", "resources": {},
        "terminationMessagePath": "/dev/termination-log", "env": [{"name": "A", "value": "<a>&\u{2028}"}]})
}

/// A Pod with one container.
fn one(image: &str) -> Value {
    pod(json!([container("app", image)]))
}

/// The object with one member set.
fn set(object: Value, path: &str, value: Value) -> Value {
    with(object, &[(path, value)])
}

/// The object with these members set, by pointer below the root.
fn with(mut object: Value, members: &[(&str, Value)]) -> Value {
    for (path, value) in members {
        let mut place = &mut object;
        for part in path.split('/') {
            place = match part.parse::<usize>() {
                Ok(index) if place.is_array() => &mut place[index],
                _ => &mut place[part.replace("~1", "/").as_str()],
            };
        }
        *place = value.clone();
    }
    object
}
