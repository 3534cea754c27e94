//! cotter in the lab: its image into the registry, its chart by helm.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::super::command::{self, Outcome};
use super::super::parts;
use super::Lab;

/// Where cotter is installed.
pub const NAMESPACE: &str = "cotter-system";
/// The ConfigMap with the authority of the lab's registry, which is a file in cotter's Pods.
const REGISTRY_CA: &str = "lab-registry";
const REPOSITORY: &str = "public/cotter";

/// The image that `make image` wrote.
pub fn layout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/image")
}

pub fn chart() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("charts/cotter")
}

impl Lab {
    /// Pushes what `make image` wrote under this tag, and gives its digest.
    pub fn push_cotter(&self, tag: &str) -> String {
        let image = self.registry.image(&format!("{REPOSITORY}:{tag}"));
        let layout = layout();
        self.registry
            .crane(&["push", &layout.to_string_lossy(), &image])
            .ok();
        self.registry.digest(REPOSITORY, tag)
    }

    /// The values with which the chart fits the lab.
    pub fn values(&self, tag: &str) -> Value {
        let host = self.registry.host();
        json!({
            "image": {"repository": self.registry.image(REPOSITORY), "tag": tag},
            "registryCAs": [{"configMap": {"name": REGISTRY_CA}}],
            "config": {"registries": [{"host": host, "caFile": "/etc/cotter/ca/registry.pem", "allowPrivate": true}]},
        })
    }

    /// Installs cotter, and waits until its replicas are ready.
    pub fn install_cotter(&self, values: &Value) {
        self.plane.namespace(NAMESPACE, &[]);
        let ca = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": REGISTRY_CA},
            "data": {"registry.pem": self.registry.ca()}});
        let path = format!("/api/v1/namespaces/{NAMESPACE}/configmaps");
        let made = self.plane.request("POST", &path, Some(&ca));
        assert_eq!(made.status, 201, "{}", made.text());
        self.helm_with(&["install"], values).ok();
    }

    /// Changes the release to these values, and waits until its replicas are ready.
    pub fn upgrade_cotter(&self, values: &Value) {
        self.helm_with(&["upgrade"], values).ok();
    }

    fn helm_with(&self, verb: &[&str], values: &Value) -> Outcome {
        let values = self.scratch.write("values.json", values.to_string());
        let (values, chart) = (values.to_string_lossy(), chart());
        let chart = chart.to_string_lossy();
        let rest = [
            "cotter",
            &chart,
            "--values",
            &values,
            "--wait",
            "--timeout",
            "90s",
        ];
        self.helm(&[verb, &rest].concat())
    }

    /// Runs helm in cotter's namespace.
    pub fn helm(&self, args: &[&str]) -> Outcome {
        let kubeconfig = self.plane.kubeconfig().to_string_lossy();
        let env = [("KUBECONFIG", &*kubeconfig)];
        let args = [&["--namespace", NAMESPACE], args].concat();
        command::run(&parts::program("helm"), &args, &env, self.folder(), b"")
    }
}
