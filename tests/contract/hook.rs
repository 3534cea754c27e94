//! One webhook of a `MutatingWebhookConfiguration`.

use serde_json::{Value, json};

use crate::site::Lab;
use crate::support::control_plane::Shared;

/// Where the configurations are.
pub const CONFIGURATIONS: &str =
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";

/// The group of the tests' own resources.
pub const GROUP: &str = "contract.example.com";

#[derive(Clone)]
pub struct Hook(pub Value);

impl Hook {
    /// Called for Pods on CREATE and UPDATE; `Fail`, 5 s, v1. The rows call theirs `a.example.com`.
    pub fn new(path: &str) -> Self {
        let lab = Lab::get();
        let url = format!("https://{}{path}", lab.scripted.host());
        Self(json!({
            "name": "a.example.com", "sideEffects": "None", "admissionReviewVersions": ["v1"],
            "failurePolicy": "Fail", "timeoutSeconds": 5,
            "clientConfig": {"url": url, "caBundle": base64(lab.scripted.ca())},
        }))
        .on(&["CREATE", "UPDATE"], &["pods"])
    }

    /// Sets a member of the webhook.
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.0[member] = value.into();
        self
    }

    pub fn named(self, name: &str) -> Self {
        self.with("name", name)
    }

    pub fn ignore(self) -> Self {
        self.with("failurePolicy", "Ignore")
    }

    pub fn on(self, operations: &[&str], resources: &[&str]) -> Self {
        let rule = json!({"apiGroups": ["", "apps", GROUP], "apiVersions": ["v1"], "operations": operations, "resources": resources});
        self.with("rules", json!([rule]))
    }

    /// Calls another place.
    pub fn at(mut self, url: &str) -> Self {
        self.0["clientConfig"]["url"] = url.into();
        self
    }

    pub fn ca(mut self, bundle: Option<&str>) -> Self {
        self.0["clientConfig"]["caBundle"] = bundle.map(base64).into();
        self
    }

    /// Called for this namespace only, unless it is told something else.
    pub fn within(self, namespace: &str) -> Self {
        if self.0["namespaceSelector"].is_null() && self.0["objectSelector"].is_null() {
            return self.with("namespaceSelector", by_name(namespace));
        }
        self
    }
}

/// Selects the namespace of this name.
pub fn by_name(namespace: &str) -> Value {
    let name =
        json!({"key": "kubernetes.io/metadata.name", "operator": "In", "values": [namespace]});
    json!({"matchExpressions": [name]})
}

/// Creates a configuration; the API server's status and answer.
pub fn configure(plane: &Shared, name: &str, hooks: &[Hook]) -> (u16, Value) {
    let hooks: Vec<_> = hooks.iter().map(|hook| &hook.0).collect();
    let object = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": name}, "webhooks": hooks});
    let reply = plane.request("POST", CONFIGURATIONS, Some(&object));
    (reply.status, reply.json())
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}
