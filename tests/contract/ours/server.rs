//! cotter as a process without a cluster, once for each policy that the reviews are answered under.

use std::sync::OnceLock;
use std::time::Duration;

use serde_json::{Value, json};

use super::registry::{Registry, auth};
use crate::support::http_client::{HttpClient, Reply};
use crate::support::ports;
use crate::support::process::{Process, Program};
use crate::support::scratch::Scratch;
use crate::support::wait;

const START: Duration = Duration::from_secs(30);

/// The namespace that the pull secrets are in.
pub const SHOP: &str = "shop";

/// How a cotter was told to answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Way {
    /// Pods are changed, failures are warnings.
    Enforce,
    /// Pods are changed, failures deny.
    Strict,
    /// Nothing is changed.
    Audit,
}

pub const WAYS: [Way; 3] = [Way::Enforce, Way::Strict, Way::Audit];

pub struct Servers {
    pub registry: Registry,
    enforce: Cotter,
    strict: Cotter,
    audit: Cotter,
}

pub struct Cotter {
    client: HttpClient,
    host: String,
    // Held to be stopped.
    _process: Process,
    _scratch: Scratch,
}

impl Servers {
    pub fn get() -> &'static Self {
        static SERVERS: OnceLock<Servers> = OnceLock::new();
        SERVERS.get_or_init(|| {
            let registry = Registry::start();
            let start = |way| Cotter::start(&registry, way);
            Self {
                enforce: start(Way::Enforce),
                strict: start(Way::Strict),
                audit: start(Way::Audit),
                registry,
            }
        })
    }

    pub fn of(&self, way: Way) -> &Cotter {
        match way {
            Way::Enforce => &self.enforce,
            Way::Strict => &self.strict,
            Way::Audit => &self.audit,
        }
    }
}

impl Cotter {
    fn start(registry: &Registry, way: Way) -> Self {
        let scratch = Scratch::new("contract");
        let ca_file = scratch.write("registry.pem", registry.ca.pem());
        let host = |host: &str| json!({"host": host, "caFile": ca_file, "allowPrivate": true});
        let policy = if way == Way::Strict {
            "strict"
        } else {
            "standard"
        };
        // JSON is YAML.
        let config = json!({"defaultPolicy": policy, "registries": [host(&registry.host()), host(&registry.down)],
            "resolve": {"timeout": "2s"}});
        scratch.write("cotter.yaml", config.to_string());
        scratch.write("secrets.json", secrets(&registry.host()).to_string());
        let (port, ops) = (ports::free(), ports::free());
        let mode = if way == Way::Audit {
            "audit"
        } else {
            "enforce"
        };
        let mut process = Program::new("cotter", env!("CARGO_BIN_EXE_cotter"))
            .args(["serve", "--standalone", "--config", "cotter.yaml"])
            .args(["--pull-secrets", "secrets.json", "--mode", mode])
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .args(["--ops", &format!("127.0.0.1:{ops}")])
            .start(scratch.path());
        let plain = HttpClient::plain();
        process.ready(START, |_| {
            let reply = plain.get(&format!("127.0.0.1:{ops}"), "/readyz").ok()?;
            (reply.status == 200).then_some(())
        });
        let ca = scratch.path().join("certs/ca.pem");
        let ca = wait::until("the CA", START, || std::fs::read_to_string(&ca).ok());
        Self {
            client: HttpClient::new(&ca),
            host: format!("127.0.0.1:{port}"),
            _process: process,
            _scratch: scratch,
        }
    }

    /// Sends what the API server sends.
    pub fn review(&self, review: &Value) -> Reply {
        let headers = [
            ("Content-Type", "application/json"),
            ("Accept", "application/json, */*"),
        ];
        let body = escaped(review);
        self.send("POST", "/mutate?timeout=10s", &headers, body.as_bytes())
    }

    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let sent = self.client.send(method, &self.host, path, headers, body);
        sent.expect("an answer")
    }
}

/// As Go's encoder writes it.
fn escaped(review: &Value) -> String {
    let text = review.to_string();
    let text = text.replace('<', "\\u003c").replace('>', "\\u003e");
    text.replace('&', "\\u0026")
}

/// Two secrets of which one matches the registry and one does not, one that nothing can be read from.
fn secrets(host: &str) -> Value {
    let secret = |name: &str, content: String| {
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": SHOP},
            "type": "kubernetes.io/dockerconfigjson", "stringData": {".dockerconfigjson": content}})
    };
    let config = |host: &str| json!({"auths": {host: {"auth": auth()}}}).to_string();
    let items = [
        secret("alice", config(&format!("{host}/private"))),
        secret("elsewhere", config("registry.example.com")),
        secret("broken", "no JSON".to_owned()),
    ];
    json!({"apiVersion": "v1", "kind": "List", "items": items})
}
