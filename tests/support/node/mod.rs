//! A Kubernetes with a real node: containerd and a kubelet beside the control plane, and a registry, in a sandbox without
//! an uplink. Needs root on Linux; one a machine.
//!
//! A program that wants a [`Lab`] runs itself again inside the sandbox: [`sandbox::enter`].

mod behind;
mod containerd;
pub mod install;
mod machine;
mod registry;
pub mod sandbox;
mod services;
pub mod vendors;

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use super::control_plane::{self, ControlPlane};
use super::process::Process;
use super::scratch::Scratch;
use super::wait;
use containerd::Containerd;
use machine::Site;

pub use machine::Node;
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

/// The address of the first node, on a bridge of the sandbox: the API server and the registry have it too.
pub const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 88, 1, 1);
const API_PORT: u16 = 6443;
/// Of all nodes; each has a /24 of it.
const POD_CIDR: &str = "10.88.2.0/23";
const READY: Duration = Duration::from_mins(1);

pub struct Lab {
    /// Stopped in this order.
    services: Vec<Process>,
    node: Node,
    pub registry: LabRegistry,
    pub plane: ControlPlane,
    scratch: Scratch,
}

impl Lab {
    /// Starts everything; returns when the node is ready. Only inside the sandbox.
    pub fn start() -> Self {
        assert!(sandbox::inside(), "a lab needs its sandbox");
        let scratch = Scratch::new("lab");
        let registry = LabRegistry::start();
        let (plane, containerd) = std::thread::scope(|scope| {
            let containerd = scope.spawn(|| Containerd::start(Site::first(), &registry));
            let plane = ControlPlane::start_at(&control_plane::Site::of_node(ADDRESS, API_PORT));
            (plane, containerd.join().expect("containerd"))
        });
        let node = Node::join(containerd, &plane);
        let services = services::start(&scratch, &plane);
        let lab = Self {
            services,
            node,
            registry,
            plane,
            scratch,
        };
        lab.wait_until_ready(lab.node.name());
        // A Pod needs one, and the node does not wait for it.
        let account = "/api/v1/namespaces/default/serviceaccounts/default";
        wait::until("the default service account", READY, || {
            (lab.plane.request("GET", account, None).status == 200).then_some(())
        });
        lab
    }

    /// The folder that goes with the lab; its logs are in it.
    pub fn folder(&self) -> &Path {
        self.scratch.path()
    }

    pub fn node(&self) -> &Node {
        &self.node
    }

    /// One more node, ready.
    pub fn second_node(&self) -> Node {
        let containerd = Containerd::start(Site::second(), &self.registry);
        let node = Node::join(containerd, &self.plane);
        self.wait_until_ready(node.name());
        node
    }

    /// Takes a node out of the cluster: what ran on it is forgotten.
    pub fn remove_node(&self, node: Node) {
        self.plane.kubectl(&["delete", "node", node.name()]).ok();
        drop(node);
    }

    fn wait_until_ready(&self, node: &str) {
        let path = format!("/api/v1/nodes/{node}");
        wait::until("the node to be ready", READY, || {
            let node = self.plane.request("GET", &path, None);
            let node = (node.status == 200).then(|| node.json())?;
            let conditions = node["status"]["conditions"].as_array()?;
            let ready = conditions
                .iter()
                .any(|one| one["type"] == "Ready" && one["status"] == "True");
            ready.then_some(())
        });
    }
}
