//! A namespace with cotter's rights, its webhook configuration, and replicas that run beside the cluster.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::support::{
    control_plane::{ControlPlane, NEEDS, Shared},
    http_client::{HttpClient, Reply},
    parts, ports,
    process::{Process, Program},
    scratch::Scratch,
    wait,
};

const LIMIT: Duration = Duration::from_secs(30);
const WEBHOOKS: &str = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
const PATCH: &str = "application/merge-patch+json";

/// Whether all parts are here; if not, the test is reported as skipped.
pub fn parts_are_here(test: &str) -> bool {
    parts::are_here(test, &NEEDS)
}

/// Ends a test that has to go without its parts.
macro_rules! site {
    () => {{
        fn here() {}
        if !$crate::site::parts_are_here(std::any::type_name_of_val(&here)) {
            return;
        }
        $crate::site::Site::of_the_program()
    }};
}
pub(crate) use site;

/// Everything of one release: its name is that of the namespace, the webhook configuration and the Service.
pub struct Site<'a> {
    pub plane: &'a ControlPlane,
    /// Shows the log of the control plane when the test fails.
    _shared: Option<Shared>,
    pub name: String,
    pub kubeconfig: PathBuf,
}

/// One replica, a process.
pub struct Replica {
    pub process: Process,
    port: u16,
    ops: u16,
    _scratch: Scratch,
}

impl Site<'static> {
    /// One on the control plane that all tests share.
    pub fn of_the_program() -> Self {
        let shared = ControlPlane::shared();
        let site = Self::new(shared.plane());
        Self {
            _shared: Some(shared),
            ..site
        }
    }
}

impl<'a> Site<'a> {
    /// A namespace, a service account with the rights that cotter needs and no others, and a webhook configuration as a
    /// chart installs it: two webhooks of cotter's Service and one of another's, no bundle, no path.
    pub fn new(plane: &'a ControlPlane) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("trust-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        plane.namespace(&name, &[]);
        let user = format!("system:serviceaccount:{name}:cotter");
        let kubeconfig = plane.kubeconfig_for(&user, &[]);
        let site = Self {
            plane,
            _shared: None,
            name,
            kubeconfig,
        };
        site.grant(&site.rights());
        site.install();
        site
    }

    /// The rights: the kind of a role and its rules.
    pub fn rights(&self) -> [(&'static str, Value); 2] {
        let name = &self.name;
        [
            (
                "Role",
                json!([
                    {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create"]},
                    {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["cotter-trust"],
                     "verbs": ["get", "list", "watch", "update", "patch", "delete"]},
                    {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"],
                     "verbs": ["create", "get", "update", "patch"]},
                ]),
            ),
            (
                "ClusterRole",
                json!([
                    {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get", "list", "watch"]},
                    {"apiGroups": [""], "resources": ["serviceaccounts", "pods"], "verbs": ["list", "watch"]},
                    {"apiGroups": ["admissionregistration.k8s.io"], "resources": ["mutatingwebhookconfigurations"],
                     "resourceNames": [name], "verbs": ["get", "list", "watch", "patch"]},
                    {"apiGroups": ["cotter.dev"], "resources": ["revisionpins"], "verbs": ["list", "watch"]},
                    {"apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch"]},
                ]),
            ),
        ]
    }

    /// Replaces the rights of cotter. Pull secrets are listed by a role of its own, so that a test can take the rest away.
    pub fn grant(&self, rights: &[(&str, Value)]) {
        let name = &self.name;
        let pull_secrets =
            json!([{"apiGroups": [""], "resources": ["secrets"], "verbs": ["list", "watch"]}]);
        let mut objects = Vec::new();
        let all = rights
            .iter()
            .map(|(kind, rules)| (*kind, name.clone(), rules.clone()));
        let pulls = ("ClusterRole", format!("{name}-pull"), pull_secrets);
        for (kind, role, rules) in all.chain([pulls]) {
            let meta = match kind {
                "Role" => json!({"name": role, "namespace": name}),
                _ => json!({"name": role}),
            };
            let subject = json!({"kind": "ServiceAccount", "name": "cotter", "namespace": name});
            let api = "rbac.authorization.k8s.io/v1";
            objects
                .push(json!({"apiVersion": api, "kind": kind, "metadata": meta, "rules": rules}));
            objects.push(json!({"apiVersion": api, "kind": format!("{kind}Binding"), "metadata": meta, "subjects": [subject],
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role}}));
        }
        let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
        self.plane.apply(&list.to_string(), &[]).ok();
    }

    /// Whether cotter may do this to secrets of its namespace, or else to its webhook configuration.
    pub fn may(&self, verb: &str, on_secrets: bool) -> bool {
        let name = &self.name;
        let asked = if on_secrets {
            json!({"verb": verb, "resource": "secrets", "namespace": name})
        } else {
            json!({"verb": verb, "group": "admissionregistration.k8s.io",
                "resource": "mutatingwebhookconfigurations", "name": name})
        };
        let review = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {
            "user": format!("system:serviceaccount:{name}:cotter"), "resourceAttributes": asked}});
        let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
        let reply = self.plane.request("POST", path, Some(&review));
        assert_eq!(reply.status, 201, "{}", reply.text());
        reply.json()["status"]["allowed"] == true
    }

    /// Installs the webhook configuration as a chart does.
    pub fn install(&self) {
        let made = self
            .plane
            .request("POST", WEBHOOKS, Some(&self.as_installed()));
        assert_eq!(made.status, 201, "{}", made.text());
    }

    pub fn as_installed(&self) -> Value {
        let hook = |name: &str, service: &str| {
            json!({
                "name": name, "clientConfig": {"service": {"name": service, "namespace": self.name}},
                "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]}],
                "namespaceSelector": {"matchLabels": {"nobody": "has"}}, "failurePolicy": "Ignore",
                "sideEffects": "None", "admissionReviewVersions": ["v1"],
            })
        };
        let hooks = [
            hook("pods.cotter.dev", "cotter"),
            hook("others.example.org", "another"),
            hook("workloads.cotter.dev", "cotter"),
        ];
        json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
            "metadata": {"name": self.name}, "webhooks": hooks})
    }

    pub fn configuration(&self) -> Value {
        self.plane.get(&self.configuration_path())
    }

    pub fn configuration_path(&self) -> String {
        format!("{WEBHOOKS}/{}", self.name)
    }

    /// A webhook's `caBundle` and path as they stand.
    pub fn hook(&self, index: usize) -> (String, String) {
        let config = self.configuration()["webhooks"][index]["clientConfig"].clone();
        let bundle = config["caBundle"].as_str().unwrap_or_default();
        let bundle = String::from_utf8(BASE64_STANDARD.decode(bundle).unwrap()).unwrap();
        let path = config["service"]["path"].as_str().unwrap_or_default();
        (bundle, path.to_owned())
    }

    /// Changes the webhook configuration by a JSON patch, as an administrator.
    pub fn edit(&self, operations: &Value) {
        let kind = "application/json-patch+json";
        let path = self.configuration_path();
        let reply = self
            .plane
            .send("PATCH", &path, kind, operations.to_string().as_bytes());
        assert_eq!(reply.status, 200, "{}", reply.text());
    }

    pub fn secret_path(&self) -> String {
        format!("/api/v1/namespaces/{}/secrets/cotter-trust", self.name)
    }

    /// The shared Secret, if there is one.
    pub fn secret(&self) -> Option<Value> {
        let reply = self.plane.request("GET", &self.secret_path(), None);
        (reply.status == 200).then(|| reply.json())
    }

    /// What the shared Secret holds under `key`; nothing where it does not.
    pub fn shared(&self, key: &str) -> String {
        let secret = self.secret().unwrap_or_default();
        let text = secret["data"][key].as_str().unwrap_or_default();
        String::from_utf8(BASE64_STANDARD.decode(text).unwrap()).unwrap()
    }

    /// Changes the shared Secret by a merge patch.
    pub fn edit_secret(&self, patch: &Value) {
        let reply = self.plane.send(
            "PATCH",
            &self.secret_path(),
            PATCH,
            patch.to_string().as_bytes(),
        );
        assert_eq!(reply.status, 200, "{}", reply.text());
    }

    pub fn delete(&self, path: &str) {
        let reply = self.plane.request("DELETE", path, None);
        assert_eq!(reply.status, 200, "{}", reply.text());
    }

    /// Starts a replica with more arguments.
    pub fn start(&self, more: &[&str]) -> Replica {
        self.start_as(&self.kubeconfig, more)
    }

    pub fn start_as(&self, kubeconfig: &Path, more: &[&str]) -> Replica {
        let scratch = Scratch::new("trust");
        let (port, ops) = (ports::free(), ports::free());
        let process = Program::new("cotter", env!("CARGO_BIN_EXE_cotter"))
            .args(["serve", "--kubeconfig"])
            .arg(kubeconfig)
            .args(["--namespace", &self.name, "--service", "cotter"])
            .args([
                "--webhook-configuration",
                &self.name,
                "--shutdown-delay",
                "0s",
            ])
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .args(["--ops", &format!("127.0.0.1:{ops}")])
            .args(more)
            .start(scratch.path());
        Replica {
            process,
            port,
            ops,
            _scratch: scratch,
        }
    }

    /// A replica that is ready.
    pub fn ready(&self, more: &[&str]) -> Replica {
        let mut replica = self.start(more);
        replica.wait_until_ready();
        replica
    }

    /// Calls a replica as the API server would for the webhook at `index`: the path's status.
    pub fn call(&self, replica: &Replica, index: usize) -> std::io::Result<Reply> {
        let (bundle, path) = self.hook(index);
        replica.post(&self.host(), &bundle, &path)
    }

    /// The name by which the API server calls.
    pub fn host(&self) -> String {
        format!("cotter.{}.svc", self.name)
    }

    /// Whether a call as the API server's is answered.
    pub fn is_answered(&self, replica: &Replica) -> bool {
        [0, 2].into_iter().all(|index| {
            self.call(replica, index)
                .is_ok_and(|reply| reply.status == 200)
        })
    }
}

impl Replica {
    pub fn wait_until_ready(&mut self) {
        let ops = self.ops;
        let asked = |_: &Process| (ops_page(ops, "/readyz").0 == 200).then_some(());
        self.process.ready(LIMIT, asked);
    }

    /// Where it listens.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Status and body of a page on the ops port.
    pub fn ops(&self, path: &str) -> (u16, String) {
        ops_page(self.ops, path)
    }

    /// The value of the metric whose line begins so.
    pub fn metric(&self, name: &str) -> f64 {
        let metrics = self.ops("/metrics").1;
        let line = metrics.lines().find(|line| line.starts_with(name));
        let value = line.and_then(|line| line.rsplit(' ').next());
        value.map_or(0.0, |value| value.parse().unwrap())
    }

    /// A review, sent to `path` by who trusts `bundle` and knows the server as `host`.
    pub fn post(&self, host: &str, bundle: &str, path: &str) -> std::io::Result<Reply> {
        self.send("POST", host, bundle, path)
    }

    pub fn send(
        &self,
        method: &str,
        host: &str,
        bundle: &str,
        path: &str,
    ) -> std::io::Result<Reply> {
        let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
            "uid": "1", "operation": "CREATE", "namespace": "default",
            "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "resource": {"group": "", "version": "v1", "resource": "pods"},
            "object": {"metadata": {}, "spec": {"containers": [{"name": "a", "image": "nginx"}]}}}});
        if !bundle.contains("BEGIN CERTIFICATE") {
            return Err(std::io::Error::other("no bundle"));
        }
        let to = self.address();
        let body = review.to_string();
        HttpClient::new(bundle)
            .at(&to)
            .send(method, host, path, &[], body.as_bytes())
    }
}

fn ops_page(port: u16, path: &str) -> (u16, String) {
    HttpClient::plain()
        .get(&format!("127.0.0.1:{port}"), path)
        .map_or((0, String::new()), |reply| (reply.status, reply.text()))
}

/// Waits until something has healed.
pub fn eventually<T>(what: &str, ask: impl FnMut() -> Option<T>) -> T {
    wait::until(what, LIMIT, ask)
}
