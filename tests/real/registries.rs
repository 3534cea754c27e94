//! `Registry` objects: a credential is proven, then its pull secret is where it is wanted, and stays as it should be.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    lab::{Cotter, Lab, config, eventually, unique},
    support::registry_part::{ALICE, Registry},
};

const REGISTRIES: &str = "/apis/cotter.dev/v1alpha1/registries";

mod bad_input;
mod deputies;
mod ecr;
mod endings;
mod nowhere;
mod places;
mod proofs;
mod rights;
mod rivals;
mod specs;
mod story;

/// A cotter that looks after the registries of one test.
struct Site<'a> {
    lab: &'a Lab,
    own: String,
    name: String,
    cotter: Cotter,
}

impl<'a> Site<'a> {
    fn start(lab: &'a Lab) -> Self {
        Self::start_of(lab, &[lab.tokens])
    }

    fn start_of(lab: &'a Lab, registries: &[&Registry]) -> Self {
        let config = config(registries, "");
        Self::start_by(lab, |own| replica(lab, own, "cotter-0", &config))
    }

    fn start_by(lab: &'a Lab, start: impl FnOnce(&str) -> Cotter) -> Self {
        let definitions = cotter::cli::crd::definitions().unwrap();
        lab.plane.apply(&definitions, &["--server-side"]).ok();
        let wait = [
            "wait",
            "--for=condition=Established",
            "--timeout=20s",
            "crd/registries.cotter.dev",
        ];
        lab.plane.kubectl(&wait).ok();
        let own = unique("own");
        lab.plane.namespace(&own, &[]);
        Self {
            lab,
            name: unique("registry"),
            cotter: start(&own),
            own,
        }
    }

    /// Another replica, which does not lead.
    fn replica(&self) -> Cotter {
        let config = config(&[self.lab.tokens], "");
        replica(self.lab, &self.own, "cotter-1", &config)
    }

    fn namespace(&self, name: &str) -> String {
        let name = format!("{}-{name}", self.own);
        self.lab.plane.namespace(&name, &[]);
        name
    }

    /// A namespace with the pull secret of its Registry, whose credential is alice's.
    fn ready_in(&self, name: &str) -> String {
        let namespace = self.namespace(name);
        self.credential(ALICE.1);
        self.apply(&self.registry(&[&namespace]));
        self.becomes("Ready", "True", "Ready");
        namespace
    }

    /// A namespace and a service account `web`, without waiting for what controllers add.
    fn bare_namespace(&self, name: &str, labels: &Value) {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}});
        let account =
            json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "web"}});
        let accounts = format!("/api/v1/namespaces/{name}/serviceaccounts");
        for (path, object) in [("/api/v1/namespaces", &namespace), (&*accounts, &account)] {
            let made = self.lab.plane.request("POST", path, Some(object));
            assert_eq!(made.status, 201, "{}", made.text());
        }
    }

    /// The API server takes a moment to see a new webhook configuration.
    fn wait_until_called(&self) {
        let name = format!("{}-called", self.own);
        self.bare_namespace(&name, &json!({"cotter.dev/mode": "enforce"}));
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "p-"}, "spec": {
            "serviceAccountName": "web", "containers": [{"name": "a", "image": self.lab.image("public/app:dev")}]}});
        eventually("cotter is called", || {
            let path = format!("/api/v1/namespaces/{name}/pods?dryRun=All");
            let made = self.lab.plane.request("POST", &path, Some(&pod)).json();
            let image = made["spec"]["containers"][0]["image"].as_str()?.to_owned();
            image.contains("@sha256:").then_some(())
        });
    }

    fn host(&self) -> &str {
        self.lab.tokens.host()
    }

    /// The Secret with the credential, made or changed.
    fn credential(&self, password: &str) {
        self.credential_for(self.host(), password);
    }

    fn credential_for(&self, host: &str, password: &str) {
        self.secret_for(host, &json!({"username": ALICE.0, "password": password}));
    }

    /// The Secret with these keys in the place of all that it had.
    fn secret_for(&self, host: &str, keys: &Value) {
        let decoded = |text: &Value| match text {
            Value::Array(bytes) => bytes
                .iter()
                .map(|b| u8::try_from(b.as_u64().unwrap()).unwrap())
                .collect(),
            text => text.as_str().unwrap().as_bytes().to_vec(),
        };
        let keys = keys.as_object().unwrap().iter();
        let data: serde_json::Map<_, _> = keys
            .map(|(key, value)| (key.clone(), json!(STANDARD.encode(decoded(value)))))
            .collect();
        let secret = json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": self.name, "namespace": self.own,
                "annotations": {"cotter.dev/registry": self.name, "cotter.dev/host": host}},
            "data": data});
        self.lab.plane.apply(&secret.to_string(), &[]).ok();
    }

    /// Deletes the Registry.
    fn delete(&self) {
        let path = format!("{REGISTRIES}/{}", self.name);
        self.lab.plane.request("DELETE", &path, None);
    }

    /// The Registry for alice, with pull secrets called `regcred`.
    fn registry(&self, namespaces: &[&str]) -> Value {
        json!({"apiVersion": "cotter.dev/v1alpha1", "kind": "Registry", "metadata": {"name": self.name}, "spec": {
            "type": "Custom", "host": self.host(), "credentials": {"secretRef": {"name": self.name}},
            "pullSecret": {"name": "regcred"}, "namespaces": {"names": namespaces},
            "probe": {"repository": "acme/app", "tag": "dev"}}})
    }

    fn apply(&self, registry: &Value) {
        self.lab.plane.apply(&registry.to_string(), &[]).ok();
    }

    /// Status and message of a condition.
    fn condition(&self, kind: &str) -> Option<(String, String, String)> {
        self.condition_of(&self.name, kind)
    }

    /// The same of another Registry.
    fn condition_of(&self, name: &str, kind: &str) -> Option<(String, String, String)> {
        let registry = self.lab.plane.get(&format!("{REGISTRIES}/{name}"));
        let all = registry["status"]["conditions"].as_array()?;
        let found = all.iter().find(|condition| condition["type"] == kind)?;
        let text = |member: &str| found[member].as_str().unwrap_or_default().to_owned();
        Some((text("status"), text("reason"), text("message")))
    }

    /// Waits until a condition has this status and reason; its message.
    fn becomes(&self, kind: &str, status: &str, reason: &str) -> String {
        self.becomes_of(&self.name, kind, status, reason)
    }

    /// The same of another Registry.
    fn becomes_of(&self, name: &str, kind: &str, status: &str, reason: &str) -> String {
        eventually(&format!("{kind} {status} {reason}"), || {
            let (is, why, message) = self.condition_of(name, kind)?;
            (is == status && why == reason).then_some(message)
        })
    }

    /// The entry for a host in the pull secret of a namespace.
    fn entry(&self, namespace: &str, host: &str) -> Option<Value> {
        self.entry_of(namespace, "regcred", host)
    }

    /// The same in a pull secret of another name.
    fn entry_of(&self, namespace: &str, secret: &str, host: &str) -> Option<Value> {
        let path = format!("/api/v1/namespaces/{namespace}/secrets/{secret}");
        let reply = self.lab.plane.request("GET", &path, None);
        let secret = (reply.status == 200).then(|| reply.json())?;
        let content = secret["data"][".dockerconfigjson"].as_str()?;
        let content: Value = serde_json::from_slice(&STANDARD.decode(content).unwrap()).unwrap();
        Some(content["auths"][host].clone())
    }

    /// The password in the pull secret of a namespace.
    fn password(&self, namespace: &str) -> Option<String> {
        let entry = self.entry(namespace, self.host())?;
        assert_eq!(entry["username"], ALICE.0, "{entry}");
        Some(entry["password"].as_str()?.to_owned())
    }
}

/// A replica in an environment.
fn replica_in(lab: &Lab, own: &str, registries: &[&Registry], env: &[(&str, &str)]) -> Cotter {
    let args = ["--registries", "--namespace", own, "--pod-name", "cotter-0"];
    Cotter::start_in(&lab.plane, &config(registries, ""), &args, env)
}

fn replica(lab: &Lab, own: &str, pod: &str, config: &str) -> Cotter {
    let args = ["--registries", "--namespace", own, "--pod-name", pod];
    Cotter::start_with(&lab.plane, config, &args)
}

impl Drop for Site<'_> {
    fn drop(&mut self) {
        self.delete();
    }
}
