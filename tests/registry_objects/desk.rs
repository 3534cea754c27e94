//! A person at a desk: a home directory, a cluster with the kind Registry, a registry, and perhaps a cotter that looks after them.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    home::Home,
    lab::{Cotter, config, eventually, seeded, unique},
    support::{
        command::Outcome,
        control_plane::{ControlPlane, Shared},
        moto,
        registry_part::{ALICE, Registry},
        token_server::Grant,
    },
};

/// Another user who may pull what alice may.
pub const ANNA: (&str, &str) = ("anna", "looking-glass");

const REGISTRIES: &str = "/apis/cotter.dev/v1alpha1/registries";

pub struct Desk {
    pub plane: Shared,
    pub registry: Registry,
    pub home: Home,
    /// Of the test's own: the name of the Registry, and cotter's namespace.
    pub name: String,
    pub own: String,
    config: String,
    /// A cotter looks after all Registries of a cluster, so these tests take turns.
    _turn: MutexGuard<'static, ()>,
}

/// Ends a test that has to go without its parts.
macro_rules! desk {
    () => {{
        fn here() {}
        if !$crate::lab::parts_are_here(std::any::type_name_of_val(&here)) {
            return;
        }
        $crate::desk::Desk::new()
    }};
}
pub(crate) use desk;

impl Desk {
    pub fn new() -> Self {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let plane = ControlPlane::shared();
        let definitions = cotter::cli::crd::definitions().unwrap();
        plane.apply(&definitions, &["--server-side"]).ok();
        let established = [
            "wait",
            "--for=condition=Established",
            "--timeout=20s",
            "crd/registries.cotter.dev",
        ];
        plane.kubectl(&established).ok();
        let pull = |user| Grant::new(user, "acme/", &["pull"]);
        let grants = vec![pull(ALICE.0), pull(ANNA.0), pull(moto::LOGIN.0)];
        let registry = seeded(Registry::with_tokens(&[ALICE, ANNA, moto::LOGIN], grants));
        let home = Home::new();
        let config = home.write("cotter.yaml", config(&[&registry], ""));
        let own = unique("own");
        plane.namespace(&own, &[]);
        Self {
            name: unique("registry"),
            plane,
            registry,
            home,
            own,
            config,
            _turn: turn,
        }
    }

    /// A cotter that looks after Registries.
    pub fn cotter(&self) -> Cotter {
        let more = [
            "--registries",
            "--namespace",
            &self.own,
            "--pod-name",
            "cotter-0",
        ];
        Cotter::start_with(&self.plane, &config(&[&self.registry], ""), &more)
    }

    /// A cotter that guards a Registry, and the namespace where the Pod `web` needs it.
    pub fn in_use(&self) -> (Cotter, String) {
        let cotter = self.cotter();
        let shop = self.namespace("shop");
        self.add(&["--namespaces", &shop]).ok();
        self.pod(&shop, "web");
        self.guard(&cotter);
        (cotter, shop)
    }

    pub fn namespace(&self, name: &str) -> String {
        let name = format!("{}-{name}", self.own);
        self.plane.namespace(&name, &[]);
        name
    }

    /// What goes behind each command.
    pub fn cluster(&self) -> Vec<&str> {
        let kubeconfig = self.plane.kubeconfig().to_str().unwrap();
        vec!["--kubeconfig", kubeconfig, "--cotter-namespace", &self.own]
    }

    /// `cotter registry …` with this on stdin.
    pub fn run(&self, args: &[&str], stdin: &str) -> Outcome {
        self.run_as(self.plane.kubeconfig(), args, stdin)
    }

    pub fn run_as(&self, kubeconfig: &Path, args: &[&str], stdin: &str) -> Outcome {
        self.home.cotter(&self.words(kubeconfig, args), stdin)
    }

    /// The same with a variable of the environment, `NAME=VALUE`.
    pub fn run_with(&self, variable: &str, args: &[&str], stdin: &str) -> Outcome {
        let words = self.words(self.plane.kubeconfig(), args);
        let line = [&[variable, crate::home::COTTER][..], &words].concat();
        self.home.run(Path::new("env"), &line, stdin.as_bytes())
    }

    fn words<'a>(&'a self, kubeconfig: &'a Path, args: &[&'a str]) -> Vec<&'a str> {
        let mut line = vec!["registry"];
        line.extend(args);
        line.extend(["--kubeconfig", kubeconfig.to_str().unwrap()]);
        if args[0] != "list" && !args.contains(&"--cotter-namespace") {
            line.extend(["--cotter-namespace", &*self.own]);
        }
        if matches!(args[0], "add" | "rotate" | "test") {
            line.extend(["--config", &*self.config]);
        }
        line
    }

    /// The same, and the one document that it prints.
    pub fn json(&self, args: &[&str], stdin: &str) -> (Value, i32) {
        let line = [args, &["-o", "json"]].concat();
        let Outcome {
            code,
            stdout,
            stderr,
        } = self.run(&line, stdin);
        let document = serde_json::from_str(&stdout);
        (
            document.unwrap_or_else(|_| panic!("{stdout}{stderr}")),
            code,
        )
    }

    /// A line for a shell at a terminal.
    pub fn line(&self, args: &str) -> String {
        let kubeconfig = self.plane.kubeconfig().display();
        let (cotter, own, config) = (crate::home::COTTER, &self.own, &self.config);
        format!(
            "{cotter} registry {args} --kubeconfig {kubeconfig} --cotter-namespace {own} --config {config}"
        )
    }

    /// `add` of a Registry for alice, without waiting.
    pub fn add(&self, more: &[&str]) -> Outcome {
        let host = self.registry.host().to_owned();
        let own = [
            "add",
            &self.name,
            "--type",
            "custom",
            "--host",
            &host,
            "--username",
            ALICE.0,
            "--password-stdin",
            "--probe",
            "acme/app:dev",
            "--yes",
        ];
        self.run(&[&own[..], more].concat(), ALICE.1)
    }

    pub fn object(&self) -> Option<Value> {
        let reply = self
            .plane
            .request("GET", &format!("{REGISTRIES}/{}", self.name), None);
        (reply.status == 200).then(|| reply.json())
    }

    pub fn secret(&self, namespace: &str, name: &str) -> Option<Value> {
        let path = format!("/api/v1/namespaces/{namespace}/secrets/{name}");
        let reply = self.plane.request("GET", &path, None);
        (reply.status == 200).then(|| reply.json())
    }

    /// A key of the Secret with the credential.
    pub fn member(&self, key: &str) -> String {
        let secret = self.secret(&self.own, &self.name).unwrap();
        decoded(&secret["data"][key])
    }

    /// The user in the pull secret of a namespace.
    pub fn user_in(&self, namespace: &str) -> Option<String> {
        let secret = self.secret(namespace, &self.name)?;
        let content: Value =
            serde_json::from_str(&decoded(&secret["data"][".dockerconfigjson"])).unwrap();
        let entry = &content["auths"][self.registry.host()];
        Some(entry["username"].as_str().unwrap_or_default().to_owned())
    }

    /// A Pod in a namespace that names the pull secret.
    pub fn pod(&self, namespace: &str, name: &str) {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {
            "imagePullSecrets": [{"name": self.name}], "containers": [{"name": "a", "image": "r.test/a"}]}});
        let path = format!("/api/v1/namespaces/{namespace}/pods");
        let made = self.plane.request("POST", &path, Some(&pod));
        assert_eq!(made.status, 201, "{}", made.text());
    }

    /// A kubeconfig of somebody without rights.
    pub fn nobody(&self) -> PathBuf {
        self.plane.kubeconfig_for("nobody", &[])
    }

    /// Has the API server ask `cotter` before a Registry of this test is deleted.
    pub fn guard(&self, cotter: &Cotter) {
        let (host, ca) = cotter.address();
        let webhook = json!({
            "name": "deletion.registries.cotter.dev", "sideEffects": "None", "admissionReviewVersions": ["v1"],
            "clientConfig": {"url": format!("https://{host}/mutate/registries"), "caBundle": STANDARD.encode(ca)},
            "matchConditions": [{"name": "own", "expression": format!("oldObject.metadata.name == '{}'", self.name)}],
            "rules": [{"apiGroups": ["cotter.dev"], "apiVersions": ["*"], "resources": ["registries"], "operations": ["DELETE"]}],
        });
        let name = format!("guard-{}", self.own);
        let object = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
            "metadata": {"name": name}, "webhooks": [webhook]});
        self.plane.apply(&object.to_string(), &[]).ok();
        eventually("the guard is called", || {
            let path = format!("{REGISTRIES}/{}?dryRun=All", self.name);
            (self.plane.request("DELETE", &path, None).status == 403).then_some(())
        });
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let webhook = format!("guard-{}", self.own);
        self.plane.remove_webhook(&webhook);
        self.plane
            .request("DELETE", &format!("{REGISTRIES}/{}", self.name), None);
    }
}

fn decoded(text: &Value) -> String {
    let bytes = STANDARD.decode(text.as_str().unwrap()).unwrap();
    String::from_utf8(bytes).unwrap()
}
