//! Where a person sits: a folder with a configuration, a prompt, and a registry that behaves.

use std::path::Path;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::{
    oci_registry::OciRegistry,
    support::{
        command::{self, Outcome},
        scratch::Scratch,
    },
};

pub const SHA: &str = "c6cd88ef7de43520f6e95fcb87e6f2452b45edd4";
pub const REVISION: &str = "org.opencontainers.image.revision";

/// Passwords of the tests; no output may hold one.
const PASSWORDS: [&str; 4] = ["wonderland", "looking-glass", "rabbit-hole", "builder"];

pub struct Desk {
    pub registry: OciRegistry,
    pub scratch: Scratch,
}

impl Desk {
    /// With a registry that alice may pull `team/app` and `team/data` from, and everybody `public/app`.
    pub async fn new() -> Self {
        let registry = OciRegistry::start().await;
        registry.add_user("alice", "wonderland", &["team/app", "team/data"]);
        registry.make_public("public/app");
        let scratch = Scratch::new("asking");
        let ca = scratch.write("ca.pem", registry.ca_pem());
        let hosts = json!([{"host": registry.host(), "caFile": ca, "allowPrivate": true}]);
        // JSON is YAML.
        scratch.write("cotter.yaml", json!({"registries": hosts}).to_string());
        Self { registry, scratch }
    }

    pub fn image(&self, rest: &str) -> String {
        format!("{}/{rest}", self.registry.host())
    }

    /// Writes manifests of pull secrets: a name, and what it holds for which keys.
    pub fn secrets(&self, secrets: &[(&str, &[Entry<'_>])]) {
        let all = secrets.iter().map(|(name, entries)| {
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "shop"},
                "type": "kubernetes.io/dockerconfigjson",
                "data": {".dockerconfigjson": BASE64_STANDARD.encode(docker_config(entries))}})
            .to_string()
        });
        let all: Vec<_> = all.collect();
        self.scratch.write("secrets.yaml", all.join("\n---\n"));
    }

    /// Alice's secret for the registry.
    pub fn alice(&self) {
        let host = self.registry.host();
        self.secrets(&[("ghcr", &[(host.as_str(), "alice", "wonderland")])]);
    }

    /// Runs cotter with the configuration and the secrets of this desk.
    pub fn cotter(&self, args: &[&str]) -> Outcome {
        let more = ["--config", "cotter.yaml", "--pull-secrets", "secrets.yaml"];
        let args: Vec<&str> = args.iter().copied().chain(more).collect();
        self.run(&args, &[])
    }

    /// Runs cotter with what is given here and nothing else.
    pub fn run(&self, args: &[&str], env: &[(&str, &str)]) -> Outcome {
        run(self.scratch.path(), args, env)
    }

    /// The JSON document that it prints, and its exit code.
    pub fn json(&self, args: &[&str]) -> (Value, i32) {
        let args: Vec<&str> = args.iter().copied().chain(["-o", "json"]).collect();
        let Outcome {
            code,
            stdout,
            stderr,
        } = self.cotter(&args);
        let document = serde_json::from_str(&stdout);
        (
            document.unwrap_or_else(|e| panic!("{e}: {stdout}{stderr}")),
            code,
        )
    }
}

/// A key, a user and a password.
pub type Entry<'a> = (&'a str, &'a str, &'a str);

pub fn docker_config(entries: &[Entry<'_>]) -> String {
    let auths = entries.iter().map(|(key, user, password)| {
        let auth = BASE64_STANDARD.encode(format!("{user}:{password}"));
        ((*key).to_owned(), json!({"auth": auth}))
    });
    let auths: serde_json::Map<String, Value> = auths.collect();
    json!({"auths": auths}).to_string()
}

/// Runs cotter in a folder. Servers of the test go on meanwhile; no password may be printed.
pub fn run(folder: &Path, args: &[&str], env: &[(&str, &str)]) -> Outcome {
    let program = Path::new(env!("CARGO_BIN_EXE_cotter"));
    let outcome = tokio::task::block_in_place(|| command::run(program, args, env, folder, b""));
    for password in PASSWORDS {
        let encoded = BASE64_STANDARD.encode(format!("alice:{password}"));
        for secret in [password, encoded.as_str()] {
            let shown = outcome.stdout.contains(secret) || outcome.stderr.contains(secret);
            assert!(!shown, "{}{}", outcome.stdout, outcome.stderr);
        }
    }
    outcome
}
