//! `Registry` objects: a credential is proven, then its pull secret is where it is wanted, and stays as it should be.

use std::time::{Duration, Instant};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    lab::{Cotter, Lab, config, eventually, lab, unique},
    support::registry_part::ALICE,
};

const REGISTRIES: &str = "/apis/cotter.dev/v1alpha1/registries";

/// A cotter that looks after the registries of one test.
struct Site<'a> {
    lab: &'a Lab,
    own: String,
    name: String,
    _cotter: Cotter,
}

impl<'a> Site<'a> {
    fn start(lab: &'a Lab) -> Self {
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
        let config = config(&[&lab.tokens], "");
        let args = [
            "--registries",
            "--namespace",
            &own,
            "--pod-name",
            "cotter-0",
        ];
        Self {
            lab,
            name: unique("registry"),
            _cotter: Cotter::start_with(&lab.plane, &config, &args),
            own,
        }
    }

    fn namespace(&self, name: &str) -> String {
        let name = format!("{}-{name}", self.own);
        self.lab.plane.namespace(&name, &[]);
        name
    }

    fn host(&self) -> &str {
        self.lab.tokens.host()
    }

    /// The Secret with the credential, made or changed.
    fn credential(&self, password: &str) {
        let secret = json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": self.name, "namespace": self.own,
                "annotations": {"cotter.dev/registry": self.name, "cotter.dev/host": self.host()}},
            "stringData": {"username": ALICE.0, "password": password}});
        self.lab.plane.apply(&secret.to_string(), &[]).ok();
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
        let registry = self.lab.plane.get(&format!("{REGISTRIES}/{}", self.name));
        let all = registry["status"]["conditions"].as_array()?;
        let found = all.iter().find(|condition| condition["type"] == kind)?;
        let text = |member: &str| found[member].as_str().unwrap_or_default().to_owned();
        Some((text("status"), text("reason"), text("message")))
    }

    /// Waits until a condition has this status and reason; its message.
    fn becomes(&self, kind: &str, status: &str, reason: &str) -> String {
        eventually(&format!("{kind} {status} {reason}"), || {
            let (is, why, message) = self.condition(kind)?;
            (is == status && why == reason).then_some(message)
        })
    }

    /// The password in the pull secret of a namespace.
    fn password(&self, namespace: &str) -> Option<String> {
        let path = format!("/api/v1/namespaces/{namespace}/secrets/regcred");
        let reply = self.lab.plane.request("GET", &path, None);
        let secret = (reply.status == 200).then(|| reply.json())?;
        let content = secret["data"][".dockerconfigjson"].as_str()?;
        let content: Value = serde_json::from_slice(&STANDARD.decode(content).unwrap()).unwrap();
        let entry = &content["auths"][self.host()];
        assert_eq!(entry["username"], ALICE.0, "{content}");
        Some(entry["password"].as_str()?.to_owned())
    }
}

impl Drop for Site<'_> {
    fn drop(&mut self) {
        self.lab
            .plane
            .request("DELETE", &format!("{REGISTRIES}/{}", self.name), None);
    }
}

#[test]
fn the_pull_secret_is_where_it_is_wanted_and_stays_as_it_should_be() {
    let lab = lab!();
    let site = Site::start(&lab);
    let shop = site.namespace("shop");
    let later = format!("{}-later", site.own);
    site.apply(&site.registry(&[&shop, &later]));
    let said = site.becomes("Valid", "False", "NoCredential");
    assert!(said.contains(&site.name), "{said}");

    site.credential(ALICE.1);
    let said = site.becomes("Ready", "True", "Ready");
    assert_eq!(said, "the pull secrets are in place and work");
    let (_, _, said) = site.condition("Authenticated").unwrap();
    assert!(said.contains("manifest: sha256:"), "{said}");
    assert_eq!(site.password(&shop).as_deref(), Some(ALICE.1));

    let start = Instant::now();
    lab.plane.namespace(&later, &[]);
    let password = eventually("the later namespace has it", || site.password(&later));
    assert_eq!(password, ALICE.1);
    println!("after {:?}", start.elapsed());

    let path = format!("/api/v1/namespaces/{shop}/secrets/regcred");
    lab.plane.request("DELETE", &path, None);
    eventually("it is put back", || site.password(&shop));

    let registry = lab.plane.get(&format!("{REGISTRIES}/{}", site.name));
    assert_eq!(
        registry["status"]["namespaces"]["summary"], "2/2",
        "{registry}"
    );
    assert_eq!(registry["status"]["host"], site.host());
}

#[test]
fn a_bad_credential_changes_nothing_and_a_good_one_is_rolled_out() {
    let lab = lab!();
    let site = Site::start(&lab);
    let shop = site.namespace("shop");
    site.credential(ALICE.1);
    site.apply(&site.registry(&[&shop]));
    site.becomes("Ready", "True", "Ready");

    site.credential("wrong");
    let said = site.becomes("Authenticated", "False", "Degraded");
    assert!(said.starts_with("the new credential is not used"), "{said}");
    assert!(!said.contains("wrong") && !said.contains(ALICE.1), "{said}");
    assert_eq!(site.password(&shop).as_deref(), Some(ALICE.1));

    site.credential(ALICE.1);
    site.becomes("Ready", "True", "Ready");
}

#[test]
fn a_secret_of_somebody_else_is_never_touched() {
    let lab = lab!();
    let site = Site::start(&lab);
    let (shop, taken) = (site.namespace("shop"), site.namespace("taken"));
    lab.plane.pull_secret(&taken, "regcred", r#"{"auths":{}}"#);
    site.credential(ALICE.1);
    site.apply(&site.registry(&[&shop, &taken]));
    let said = site.becomes("Synced", "False", "Conflict");
    assert!(said.contains(&taken) && !said.contains(&shop), "{said}");
    assert_eq!(site.password(&shop).as_deref(), Some(ALICE.1));

    let path = format!("/api/v1/namespaces/{taken}/secrets/regcred");
    lab.plane.request("DELETE", &path, None);
    site.becomes("Ready", "True", "Ready");
    assert_eq!(site.password(&taken).as_deref(), Some(ALICE.1));
}

#[test]
fn a_namespace_that_leaves_keeps_it_while_a_pod_names_it() {
    let lab = lab!();
    let site = Site::start(&lab);
    let (shop, used) = (site.namespace("shop"), site.namespace("used"));
    site.credential(ALICE.1);
    site.apply(&site.registry(&[&shop, &used]));
    site.becomes("Ready", "True", "Ready");
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": {
        "imagePullSecrets": [{"name": "regcred"}], "containers": [{"name": "a", "image": "x:1"}]}});
    let made = lab.plane.request(
        "POST",
        &format!("/api/v1/namespaces/{used}/pods"),
        Some(&pod),
    );
    assert_eq!(made.status, 201, "{}", made.text());

    site.apply(&site.registry(&[]));
    eventually("it has left", || {
        site.password(&shop).is_none().then_some(())
    });
    assert_eq!(
        site.password(&used).as_deref(),
        Some(ALICE.1),
        "a Pod names it"
    );
    let (_, _, said) = site.condition("Synced").unwrap();
    assert!(said.contains(&used), "{said}");
    std::thread::sleep(Duration::from_millis(10));
}
