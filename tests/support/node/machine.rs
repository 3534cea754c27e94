//! A node: containerd and a kubelet.

use std::net::Ipv4Addr;

use serde_json::json;

use super::super::control_plane::ControlPlane;
use super::super::image::Artifact;
use super::super::parts;
use super::super::process::{Process, Program};
use super::ADDRESS;
use super::containerd::Containerd;

/// What nodes have to have of their own, since they share a machine.
pub(super) struct Site {
    pub(super) name: &'static str,
    pub(super) address: Ipv4Addr,
    /// The addresses of its Pods.
    pub(super) pods: &'static str,
}

impl Site {
    pub(super) fn first() -> Self {
        Self {
            name: "node1",
            address: ADDRESS,
            pods: "10.88.2.0/24",
        }
    }

    pub(super) fn second() -> Self {
        Self {
            name: "node2",
            address: Ipv4Addr::new(10, 88, 1, 2),
            pods: "10.88.3.0/24",
        }
    }
}

pub struct Node {
    /// Stopped in this order.
    kubelet: Process,
    containerd: Containerd,
}

impl Node {
    /// Starts the kubelet; the node is ready some seconds later.
    pub(super) fn join(containerd: Containerd, plane: &ControlPlane) -> Self {
        let Containerd { site, scratch, .. } = &containerd;
        let me = plane.server_identity(&[&site.address.to_string(), site.name]);
        scratch.write("ca.pem", plane.ca());
        scratch.write("kubelet.pem", &me.cert);
        scratch.write("kubelet.key", &me.key);
        scratch.write("resolv.conf", "");
        let folder = scratch.path();
        let user = format!("system:node:{}", site.name);
        let kubeconfig = plane.kubeconfig_for(&user, &["system:nodes"]);
        let config = scratch.write("kubelet.json", config(&containerd).to_string());
        let kubelet = Program::new("kubelet", parts::program("kubelet"))
            .arg("--kubeconfig")
            .arg(kubeconfig)
            .arg("--config")
            .arg(config)
            // It looks for the mount point of its folder by the whole path.
            .arg(format!("--root-dir={}", folder.join("kubelet").display()))
            .arg(format!("--cert-dir={}", folder.join("pki").display()))
            .arg(format!("--hostname-override={}", site.name))
            .arg(format!("--node-ip={}", site.address))
            .start(folder);
        Self {
            kubelet,
            containerd,
        }
    }

    pub fn name(&self) -> &'static str {
        self.containerd.site.name
    }

    /// Stops the kubelet: the node is lost, what runs on it goes on.
    pub fn stop_kubelet(&mut self) {
        self.kubelet.kill();
    }

    /// From now on images of `host` are pulled from `server`, whose certificate is of this CA.
    pub(super) fn trust(&self, host: &str, server: &str, ca: &str) {
        self.containerd.trust(host, server, ca);
    }

    /// Puts an image on the node under this name, without any registry.
    pub fn side_load(&self, image: &Artifact, name: &str) {
        self.containerd.side_load(image, name);
    }
}

fn config(containerd: &Containerd) -> serde_json::Value {
    let site = &containerd.site;
    let file = |name: &str| containerd.scratch.path().join(name);
    json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
        "address": site.address, "healthzPort": 0,
        "containerRuntimeEndpoint": format!("unix://{}", containerd.socket()),
        "tlsCertFile": file("kubelet.pem"), "tlsPrivateKeyFile": file("kubelet.key"),
        "authentication": {"anonymous": {"enabled": false}, "x509": {"clientCAFile": file("ca.pem")}},
        "authorization": {"mode": "Webhook"},
        "failCgroupV1": false, "cgroupDriver": "cgroupfs", "cgroupRoot": format!("/cotter-lab/{}", site.name),
        "makeIPTablesUtilChains": false, "failSwapOn": false,
        "resolvConf": file("resolv.conf"), "podLogsDir": file("pods"), "staticPodPath": "",
        // A machine that is short of disk would evict Pods that no test has asked about.
        "evictionHard": {"memory.available": "0%", "nodefs.available": "0%", "nodefs.inodesFree": "0%", "imagefs.available": "0%"},
        "imageGCHighThresholdPercent": 100,
        "nodeStatusUpdateFrequency": "1s", "nodeLeaseDurationSeconds": 4,
        "serializeImagePulls": false,
    })
}
