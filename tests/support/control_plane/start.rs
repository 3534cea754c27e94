//! The three programs and their flags.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::json;

use super::super::ca::Ca;
use super::super::http_client::HttpClient;
use super::super::process::{Process, Program};
use super::super::scratch::Scratch;
use super::super::{parts, ports};
use super::{ControlPlane, kubeconfig};

const START: Duration = Duration::from_mins(1);
// Nothing of it is kept, so nothing has to be written down before the end.
const NO_GRACE: Duration = Duration::ZERO;

/// Where the API server is reached, and whether nodes come.
pub struct Site {
    address: Ipv4Addr,
    port: u16,
    nodes: bool,
    flags: Vec<String>,
}

impl Site {
    /// On a free port of this machine, without nodes.
    pub fn alone() -> Self {
        Self {
            address: Ipv4Addr::LOCALHOST,
            port: ports::free(),
            nodes: false,
            flags: Vec::new(),
        }
    }

    /// On this address of a node, which Pods reach by the Service `kubernetes`.
    pub fn of_node(address: Ipv4Addr, port: u16) -> Self {
        Self {
            address,
            port,
            nodes: true,
            flags: Vec::new(),
        }
    }

    /// The same, and its API server has these flags, too.
    pub fn with(self, flags: &[String]) -> Self {
        Self {
            flags: flags.to_vec(),
            ..self
        }
    }
}

pub(super) fn all(site: &Site) -> ControlPlane {
    let scratch = Scratch::new("kubernetes");
    let ca = Ca::new("kubernetes");
    let etcd_port = ports::free();
    let host = format!("{}:{}", site.address, site.port);
    write_files(&scratch, &ca, site);
    let etcd = etcd(&scratch, etcd_port);
    let admin = ca.client("admin", &["system:masters"]);
    let kubeconfig = kubeconfig::write(&scratch, "admin", &host, ca.pem(), &admin);
    let admin = HttpClient::with_identity(ca.pem(), &admin);
    scratch.write(
        "api-server.args",
        api_server_args(site, etcd_port).join("\n"),
    );
    let api_server = api_server(&scratch, &admin, &host);
    let controller_manager = controller_manager(&scratch, &ca, &host, site);
    ControlPlane {
        host,
        ca,
        admin,
        kubeconfig,
        controller_manager: Mutex::new(controller_manager),
        api_server: Mutex::new(api_server),
        etcd: Mutex::new(etcd),
        scratch,
    }
}

pub(super) fn api_server_again(plane: &ControlPlane) -> Process {
    api_server(&plane.scratch, &plane.admin, &plane.host)
}

fn write_files(scratch: &Scratch, ca: &Ca, site: &Site) {
    let server = ca.server(&[
        &site.address.to_string(),
        "127.0.0.1",
        "localhost",
        "kubernetes.default.svc",
        "10.96.0.1",
    ]);
    // The API server takes its public key from a certificate, and refuses an EC key in PKCS #8 in that place.
    let accounts = ca.client("service-accounts", &[]);
    let kubelets = ca.client("kube-apiserver", &["system:masters"]);
    for (name, content) in [
        ("ca.pem", ca.pem()),
        ("server.pem", &server.cert),
        ("server.key", &server.key),
        ("accounts.pem", &accounts.cert),
        ("accounts.key", &accounts.key),
        ("kubelet-client.pem", &kubelets.cert),
        ("kubelet-client.key", &kubelets.key),
    ] {
        scratch.write(name, content);
    }
    scratch.write("audit-policy.yaml", audit_policy().to_string());
}

// Level Request for Pods: only there is a webhook's patch among the annotations.
fn audit_policy() -> serde_json::Value {
    let changes = json!(["create", "update", "patch", "delete"]);
    json!({"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"], "rules": [
        {"level": "None", "users": ["system:apiserver"]},
        {"level": "Request", "verbs": changes, "resources": [{"group": "", "resources": ["pods", "pods/ephemeralcontainers"]}]},
        {"level": "Metadata", "verbs": changes, "resources": [{"group": ""}, {"group": "apps"}, {"group": "batch"}]},
        {"level": "None"},
    ]})
}

fn etcd(scratch: &Scratch, port: u16) -> Process {
    let client = format!("http://127.0.0.1:{port}");
    let peer = format!("http://127.0.0.1:{}", ports::free());
    let program = Program::new("etcd", parts::program("etcd"))
        .grace(NO_GRACE)
        .args([
            "--data-dir=etcd",
            "--unsafe-no-fsync",
            "--log-level=warn",
            &format!("--listen-client-urls={client}"),
            &format!("--advertise-client-urls={client}"),
            &format!("--listen-peer-urls={peer}"),
            &format!("--initial-advertise-peer-urls={peer}"),
            &format!("--initial-cluster=default={peer}"),
        ]);
    let mut process = program.start(scratch.path());
    process.ready(START, |_| {
        std::net::TcpStream::connect(("127.0.0.1", port)).ok()
    });
    process
}

fn api_server_args(site: &Site, etcd_port: u16) -> Vec<String> {
    let mut args: Vec<String> = [
        "--cert-dir=.",
        "--tls-cert-file=server.pem",
        "--tls-private-key-file=server.key",
        "--client-ca-file=ca.pem",
        "--authorization-mode=Node,RBAC",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-account-key-file=accounts.pem",
        "--service-account-signing-key-file=accounts.key",
        "--service-cluster-ip-range=10.96.0.0/24",
        "--audit-policy-file=audit-policy.yaml",
        "--audit-log-path=audit.log",
        "--audit-log-mode=blocking",
        // Leave a stopped API server's connections no time: tests wait for it.
        "--shutdown-delay-duration=0s",
    ]
    .map(str::to_owned)
    .into();
    if site.nodes {
        args.extend(
            [
                "--bind-address=0.0.0.0",
                "--kubelet-preferred-address-types=InternalIP",
                "--kubelet-certificate-authority=ca.pem",
                "--kubelet-client-certificate=kubelet-client.pem",
                "--kubelet-client-key=kubelet-client.key",
            ]
            .map(str::to_owned),
        );
    } else {
        args.push(format!("--bind-address={}", site.address));
        args.push("--endpoint-reconciler-type=none".to_owned());
    }
    args.push(format!("--advertise-address={}", site.address));
    args.push(format!("--secure-port={}", site.port));
    args.push(format!("--etcd-servers=http://127.0.0.1:{etcd_port}"));
    args.extend_from_slice(&site.flags);
    args
}

fn api_server(scratch: &Scratch, admin: &HttpClient, host: &str) -> Process {
    let args =
        std::fs::read_to_string(scratch.path().join("api-server.args")).expect("written above");
    let program = Program::new("kube-apiserver", parts::program("kube-apiserver"));
    let mut process = program
        .args(args.lines())
        .grace(NO_GRACE)
        .start(scratch.path());
    process.ready(START, |_| {
        admin
            .get(host, "/readyz")
            .ok()
            .filter(|reply| reply.status == 200)
    });
    process
}

fn controller_manager(scratch: &Scratch, ca: &Ca, host: &str, site: &Site) -> Process {
    let me = ca.client("system:kube-controller-manager", &[]);
    let kubeconfig: PathBuf = kubeconfig::write(scratch, "controller-manager", host, ca.pem(), &me);
    let program = Program::new(
        "kube-controller-manager",
        parts::program("kube-controller-manager"),
    );
    // A node that has gone is noticed in seconds.
    let gone: &[&str] = if site.nodes {
        &["--node-monitor-period=1s", "--node-monitor-grace-period=5s"]
    } else {
        &[]
    };
    let program = program.grace(NO_GRACE).args(gone).args([
        &format!("--kubeconfig={}", kubeconfig.display()),
        &format!("--secure-port={}", ports::free()),
        "--bind-address=127.0.0.1",
        "--cert-dir=.",
        "--leader-elect=false",
        "--use-service-account-credentials=true",
        "--service-account-private-key-file=accounts.key",
        "--root-ca-file=ca.pem",
        "--flex-volume-plugin-dir=flex",
        // Without a cloud there is nothing for the others to do.
        "--controllers=*,-nodeipam,-node-route-controller,-cloud-node-lifecycle-controller,-ttl-controller",
    ]);
    program.start(scratch.path())
}
