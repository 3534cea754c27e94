//! One control plane, one registry of each kind and one cotter for most tests; others start their own.

use std::{
    path::Path,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};

pub use crate::pods::{annotation, docker_config, one, pinned, secrets};
use crate::support::{
    control_plane::{ControlPlane, MutatingWebhook, NEEDS, Shared, Turn, Turns},
    http_client::HttpClient,
    image::{Artifact, Image},
    parts, ports,
    process::{Process, Program},
    registry_part::{ALICE, Registry},
    scratch::Scratch,
    tcp_proxy::TcpProxy,
    wait,
};

const START: Duration = Duration::from_secs(30);

/// The 40 figures that the tests' CI gives to its commit.
pub const SHA: &str = "c6cd88ef7de43520f6e95fcb87e6f2452b45edd4";

/// Whether all parts are here; if not, the test is reported as skipped.
pub fn parts_are_here(test: &str) -> bool {
    let parts: Vec<_> = NEEDS.iter().copied().chain(["registry", "crane"]).collect();
    parts::are_here(test, &parts)
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

/// What most tests share.
pub struct Lab {
    pub plane: Shared,
    pub tokens: &'static Registry,
    pub cotter: &'static Cotter,
    _turn: MutexGuard<'static, ()>,
}

/// A cotter of this build, as a process.
pub struct Cotter {
    process: Mutex<Process>,
    port: u16,
    ops: u16,
    scratch: Scratch,
    more: Vec<String>,
    env: Vec<(String, String)>,
}

impl Lab {
    /// A lab of this test program. Tests at the same one run one after the other.
    pub fn shared() -> Self {
        static LABS: Turns<(Registry, Cotter)> = Turns::new();
        let taken = LABS.take(|plane| {
            let tokens = seeded(Registry::token());
            let cotter = Cotter::start(plane, &config(&[&tokens], ""));
            (tokens, cotter)
        });
        let Turn {
            plane,
            beside: (tokens, cotter),
            held,
        } = taken;
        Self {
            plane,
            tokens,
            cotter,
            _turn: held,
        }
    }

    /// A namespace of this mode and policy that the shared cotter is called for.
    pub fn namespace(&self, labels: &[(&str, &str)]) -> Namespace<'_> {
        self.namespace_for(self.cotter, labels)
    }

    /// An opted-in namespace.
    pub fn enforced(&self) -> Namespace<'_> {
        self.namespace(&[("cotter.dev/mode", "enforce")])
    }

    /// A namespace that another cotter is called for.
    pub fn namespace_for(&self, cotter: &Cotter, labels: &[(&str, &str)]) -> Namespace<'_> {
        let name = unique("ns");
        self.plane.namespace(&name, labels);
        self.called(cotter, &name)
    }

    /// A namespace that is there already, and that this cotter is called for from now on.
    pub fn called(&self, cotter: &Cotter, name: &str) -> Namespace<'_> {
        let mut webhook = cotter.webhook(name, &[name]);
        webhook.failure_policy = "Fail";
        self.plane.install_webhook(&webhook);
        let namespace = Namespace {
            plane: &self.plane,
            name: name.to_owned(),
        };
        namespace.wait_until_called();
        namespace
    }

    /// `127.0.0.1:port/rest` of the token registry.
    pub fn image(&self, rest: &str) -> String {
        self.tokens.image(rest)
    }

    /// A pull secret's content for alice.
    pub fn alice(&self) -> String {
        self.tokens.docker_config(ALICE.0, ALICE.1)
    }
}

/// A registry with the images of the tests.
pub fn seeded(registry: Registry) -> Registry {
    let app = |seed: &str| {
        Image::new(seed)
            .label("org.opencontainers.image.revision", SHA)
            .build()
    };
    let dev = app("app");
    registry.push("acme/app", &dev, &["dev", SHA, "sha-c6cd88e"]);
    let platforms = vec![
        Image::new("x").build(),
        Image::new("y").architecture("arm64").build(),
    ];
    let index = Artifact::index(platforms, &[]);
    registry.crane_push("public/tool", &index, "latest");
    registry.push("public/app", &Image::new("public").build(), &["dev", "v1"]);
    registry.push("acme/data", &Image::new("data").build(), &["dev"]);
    registry.push("beta/app", &Image::new("beta").build(), &["dev"]);
    registry.push("shared/app", &Image::new("shared").build(), &["dev"]);
    let old = Image::new("old")
        .label("org.label-schema.vcs-ref", SHA)
        .build();
    registry.push("public/old", &old, &["dev", "sha-c6cd88e"]);
    registry
}

/// `cotter.yaml` for these registries and whatever else stands in `more`.
pub fn config(registries: &[&Registry], more: &str) -> String {
    let hosts = registries
        .iter()
        .map(|registry| host_entry(registry, registry.host()));
    json_config(hosts.flatten().collect(), more)
}

/// The same for a registry with a mirror.
pub fn mirrored(registry: &Registry, mirror: &Registry) -> String {
    let mut entries = host_entry(registry, registry.host());
    entries[0]["mirrors"] = json!([mirror.host()]);
    entries.extend(host_entry(mirror, mirror.host()));
    json_config(entries, "")
}

/// The same for a registry that is reached through a proxy.
pub fn config_through(registry: &Registry, proxy: &TcpProxy, more: &str) -> String {
    json_config(host_entry(registry, &proxy.host()), more)
}

fn host_entry(registry: &Registry, host: &str) -> Vec<Value> {
    let ca = registry.ca_file();
    let mut entries = vec![json!({"host": host, "caFile": ca, "allowPrivate": true})];
    if let Some(auth) = registry.auth_host() {
        entries[0]["authHosts"] = json!([auth]);
        entries.push(json!({"host": auth, "caFile": ca, "allowPrivate": true}));
    }
    entries
}

// JSON is YAML, as long as no tab stands in it.
fn json_config(hosts: Vec<Value>, more: &str) -> String {
    format!("registries: {}\n{more}\n", Value::from(hosts))
}

/// A name that no other test has.
pub fn unique(what: &str) -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("{what}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

impl Cotter {
    /// A cotter that watches this control plane, ready.
    pub fn start(plane: &ControlPlane, config: &str) -> Self {
        Self::start_with(plane, config, &[])
    }

    /// The same with more options.
    pub fn start_with(plane: &ControlPlane, config: &str, more: &[&str]) -> Self {
        Self::start_in(plane, config, more, &[])
    }

    /// The same with variables of the environment.
    pub fn start_in(
        plane: &ControlPlane,
        config: &str,
        more: &[&str],
        env: &[(&str, &str)],
    ) -> Self {
        let scratch = Scratch::new("cotter");
        scratch.write("cotter.yaml", config);
        let options = [&["--config", "cotter.yaml"], more].concat();
        let cotter = Self::of(scratch, plane.kubeconfig(), &options, env);
        cotter.wait_until_ready();
        cotter
    }

    /// A cotter with these rights and options. It may not be ready yet.
    pub fn with(kubeconfig: &Path, more: &[&str]) -> Self {
        Self::of(Scratch::new("cotter"), kubeconfig, more, &[])
    }

    fn of(scratch: Scratch, kubeconfig: &Path, more: &[&str], env: &[(&str, &str)]) -> Self {
        let (port, ops) = (ports::free(), ports::free());
        let more: Vec<String> = more.iter().map(|&arg| arg.to_owned()).collect();
        let own = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        let env: Vec<_> = env.iter().map(own).collect();
        Self {
            process: Mutex::new(Self::launch(&scratch, kubeconfig, &more, &env, port, ops)),
            port,
            ops,
            scratch,
            more,
            env,
        }
    }

    fn launch(
        scratch: &Scratch,
        kubeconfig: &Path,
        more: &[String],
        env: &[(String, String)],
        port: u16,
        ops: u16,
    ) -> Process {
        let program = Program::new("cotter", env!("CARGO_BIN_EXE_cotter"));
        let with = |program: Program, (name, value): &(String, String)| program.env(name, value);
        env.iter()
            .fold(program, with)
            .args(["serve", "--log-format", "text", "--kubeconfig"])
            .arg(kubeconfig)
            .args(more)
            .args([
                "--listen",
                &format!("127.0.0.1:{port}"),
                "--ops",
                &format!("127.0.0.1:{ops}"),
            ])
            .start(scratch.path())
    }

    /// Starts it again after it was stopped, on the same ports with the same certificates.
    pub fn start_again(&self, plane: &ControlPlane) {
        *self.process() = Self::launch(
            &self.scratch,
            plane.kubeconfig(),
            &self.more,
            &self.env,
            self.port,
            self.ops,
        );
        self.wait_until_ready();
    }

    pub fn wait_until_ready(&self) {
        let ready = |_: &Process| (self.ops("/readyz").0 == 200).then_some(());
        self.process().ready(START, ready);
    }

    pub fn process(&self) -> MutexGuard<'_, Process> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Status and body of a page on the ops port.
    pub fn ops(&self, path: &str) -> (u16, String) {
        HttpClient::plain()
            .get(&format!("127.0.0.1:{}", self.ops), path)
            .map_or((0, String::new()), |reply| (reply.status, reply.text()))
    }

    /// The value of a metric with these labels.
    pub fn metric(&self, name: &str) -> f64 {
        let metrics = self.ops("/metrics").1;
        let line = metrics.lines().find(|line| line.starts_with(name));
        let value = line.and_then(|line| line.rsplit(' ').next());
        value.map_or(0.0, |value| value.parse().unwrap())
    }

    pub fn log(&self) -> String {
        self.process().log()
    }

    /// Where it answers, and the authority to trust.
    pub fn address(&self) -> (String, String) {
        let ca = std::fs::read_to_string(self.scratch.path().join("certs/ca.pem")).unwrap();
        (format!("127.0.0.1:{}", self.port), ca)
    }

    /// A webhook configuration that calls it for these namespaces.
    pub fn webhook(&self, name: &str, namespaces: &[&str]) -> MutatingWebhook {
        let (host, ca) = self.address();
        let url = format!("https://{host}/mutate");
        MutatingWebhook::new(name, &url, &ca, namespaces)
    }
}

/// A namespace of a test's own.
pub struct Namespace<'a> {
    plane: &'a ControlPlane,
    pub name: String,
}

/// What came of a request: the object that the API server answered, and its warnings.
pub struct Made {
    pub status: u16,
    pub object: Value,
    pub warnings: Vec<String>,
}

impl Namespace<'_> {
    /// The API server takes a moment to see a new webhook configuration: a Pod that only cotter changes tells.
    pub fn wait_until_called(&self) {
        let webhook = format!(
            "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/{}",
            self.name
        );
        self.plane.get(&webhook);
        // The API server's own informer has it within this time (measured: 20 to 60 ms).
        std::thread::sleep(Duration::from_millis(300));
    }

    /// Creates a Pod of this spec; `more` is put behind the path: `?dryRun=All`.
    pub fn create(&self, metadata: &Value, spec: &Value, more: &str) -> Made {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec});
        self.send("POST", &format!("pods{more}"), &pod)
    }

    pub fn send(&self, method: &str, path: &str, object: &Value) -> Made {
        let path = format!("/api/v1/namespaces/{}/{path}", self.name);
        let reply = self.plane.request(method, &path, Some(object));
        Made {
            status: reply.status,
            warnings: reply.headers("warning"),
            object: reply.json(),
        }
    }

    /// Creates a Pod with one container; the image that was stored.
    pub fn pin(&self, image: &str) -> String {
        let made = self.run(image);
        made.image().to_owned()
    }

    /// Creates a Pod with one container.
    pub fn run(&self, image: &str) -> Made {
        let made = self.create(&json!({"generateName": "p-"}), &one(image), "");
        assert_eq!(made.status, 201, "{}", made.object);
        made
    }

    pub fn secret(&self, name: &str, config: &str) {
        self.plane.pull_secret(&self.name, name, config);
    }

    /// kubectl in this namespace.
    pub fn kubectl(&self, args: &[&str], input: &str) -> crate::support::command::Outcome {
        let args: Vec<&str> = ["-n", &self.name]
            .into_iter()
            .chain(args.iter().copied())
            .collect();
        self.plane.kubectl_as(self.plane.kubeconfig(), &args, input)
    }

    pub fn pod(&self, name: &str) -> Value {
        self.plane.pod(&self.name, name)
    }
}

impl Made {
    /// The image of the first container.
    pub fn image(&self) -> &str {
        self.object["spec"]["containers"][0]["image"]
            .as_str()
            .unwrap()
    }

    /// The names in `imagePullSecrets`.
    pub fn secrets(&self) -> Vec<&str> {
        secrets(&self.object)
    }

    /// Panics unless a warning holds this text.
    pub fn warns(&self, text: &str) {
        assert!(
            self.warnings.iter().any(|w| w.contains(text)),
            "{text:?} not in {:#?}",
            self.warnings
        );
    }

    /// The API server's message, of a request that it refused.
    pub fn message(&self) -> &str {
        self.object["message"].as_str().unwrap_or_default()
    }
}

/// Waits until the watched state has followed.
pub fn eventually<T>(what: &str, ask: impl FnMut() -> Option<T>) -> T {
    wait::until(what, Duration::from_secs(20), ask)
}
