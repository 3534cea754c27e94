//! cotter of this build as a process that has exactly what the chart gives its Pod: the environment of the rendered
//! Deployment, and the rights of the rendered ServiceAccount.

use std::{path::PathBuf, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::{
    helm::NAMESPACE,
    release::Release,
    support::{
        http_client::HttpClient,
        ports,
        process::{Process, Program},
        scratch::Scratch,
    },
};

const START: Duration = Duration::from_secs(30);

pub struct Cotter {
    pub process: Process,
    port: u16,
    ops: u16,
    scratch: Scratch,
}

impl Cotter {
    /// Starts it for an installed release, waits until it is ready, and lets the API server call it.
    pub fn start(release: &Release<'_>) -> Self {
        let scratch = Scratch::new("chart");
        let plane = &release.bench.plane;
        let path = format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments/cotter");
        let deployment = plane.get(&path);
        let path = format!("/api/v1/namespaces/{NAMESPACE}/configmaps/cotter");
        let config = plane.get(&path)["data"]["cotter.yaml"].clone();
        scratch.write("cotter.yaml", config.as_str().unwrap());
        let (port, ops) = (ports::free(), ports::free());
        let container = &deployment["spec"]["template"]["spec"]["containers"][0];
        let args = container["args"].as_array().unwrap();
        let mut program = Program::new("cotter", env!("CARGO_BIN_EXE_cotter"))
            .args(args.iter().map(|arg| arg.as_str().unwrap()))
            .args(["--config", "cotter.yaml", "--certificates", "local"])
            .env("COTTER_LISTEN", format!("127.0.0.1:{port}"))
            .env("COTTER_OPS", format!("127.0.0.1:{ops}"))
            .env("COTTER_KUBECONFIG", kubeconfig(release, &scratch));
        for variable in container["env"].as_array().unwrap() {
            let name = variable["name"].as_str().unwrap();
            if [
                "COTTER_CERTIFICATES",
                "COTTER_CONFIG_MAP",
                "COTTER_WEBHOOK_CONFIGURATION",
            ]
            .contains(&name)
            {
                continue;
            }
            program = program.env(name, value_of(variable));
        }
        let process = program.start(scratch.path());
        let mut cotter = Self {
            process,
            port,
            ops,
            scratch,
        };
        cotter.wait_until_ready();
        let ca = std::fs::read_to_string(cotter.scratch.path().join("certs/ca.pem")).unwrap();
        let (url, bundle) = (
            format!("https://127.0.0.1:{}/mutate", cotter.port),
            BASE64_STANDARD.encode(ca),
        );
        release.patch_webhook(|webhook| {
            webhook["clientConfig"] = json!({"service": null, "url": url, "caBundle": bundle});
        });
        cotter
    }

    fn wait_until_ready(&mut self) {
        let address = format!("127.0.0.1:{}", self.ops);
        self.process.ready(START, |_| {
            let reply = HttpClient::plain().get(&address, "/readyz").ok()?;
            (reply.status == 200).then_some(())
        });
    }

    /// What `/readyz?verbose` says.
    pub fn readyz(&self) -> String {
        let address = format!("127.0.0.1:{}", self.ops);
        HttpClient::plain()
            .get(&address, "/readyz?verbose")
            .unwrap()
            .text()
    }
}

/// What the kubelet would put into the environment.
fn value_of(variable: &Value) -> String {
    let of_pod = match variable["valueFrom"]["fieldRef"]["fieldPath"].as_str() {
        Some("metadata.namespace") => Some(NAMESPACE),
        Some("metadata.name") => Some("cotter-7d4b9c-x2x4z"),
        _ => None,
    };
    of_pod.or(variable["value"].as_str()).unwrap().to_owned()
}

/// A kubeconfig of the release's ServiceAccount.
fn kubeconfig(release: &Release<'_>, scratch: &Scratch) -> PathBuf {
    let plane = &release.bench.plane;
    let token = plane
        .kubectl(&["-n", NAMESPACE, "create", "token", "cotter"])
        .ok();
    let cluster = json!({"server": format!("https://{}", plane.host()), "certificate-authority-data": BASE64_STANDARD.encode(plane.ca())});
    let content = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "pod",
        "clusters": [{"name": "here", "cluster": cluster}],
        "users": [{"name": "cotter", "user": {"token": token.trim()}}],
        "contexts": [{"name": "pod", "context": {"cluster": "here", "user": "cotter"}}],
    });
    scratch.write("pod.kubeconfig", content.to_string())
}
