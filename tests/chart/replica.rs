//! cotter of this build as a process that has exactly what the chart gives its Pod: the environment of the rendered
//! Deployment, the rights of the rendered ServiceAccount, and the rendered Service as the name by which it is called.

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
        wait,
    },
};

const START: Duration = Duration::from_secs(30);

pub struct Replica {
    pub process: Process,
    ops: u16,
    _scratch: Scratch,
}

impl Replica {
    /// Starts it for an installed release.
    pub fn start(release: &Release<'_>) -> Self {
        let scratch = Scratch::new("chart");
        let plane = &release.bench.plane;
        let path = format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments/cotter");
        let deployment = plane.get(&path);
        let container = &deployment["spec"]["template"]["spec"]["containers"][0];
        let (port, ops) = (ports::free(), ports::free());
        reach(release, port);
        let args = container["args"].as_array().unwrap().iter();
        let mut program = Program::new("cotter", env!("CARGO_BIN_EXE_cotter"))
            .args(args.map(|arg| arg.as_str().unwrap()))
            .env("COTTER_LISTEN", format!("127.0.0.1:{port}"))
            .env("COTTER_OPS", format!("127.0.0.1:{ops}"))
            .env("COTTER_KUBECONFIG", kubeconfig(release, &scratch));
        for variable in container["env"].as_array().unwrap() {
            program = program.env(variable["name"].as_str().unwrap(), value_of(variable));
        }
        let process = program.start(scratch.path());
        Self {
            process,
            ops,
            _scratch: scratch,
        }
    }

    /// The same, when it is ready and called.
    pub fn serving(release: &Release<'_>) -> Self {
        let mut replica = Self::start(release);
        let ops = replica.ops;
        replica
            .process
            .ready(START, |_| (readyz(ops).0 == 200).then_some(()));
        replica
    }
}

fn readyz(ops: u16) -> (u16, String) {
    let reply = HttpClient::plain().get(&format!("127.0.0.1:{ops}"), "/readyz?verbose");
    reply.map_or((0, String::new()), |reply| (reply.status, reply.text()))
}

/// Without a kube-proxy nobody reaches the Service's address. An `ExternalName` is dialled in its place, under the same name
/// and with the same certificate, and at the port that the webhook names.
fn reach(release: &Release<'_>, port: u16) {
    let path = format!("/api/v1/namespaces/{NAMESPACE}/services/cotter");
    let external = json!({"spec": {"type": "ExternalName", "externalName": "127.0.0.1", "clusterIP": null, "clusterIPs": null}});
    let patch = external.to_string();
    let kind = "application/merge-patch+json";
    let reply = release
        .bench
        .plane
        .send("PATCH", &path, kind, patch.as_bytes());
    assert_eq!(reply.status, 200, "{}", reply.text());
    release.patch_webhook(|webhook| webhook["clientConfig"]["service"]["port"] = port.into());
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
    let create = ["-n", NAMESPACE, "create", "token", "cotter"];
    let token = wait::until("a token", START, || {
        let made = plane.kubectl(&create);
        (made.code == 0).then_some(made.stdout)
    });
    let cluster = json!({"server": format!("https://{}", plane.host()), "certificate-authority-data": BASE64_STANDARD.encode(plane.ca())});
    let content = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "pod",
        "clusters": [{"name": "here", "cluster": cluster}],
        "users": [{"name": "cotter", "user": {"token": token.trim()}}],
        "contexts": [{"name": "pod", "context": {"cluster": "here", "user": "cotter"}}],
    });
    scratch.write("pod.kubeconfig", content.to_string())
}
