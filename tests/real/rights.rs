//! Accounts that may do exactly what a test grants them, and what cotter tells of it.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::{
    lab::Cotter,
    support::{
        control_plane::ControlPlane,
        http_client::{HttpClient, Reply},
    },
};

/// The Events of a namespace, as `events.k8s.io` has them.
pub fn events(plane: &ControlPlane, namespace: &str) -> Vec<Value> {
    let all = plane.get(&format!(
        "/apis/events.k8s.io/v1/namespaces/{namespace}/events"
    ));
    all["items"].as_array().cloned().unwrap_or_default()
}

/// Asks cotter itself, as the API server would, for a Pod of one container in this namespace.
pub fn review(cotter: &Cotter, namespace: &str) -> Reply {
    let object = json!({"metadata": {"namespace": namespace}, "spec": crate::lab::one("localhost:1/app:dev")});
    let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "1", "operation": "CREATE", "namespace": namespace,
        "kind": {"group": "", "version": "v1", "kind": "Pod"}, "object": object}});
    let (host, ca) = cotter.address();
    let path = "/mutate?timeout=10s";
    let sent = HttpClient::new(&ca).send("POST", &host, path, &[], review.to_string().as_bytes());
    sent.unwrap()
}

/// Lets the cluster know `RevisionPin`s.
pub fn know_pins(plane: &ControlPlane) {
    let definitions = cotter::cli::crd::definitions().unwrap();
    plane.apply(&definitions, &["--server-side"]).ok();
    let pins = "crd/revisionpins.cotter.dev";
    let wait = ["wait", "--for=condition=Established", "--timeout=20s", pins];
    plane.kubectl(&wait).ok();
}

/// A ServiceAccount, and the kubeconfig that is it.
pub struct Account<'a> {
    plane: &'a ControlPlane,
    namespace: String,
    pub kubeconfig: PathBuf,
}

impl<'a> Account<'a> {
    /// A ServiceAccount `cotter` in this namespace, without any right.
    pub fn new(plane: &'a ControlPlane, namespace: &str) -> Self {
        let accounts = format!("/api/v1/namespaces/{namespace}/serviceaccounts");
        let account =
            json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "cotter"}});
        made(plane, &accounts, &account);
        let request =
            json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}});
        let token = made(plane, &format!("{accounts}/cotter/token"), &request);
        let token = token["status"]["token"].as_str().unwrap().to_owned();
        Self {
            plane,
            namespace: namespace.to_owned(),
            kubeconfig: plane.kubeconfig_of_token(namespace, &token),
        }
    }

    /// Grants rules in one namespace.
    pub fn grant_in(&self, namespace: &str, rules: &Value) {
        let name = format!("cotter-{}", self.namespace);
        let path = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}");
        let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": name}, "rules": rules});
        made(self.plane, &format!("{path}/roles"), &role);
        made(
            self.plane,
            &format!("{path}/rolebindings"),
            &self.binding("Role", "RoleBinding", &name),
        );
    }

    /// Grants rules in the whole cluster.
    pub fn grant(&self, rules: &Value) {
        let name = format!("cotter-{}", self.namespace);
        let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules});
        let path = "/apis/rbac.authorization.k8s.io/v1";
        made(self.plane, &format!("{path}/clusterroles"), &role);
        let binding = self.binding("ClusterRole", "ClusterRoleBinding", &name);
        made(self.plane, &format!("{path}/clusterrolebindings"), &binding);
    }

    /// Puts other rules in the place of those granted in the whole cluster.
    pub fn regrant(&self, rules: &Value) {
        self.put("ClusterRole", "clusterroles", rules);
    }

    /// Puts other rules in the place of those granted in one namespace.
    pub fn regrant_in(&self, namespace: &str, rules: &Value) {
        self.put("Role", &format!("namespaces/{namespace}/roles"), rules);
    }

    fn put(&self, kind: &str, under: &str, rules: &Value) {
        let name = format!("cotter-{}", self.namespace);
        let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": name}, "rules": rules});
        let path = format!("/apis/rbac.authorization.k8s.io/v1/{under}/{name}");
        let put = self.plane.request("PUT", &path, Some(&role));
        assert_eq!(put.status, 200, "{}", put.text());
    }

    fn binding(&self, role: &str, binding: &str, name: &str) -> Value {
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": binding, "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role, "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": "cotter", "namespace": self.namespace}]})
    }
}

fn made(plane: &ControlPlane, path: &str, object: &Value) -> Value {
    let reply = plane.request("POST", path, Some(object));
    assert_eq!(reply.status, 201, "{path}: {}", reply.text());
    reply.json()
}

/// One rule of the core group, or of the group after the first dot.
pub fn rule(resource: &str, verbs: &[&str], names: &[&str]) -> Value {
    let (resource, group) = resource.split_once('.').unwrap_or((resource, ""));
    let mut rule = json!({"apiGroups": [group], "resources": [resource], "verbs": verbs});
    if !names.is_empty() {
        rule["resourceNames"] = json!(names);
    }
    rule
}

/// What cotter needs in its own namespace for the Lease, Events and the ConfigMap.
pub fn own_rules() -> Value {
    json!([
        rule(
            "leases.coordination.k8s.io",
            &["create", "get", "update"],
            &[]
        ),
        rule("events.events.k8s.io", &["create", "patch"], &[]),
        rule("configmaps", &["get", "list", "watch"], &["cotter"]),
    ])
}
