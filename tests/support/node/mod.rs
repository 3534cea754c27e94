//! A Kubernetes with a real node: containerd and a kubelet beside the control plane, and a registry, in a sandbox without
//! an uplink. Needs root on Linux; one a machine.
//!
//! A program that wants a [`Lab`] runs itself again inside the sandbox: [`sandbox::enter`].

mod containerd;
pub mod install;
mod kubelet;
mod registry;
pub mod sandbox;
mod services;

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::control_plane::{ControlPlane, Site};
use super::process::Process;
use super::scratch::Scratch;
use super::wait;

pub use registry::{ADMIN, ALICE, BOB, LabRegistry, waiting};

/// The parts that a [`Lab`] starts, for `require!`.
pub const PARTS: [&str; 14] = [
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kube-proxy",
    "kubelet",
    "kubectl",
    "containerd",
    "containerd-shim-runc-v2",
    "ctr",
    "registry",
    "crane",
    "helm",
    "pause",
];

/// The node's only address, on a bridge of the sandbox: the API server, the kubelet and the registry have it too.
pub const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 88, 1, 1);
pub const NODE: &str = "node1";
const API_PORT: u16 = 6443;
const POD_CIDR: &str = "10.88.2.0/24";
const READY: Duration = Duration::from_mins(1);

pub struct Lab {
    /// Stopped in this order.
    kubelet: Mutex<Process>,
    services: Vec<Process>,
    containerd: Process,
    pub registry: LabRegistry,
    pub plane: ControlPlane,
    scratch: Scratch,
}

impl Lab {
    /// Starts everything; returns when the node is ready. Only inside the sandbox.
    pub fn start() -> Self {
        assert!(sandbox::inside(), "a lab needs its sandbox");
        let scratch = Scratch::new("node");
        let registry = LabRegistry::start();
        let (plane, containerd) = std::thread::scope(|scope| {
            let containerd = scope.spawn(|| containerd::start(&scratch, &registry));
            let plane = ControlPlane::start_at(&Site::of_node(ADDRESS, API_PORT));
            (plane, containerd.join().expect("containerd"))
        });
        let kubelet = Mutex::new(kubelet::start(&scratch, &plane));
        let services = services::start(&scratch, &plane);
        let lab = Self {
            kubelet,
            services,
            containerd,
            registry,
            plane,
            scratch,
        };
        lab.wait_until_ready();
        lab
    }

    /// The folder that goes with the lab; its logs are in it.
    pub fn folder(&self) -> &Path {
        self.scratch.path()
    }

    /// The kubelet, to be stopped.
    pub fn kubelet(&self) -> MutexGuard<'_, Process> {
        self.kubelet.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the kubelet again after it was stopped; returns when the node is ready.
    pub fn restart_kubelet(&self) {
        *self.kubelet() = kubelet::start(&self.scratch, &self.plane);
        self.wait_until_ready();
    }

    pub fn node_is_ready(&self) -> bool {
        let path = format!("/api/v1/nodes/{NODE}");
        let node = self.plane.request("GET", &path, None);
        node.status == 200
            && node.json()["status"]["conditions"]
                .as_array()
                .is_some_and(|conditions| {
                    conditions
                        .iter()
                        .any(|one| one["type"] == "Ready" && one["status"] == "True")
                })
    }

    fn wait_until_ready(&self) {
        self.kubelet()
            .ready(READY, |_| self.node_is_ready().then_some(()));
        // A Pod needs both, and the node does not wait for them.
        let account = "/api/v1/namespaces/default/serviceaccounts/default";
        wait::until("the default service account", READY, || {
            (self.plane.request("GET", account, None).status == 200).then_some(())
        });
    }
}
