//! etcd, kube-apiserver and kube-controller-manager: a Kubernetes without nodes.

mod audit;
mod kubeconfig;
mod objects;
mod start;
mod turns;

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

use super::ca::{Ca, Identity};
use super::command::{self, Outcome};
use super::http_client::HttpClient;
use super::parts;
use super::process::Process;
use super::scratch::Scratch;

pub use objects::MutatingWebhook;
pub use start::Site;
pub use turns::{Turn, Turns};

/// The programs that [`ControlPlane`] needs, for `require!`.
pub const NEEDS: [&str; 4] = [
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kubectl",
];

pub struct ControlPlane {
    host: String,
    ca: Ca,
    admin: HttpClient,
    kubeconfig: PathBuf,
    /// Stopped in this order.
    controller_manager: Mutex<Process>,
    api_server: Mutex<Process>,
    etcd: Mutex<Process>,
    scratch: Scratch,
}

/// The control plane that all tests of one program share; shows its log when the test that holds this fails.
pub struct Shared(&'static ControlPlane);

impl ControlPlane {
    /// One of the test's own, for tests that stop or break it.
    pub fn start() -> Self {
        start::all(&Site::alone())
    }

    /// One of the test's own whose API server has these flags, too.
    pub fn start_with(flags: &[String]) -> Self {
        start::all(&Site::alone().with(flags))
    }

    /// One with this address, for a node to join.
    pub fn start_at(site: &Site) -> Self {
        start::all(site)
    }

    /// The one that this test program shares. It is stopped when the program ends.
    pub fn shared() -> Shared {
        static SHARED: OnceLock<ControlPlane> = OnceLock::new();
        Shared(SHARED.get_or_init(Self::start))
    }

    /// `127.0.0.1:port` of the API server.
    pub fn host(&self) -> &str {
        &self.host
    }

    pub fn ca(&self) -> &str {
        self.ca.pem()
    }

    /// A certificate of the cluster's authority for a server of these names and addresses.
    pub fn server_identity(&self, names: &[&str]) -> Identity {
        self.ca.server(names)
    }

    /// The kubeconfig of an administrator.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// The folder that goes when the control plane goes.
    pub fn folder(&self) -> &Path {
        self.scratch.path()
    }

    /// Runs kubectl as administrator.
    pub fn kubectl(&self, args: &[&str]) -> Outcome {
        self.kubectl_as(&self.kubeconfig, args, "")
    }

    /// Runs kubectl with this kubeconfig and this standard input.
    pub fn kubectl_as(&self, kubeconfig: &Path, args: &[&str], input: &str) -> Outcome {
        let kubeconfig = format!("--kubeconfig={}", kubeconfig.display());
        let cache = format!("--cache-dir={}", self.folder().join("kubectl").display());
        let args: Vec<&str> = [kubeconfig.as_str(), cache.as_str()]
            .into_iter()
            .chain(args.iter().copied())
            .collect();
        command::run(
            &parts::program("kubectl"),
            &args,
            &[],
            self.folder(),
            input.as_bytes(),
        )
    }

    /// `kubectl apply` of these manifests, with more arguments, as administrator.
    pub fn apply(&self, manifests: &str, more: &[&str]) -> Outcome {
        let args: Vec<&str> = ["apply", "-f", "-"]
            .into_iter()
            .chain(more.iter().copied())
            .collect();
        self.kubectl_as(&self.kubeconfig, &args, manifests)
    }

    /// Stops the controller manager: nothing but the API server acts from then on.
    pub fn stop_controllers(&self) {
        self.controller_manager
            .lock()
            .expect("one test at a time")
            .stop();
    }

    /// Does something with the API server's process, such as a signal.
    pub fn api_server<T>(&self, act: impl FnOnce(&mut Process) -> T) -> T {
        act(&mut self.api_server.lock().expect("one test at a time"))
    }

    /// Stops the API server, waits, and starts it again with the same data.
    pub fn restart_api_server(&self, while_away: impl FnOnce()) {
        self.api_server(|process| {
            process.stop();
            while_away();
            *process = start::api_server_again(self);
        });
    }
}

impl Shared {
    /// The control plane for as long as the program runs.
    pub fn plane(&self) -> &'static ControlPlane {
        self.0
    }
}

impl Deref for Shared {
    type Target = ControlPlane;

    fn deref(&self) -> &ControlPlane {
        self.0
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        for process in [&self.0.api_server, &self.0.controller_manager] {
            if let Ok(process) = process.try_lock() {
                process.show_log_of_failure();
            }
        }
    }
}
