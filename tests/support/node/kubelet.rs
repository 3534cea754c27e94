//! The kubelet.

use serde_json::json;

use super::super::control_plane::ControlPlane;
use super::super::parts;
use super::super::process::{Process, Program};
use super::super::scratch::Scratch;
use super::{ADDRESS, NODE, containerd};

const CGROUP: &str = "/cotter-lab";

pub(super) fn start(scratch: &Scratch, plane: &ControlPlane) -> Process {
    let folder = scratch.path();
    let me = plane.server_identity(&[&ADDRESS.to_string(), NODE]);
    scratch.write("ca.pem", plane.ca());
    scratch.write("kubelet.pem", &me.cert);
    scratch.write("kubelet.key", &me.key);
    scratch.write("resolv.conf", "");
    let kubeconfig = plane.kubeconfig_for(&format!("system:node:{NODE}"), &["system:nodes"]);
    let config = scratch.write("kubelet.json", config(scratch).to_string());
    Program::new("kubelet", parts::program("kubelet"))
        .arg("--kubeconfig")
        .arg(kubeconfig)
        .arg("--config")
        .arg(config)
        .arg(format!("--root-dir={}/kubelet", folder.display()))
        .arg(format!("--cert-dir={}/pki", folder.display()))
        .arg(format!("--hostname-override={NODE}"))
        .arg(format!("--node-ip={ADDRESS}"))
        .start(folder)
}

fn config(scratch: &Scratch) -> serde_json::Value {
    let file = |name: &str| scratch.path().join(name);
    json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
        "address": ADDRESS, "healthzPort": 0,
        "containerRuntimeEndpoint": format!("unix://{}", containerd::socket(scratch)),
        "tlsCertFile": file("kubelet.pem"), "tlsPrivateKeyFile": file("kubelet.key"),
        "authentication": {"anonymous": {"enabled": false}, "x509": {"clientCAFile": file("ca.pem")}},
        "authorization": {"mode": "Webhook"},
        "failCgroupV1": false, "cgroupDriver": "cgroupfs", "cgroupRoot": CGROUP,
        "makeIPTablesUtilChains": false, "failSwapOn": false,
        "resolvConf": file("resolv.conf"), "podLogsDir": file("pods"), "staticPodPath": "",
        // A machine that is short of disk would evict Pods that no test has asked about.
        "evictionHard": {"memory.available": "0%", "nodefs.available": "0%", "nodefs.inodesFree": "0%", "imagefs.available": "0%"},
        "imageGCHighThresholdPercent": 100,
        "nodeStatusUpdateFrequency": "1s", "nodeLeaseDurationSeconds": 4,
        // Tests wait for the kubelet's next look at a Pod's Secrets and ConfigMaps.
        "syncFrequency": "10s", "serializeImagePulls": false,
    })
}
