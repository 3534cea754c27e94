//! Control planes that the tests take turns at, and a release of the chart on it.

use std::{collections::BTreeSet, sync::MutexGuard, time::Duration};

use serde_json::{Value, json};

use crate::{
    helm::{CHART, NAMESPACE, helm_in},
    support::{
        control_plane::{ControlPlane, Shared, Turns},
        wait,
    },
};

const FOLLOW: Duration = Duration::from_secs(20);

/// A control plane for one test at a time: a release has cluster-scoped objects.
pub struct Bench {
    pub plane: Shared,
    _turn: MutexGuard<'static, ()>,
}

/// A release of the chart. Dropped, it is uninstalled.
pub struct Release<'b> {
    pub bench: &'b Bench,
    name: &'static str,
}

/// Ends a test that has to go without its parts.
macro_rules! bench {
    () => {{
        $crate::support::require!(
            "helm",
            "etcd",
            "kube-apiserver",
            "kube-controller-manager",
            "kubectl"
        );
        $crate::release::Bench::shared()
    }};
}
pub(crate) use bench;

impl Bench {
    pub fn shared() -> Self {
        static BENCHES: Turns<()> = Turns::new();
        let taken = BENCHES.take(prepare);
        Self {
            plane: taken.plane,
            _turn: taken.held,
        }
    }

    /// Runs helm in cotter's namespace.
    pub fn helm(&self, args: &[&str], values: &Value) -> crate::support::command::Outcome {
        helm_in(&self.plane, args, values)
    }

    /// `helm install cotter` with these values.
    pub fn install(&self, values: &Value) -> Release<'_> {
        let release = Release {
            bench: self,
            name: "cotter",
        };
        self.helm(&["install", "cotter", CHART], values).ok();
        release
    }

    /// A namespace with these labels; one that is there already is labelled anew.
    pub fn namespace(&self, name: &str, labels: &[(&str, &str)]) {
        let path = format!("/api/v1/namespaces/{name}");
        if self.plane.request("GET", &path, None).status == 404 {
            self.plane.namespace(name, labels);
        }
        let labels: Value = labels
            .iter()
            .map(|(key, value)| ((*key).to_owned(), json!(value)))
            .collect();
        let patch = json!({"metadata": {"labels": labels}}).to_string();
        let reply = self.plane.send(
            "PATCH",
            &path,
            "application/merge-patch+json",
            patch.as_bytes(),
        );
        assert_eq!(reply.status, 200, "{}", reply.text());
    }

    /// All objects of these kinds, as `kind/name` or `namespace/kind/name`.
    pub fn objects(&self, namespaced: bool) -> BTreeSet<String> {
        let flag = format!("--namespaced={namespaced}");
        let kinds = self
            .plane
            .kubectl(&["api-resources", "--verbs=list", &flag, "-o", "name"])
            .ok();
        // What comes and goes by itself.
        let passing = [
            "events",
            "leases",
            "componentstatuses",
            "apiservices",
            "endpointslices",
        ];
        let kinds: Vec<_> = kinds
            .lines()
            .filter(|kind| !passing.iter().any(|p| kind.starts_with(p)))
            .collect();
        let columns = "-o=custom-columns=NS:.metadata.namespace,KIND:.kind,NAME:.metadata.name";
        let all = self
            .plane
            .kubectl(&["get", &kinds.join(","), "-A", "--no-headers", columns])
            .ok();
        all.lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join("/"))
            .collect()
    }
}

/// The namespace of the release, and the kinds that operators of the same cluster bring.
fn prepare(plane: &ControlPlane) {
    plane.namespace(NAMESPACE, &[]);
    for name in ["shop", "till"] {
        plane.namespace(name, &[]);
    }
    let foreign = include_str!("foreign.yaml");
    plane.apply(foreign, &["--server-side"]).ok();
    wait::until("the kinds of other operators", FOLLOW, || {
        let wait = [
            "wait",
            "--for=condition=Established",
            "crd",
            "--all",
            "--timeout=1s",
        ];
        (plane.kubectl(&wait).code == 0).then_some(())
    });
}

impl Release<'_> {
    pub fn upgrade(&self, values: &Value) {
        self.bench.helm(&["upgrade", self.name, CHART], values).ok();
    }

    pub fn uninstall(&self) {
        self.bench
            .helm(&["uninstall", self.name, "--wait"], &Value::Null)
            .ok();
    }

    pub fn webhook(&self) -> Value {
        self.bench.plane.get(WEBHOOK)
    }

    /// The webhook configuration for Registry objects; nothing where there is none.
    pub fn registry_webhook(&self) -> Option<Value> {
        let reply = self.bench.plane.request("GET", REGISTRY_WEBHOOK, None);
        (reply.status == 200).then(|| reply.json())
    }

    /// Changes the webhook configurations as another field manager would.
    pub fn patch_webhook(&self, change: impl Fn(&mut Value)) {
        self.patch_webhooks(WEBHOOK, &self.webhook(), &change);
        if let Some(object) = self.registry_webhook() {
            self.patch_webhooks(REGISTRY_WEBHOOK, &object, &change);
        }
    }

    fn patch_webhooks(&self, path: &str, object: &Value, change: &impl Fn(&mut Value)) {
        let mut webhooks = object["webhooks"].clone();
        webhooks.as_array_mut().unwrap().iter_mut().for_each(change);
        let patch = json!({"webhooks": webhooks}).to_string();
        let path = format!("{path}?fieldManager=cotter");
        let reply = self.bench.plane.send(
            "PATCH",
            &path,
            "application/merge-patch+json",
            patch.as_bytes(),
        );
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
}

const WEBHOOK: &str = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/cotter";

const REGISTRY_WEBHOOK: &str =
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/cotter-registries";

impl Drop for Release<'_> {
    fn drop(&mut self) {
        self.bench.helm(
            &["uninstall", self.name, "--ignore-not-found"],
            &Value::Null,
        );
        // They stay by default, and the next test is to begin without.
        let definitions = ["registries.cotter.dev", "revisionpins.cotter.dev"];
        let gone = [&["delete", "crd", "--ignore-not-found"], &definitions[..]].concat();
        self.bench.plane.kubectl(&gone);
    }
}
