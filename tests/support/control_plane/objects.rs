//! Objects that most tests need, made through the API.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::super::http_client::Reply;
use super::super::wait;
use super::ControlPlane;

const LIMIT: Duration = Duration::from_secs(30);
const WEBHOOKS: &str = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";

/// A `MutatingWebhookConfiguration` with one webhook, called by URL.
#[derive(Clone)]
pub struct MutatingWebhook {
    /// Of the object; configurations are called in the order of their names.
    pub name: String,
    pub url: String,
    pub ca: String,
    /// Called for these namespaces only, so that tests which share a control plane do not meet; none: for all.
    pub namespaces: Vec<String>,
    pub failure_policy: &'static str,
    pub reinvocation_policy: &'static str,
    pub timeout_seconds: u32,
    pub rules: Value,
}

impl MutatingWebhook {
    /// Pods on CREATE and UPDATE, their ephemeral containers, and the eight kinds with templates; `Fail`, 10 s, `IfNeeded`.
    pub fn new(name: &str, url: &str, ca: &str, namespaces: &[&str]) -> Self {
        let rule = |group: &str, resources: Value, operations: Value| json!({"apiGroups": [group], "apiVersions": ["v1"], "resources": resources, "operations": operations});
        let both = json!(["CREATE", "UPDATE"]);
        Self {
            name: name.to_owned(),
            url: url.to_owned(),
            ca: ca.to_owned(),
            namespaces: namespaces.iter().map(|&one| one.to_owned()).collect(),
            failure_policy: "Fail",
            reinvocation_policy: "IfNeeded",
            timeout_seconds: 10,
            rules: json!([
                rule(
                    "",
                    json!(["pods", "replicationcontrollers", "podtemplates"]),
                    both.clone()
                ),
                rule("", json!(["pods/ephemeralcontainers"]), json!(["UPDATE"])),
                rule(
                    "apps",
                    json!(["deployments", "replicasets", "statefulsets", "daemonsets"]),
                    both.clone()
                ),
                rule("batch", json!(["jobs", "cronjobs"]), both),
            ]),
        }
    }

    fn object(&self) -> Value {
        let selector = if self.namespaces.is_empty() {
            json!({})
        } else {
            let by_name = json!({"key": "kubernetes.io/metadata.name", "operator": "In", "values": self.namespaces});
            json!({"matchExpressions": [by_name]})
        };
        let webhook = json!({
            "name": format!("{}.cotter.dev", self.name), "rules": self.rules, "namespaceSelector": selector,
            "clientConfig": {"url": self.url, "caBundle": STANDARD.encode(&self.ca)},
            "failurePolicy": self.failure_policy, "reinvocationPolicy": self.reinvocation_policy,
            "timeoutSeconds": self.timeout_seconds, "sideEffects": "None", "admissionReviewVersions": ["v1"],
        });
        json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
            "metadata": {"name": self.name}, "webhooks": [webhook]})
    }
}

impl ControlPlane {
    /// A namespace with these labels, ready for Pods: its `default` service account is there.
    pub fn namespace(&self, name: &str, labels: &[(&str, &str)]) {
        let labels: Value = labels
            .iter()
            .map(|&(key, value)| (key.to_owned(), json!(value)))
            .collect();
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}});
        let made = self.request("POST", "/api/v1/namespaces", Some(&namespace));
        assert_eq!(made.status, 201, "{}", made.text());
        let account = format!("/api/v1/namespaces/{name}/serviceaccounts/default");
        wait::until("the default service account", LIMIT, || {
            (self.request("GET", &account, None).status == 200).then_some(())
        });
    }

    /// Creates or replaces a webhook configuration. The API server follows within milliseconds: [`wait::until`] it calls.
    pub fn install_webhook(&self, webhook: &MutatingWebhook) {
        self.remove_webhook(&webhook.name);
        let made = self.request("POST", WEBHOOKS, Some(&webhook.object()));
        assert_eq!(made.status, 201, "{}", made.text());
    }

    pub fn remove_webhook(&self, name: &str) {
        self.request("DELETE", &format!("{WEBHOOKS}/{name}"), None);
    }

    /// A pull secret of type `kubernetes.io/dockerconfigjson`.
    pub fn pull_secret(&self, namespace: &str, name: &str, docker_config: &str) {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name},
            "type": "kubernetes.io/dockerconfigjson", "stringData": {".dockerconfigjson": docker_config}});
        let made = self.request(
            "POST",
            &format!("/api/v1/namespaces/{namespace}/secrets"),
            Some(&secret),
        );
        assert_eq!(made.status, 201, "{}", made.text());
    }

    /// An object as the API server holds it: `get("/api/v1/namespaces/shop/pods/web")`.
    pub fn get(&self, path: &str) -> Value {
        let reply = self.request("GET", path, None);
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        reply.json()
    }

    pub fn pod(&self, namespace: &str, name: &str) -> Value {
        self.get(&format!("/api/v1/namespaces/{namespace}/pods/{name}"))
    }

    /// Any request as administrator.
    pub fn request(&self, method: &str, path: &str, object: Option<&Value>) -> Reply {
        let body = object.map(Value::to_string).unwrap_or_default();
        self.send(method, path, "application/json", body.as_bytes())
    }

    /// Any request as administrator, with a body of this type: a PATCH says by it which kind it is.
    pub fn send(&self, method: &str, path: &str, content_type: &str, body: &[u8]) -> Reply {
        let headers = [
            ("Content-Type", content_type),
            ("Accept", "application/json"),
        ];
        self.admin
            .send(method, &self.host, path, &headers, body)
            .expect("the API server")
    }
}
