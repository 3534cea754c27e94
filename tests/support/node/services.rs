//! The scheduler, and what makes Services reachable.

use super::super::control_plane::ControlPlane;
use super::super::parts;
use super::super::process::{Process, Program};
use super::super::scratch::Scratch;
use super::POD_CIDR;

pub(super) fn start(scratch: &Scratch, plane: &ControlPlane) -> Vec<Process> {
    vec![scheduler(scratch, plane), proxy(scratch, plane)]
}

fn scheduler(scratch: &Scratch, plane: &ControlPlane) -> Process {
    let kubeconfig = plane.kubeconfig_for("system:kube-scheduler", &[]);
    Program::new("kube-scheduler", parts::program("kube-scheduler"))
        .arg(format!("--kubeconfig={}", kubeconfig.display()))
        .args([
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
            "--cert-dir=.",
        ])
        .start(scratch.path())
}

fn proxy(scratch: &Scratch, plane: &ControlPlane) -> Process {
    let kubeconfig = plane.kubeconfig_for("system:kube-proxy", &[]);
    Program::new("kube-proxy", parts::program("kube-proxy"))
        .arg(format!("--kubeconfig={}", kubeconfig.display()))
        .arg("--hostname-override=node1")
        .arg(format!("--cluster-cidr={POD_CIDR}"))
        // The machine's limit of connections is not ours to set.
        .args(["--proxy-mode=nftables", "--conntrack-max-per-core=0"])
        .start(scratch.path())
}
