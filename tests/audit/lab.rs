//! One control plane and one registry for all tests; each has namespaces of its own.

use std::{
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::{Value, json};

use crate::support::{
    command::{self, Outcome},
    control_plane::{ControlPlane, NEEDS, Shared},
    image::{Artifact, Image},
    parts,
    registry_part::{ALICE, Registry},
    scratch::Scratch,
};

/// What all tests share. Tests that use it run one after the other.
pub struct Lab {
    pub plane: Shared,
    pub registry: MutexGuard<'static, Registry>,
    config: PathBuf,
    folder: Scratch,
}

/// A namespace of a test's own.
pub struct Namespace<'a> {
    pub lab: &'a Lab,
    pub name: String,
}

/// What an audit said.
pub struct Said {
    pub code: i32,
    pub report: Value,
    pub stderr: String,
}

/// Ends a test that has to go without its parts.
macro_rules! lab {
    () => {{
        fn here() {}
        if !$crate::lab::parts_are_here(std::any::type_name_of_val(&here)) {
            return;
        }
        $crate::lab::Lab::shared()
    }};
}
pub(crate) use lab;

pub fn parts_are_here(test: &str) -> bool {
    let parts: Vec<_> = NEEDS.iter().copied().chain(["registry"]).collect();
    parts::are_here(test, &parts)
}

impl Lab {
    pub fn shared() -> Self {
        static REGISTRY: OnceLock<Mutex<Registry>> = OnceLock::new();
        let plane = ControlPlane::shared();
        let registry = REGISTRY.get_or_init(|| Mutex::new(seeded(Registry::token())));
        let registry = registry.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = Scratch::new("audit");
        let config = folder.write("cotter.yaml", config(&registry, ""));
        Self {
            plane,
            registry,
            config,
            folder,
        }
    }

    /// A namespace with these labels.
    pub fn namespace(&self, labels: &[(&str, &str)]) -> Namespace<'_> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("audit-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.plane.namespace(&name, labels);
        Namespace { lab: self, name }
    }

    /// `127.0.0.1:port/rest`
    pub fn image(&self, rest: &str) -> String {
        self.registry.image(rest)
    }

    /// A pull secret's content for alice.
    pub fn alice(&self) -> String {
        self.registry.docker_config(ALICE.0, ALICE.1)
    }

    /// Runs `cotter audit` as the administrator.
    pub fn cotter(&self, args: &[&str]) -> Outcome {
        self.cotter_as(self.plane.kubeconfig(), args)
    }

    /// Runs `cotter audit` with this kubeconfig.
    pub fn cotter_as(&self, kubeconfig: &Path, args: &[&str]) -> Outcome {
        let (config, kubeconfig) = (self.config.to_string_lossy(), kubeconfig.to_string_lossy());
        let all = ["audit", "--config", &config, "--kubeconfig", &kubeconfig];
        let all: Vec<_> = all.into_iter().chain(args.iter().copied()).collect();
        run(&all, self.folder.path())
    }
}

impl Namespace<'_> {
    /// Creates an object in this namespace.
    pub fn create(&self, api: &str, plural: &str, object: &Value) {
        let path = format!("{api}/namespaces/{}/{plural}", self.name);
        let made = self.lab.plane.request("POST", &path, Some(object));
        assert_eq!(made.status, 201, "{}", made.text());
    }

    /// A bare Pod with one container that runs `image_id`.
    pub fn pod(&self, name: &str, image: &str, secrets: &[&str], image_id: &str) {
        let secrets: Vec<_> = secrets.iter().map(|name| json!({"name": name})).collect();
        let spec =
            json!({"containers": [{"name": "app", "image": image}], "imagePullSecrets": secrets});
        let pod =
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec});
        self.create("/api/v1", "pods", &pod);
        if !image_id.is_empty() {
            self.runs(name, image, image_id);
        }
    }

    /// Writes into a Pod's status what its container runs, as a kubelet would.
    pub fn runs(&self, pod: &str, image: &str, image_id: &str) {
        let path = format!("/api/v1/namespaces/{}/pods/{pod}/status", self.name);
        let container = json!({"name": "app", "image": image, "imageID": image_id, "ready": true,
            "restartCount": 0, "started": true, "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}});
        let status = json!({"status": {"phase": "Running", "containerStatuses": [container]}});
        let merge = "application/merge-patch+json";
        let body = status.to_string();
        let written = self.lab.plane.send("PATCH", &path, merge, body.as_bytes());
        assert_eq!(written.status, 200, "{}", written.text());
    }

    pub fn secret(&self, name: &str, config: &str) {
        self.lab.plane.pull_secret(&self.name, name, config);
    }

    /// An audit of this namespace as JSON.
    pub fn audit(&self, more: &[&str]) -> Said {
        let args = ["-n", &self.name, "-o", "json"];
        let args: Vec<_> = args.into_iter().chain(more.iter().copied()).collect();
        Said::of(self.lab.cotter(&args))
    }
}

impl Said {
    pub fn of(outcome: Outcome) -> Self {
        let report = serde_json::from_str(&outcome.stdout);
        Self {
            code: outcome.code,
            report: report.unwrap_or_else(|e| panic!("{e}: {}{}", outcome.stdout, outcome.stderr)),
            stderr: outcome.stderr,
        }
    }

    /// Kind, and what it is about, of each finding.
    pub fn findings(&self) -> Vec<(&str, &str)> {
        let all = self.report["findings"].as_array().unwrap().iter();
        all.map(|finding| {
            let text = |member: &str| finding[member].as_str();
            (
                text("kind").unwrap(),
                text("secret").or(text("workload")).unwrap(),
            )
        })
        .collect()
    }

    /// The image of a workload.
    pub fn image(&self, workload: &str) -> &Value {
        let images = self.report["images"].as_array().unwrap();
        let found = images.iter().find(|image| image["workload"] == workload);
        found.unwrap_or_else(|| panic!("{workload} not in {}", self.report))
    }
}

/// Runs the built program in `folder`, with no environment of the caller's.
pub fn run(args: &[&str], folder: &Path) -> Outcome {
    command::run(
        Path::new(env!("CARGO_BIN_EXE_cotter")),
        args,
        &[],
        folder,
        b"",
    )
}

/// `cotter.yaml` for the registry, and whatever else stands in `more`.
pub fn config(registry: &Registry, more: &str) -> String {
    let ca = registry.ca_file();
    let auth = registry.auth_host().unwrap();
    let hosts = json!([
        {"host": registry.host(), "caFile": ca, "allowPrivate": true, "authHosts": [auth]},
        {"host": auth, "caFile": ca, "allowPrivate": true},
    ]);
    // JSON is YAML, as long as no tab stands in it.
    format!("registries: {hosts}\n{more}\n")
}

/// The two builds of `acme/app`; `dev` means the new one, an index of two platforms.
pub fn old() -> Artifact {
    Image::new("old").build()
}

pub fn new() -> Artifact {
    let platforms = ["amd64", "arm64"];
    let images = platforms.map(|name| Image::new("new").architecture(name).build());
    Artifact::index(images.to_vec(), &[])
}

fn seeded(registry: Registry) -> Registry {
    registry.push("acme/app", &old(), &["old"]);
    registry.push("acme/app", &new(), &["dev"]);
    registry.push("public/app", &Image::new("public").build(), &["dev", "v1"]);
    registry.push("bytequester/app", &Image::new("lower").build(), &["dev"]);
    registry
}
