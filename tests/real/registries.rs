//! `Registry` objects: a credential is proven, then its pull secret is where it is wanted, and stays as it should be.

use std::time::{Duration, Instant};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    lab::{Cotter, Lab, config, eventually, lab, seeded, unique},
    support::registry_part::{ALICE, Registry},
};

const REGISTRIES: &str = "/apis/cotter.dev/v1alpha1/registries";

/// A cotter that looks after the registries of one test.
struct Site<'a> {
    lab: &'a Lab,
    own: String,
    name: String,
    cotter: Cotter,
}

impl<'a> Site<'a> {
    fn start(lab: &'a Lab) -> Self {
        Self::start_of(lab, &[&lab.tokens])
    }

    fn start_of(lab: &'a Lab, registries: &[&Registry]) -> Self {
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
        let config = config(registries, "");
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
            cotter: Cotter::start_with(&lab.plane, &config, &args),
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
        self.credential_for(self.host(), password);
    }

    fn credential_for(&self, host: &str, password: &str) {
        let secret = json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": self.name, "namespace": self.own,
                "annotations": {"cotter.dev/registry": self.name, "cotter.dev/host": host}},
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
fn another_leader_leaves_what_it_cannot_prove_and_says_so() {
    let lab = lab!();
    let site = Site::start(&lab);
    let (shop, later) = (site.namespace("shop"), format!("{}-later", site.own));
    site.credential(ALICE.1);
    site.apply(&site.registry(&[&shop, &later]));
    site.becomes("Ready", "True", "Ready");
    site.cotter.process().stop();
    site.credential("wrong");
    site.cotter.start_again(&lab.plane);
    let said = site.becomes("Authenticated", "False", "Degraded");
    assert!(
        said.starts_with("the pull secrets stay as they are"),
        "{said}"
    );
    assert_eq!(site.password(&shop).as_deref(), Some(ALICE.1));
    lab.plane.namespace(&later, &[]);
    site.credential(ALICE.1);
    site.becomes("Ready", "True", "Ready");
    assert_eq!(site.password(&later).as_deref(), Some(ALICE.1));
}

#[test]
fn a_registry_that_does_not_answer_changes_nothing() {
    let lab = lab!();
    let mut registry = seeded(Registry::token());
    let site = Site::start_of(&lab, &[&registry]);
    let shop = site.namespace("shop");
    let mut object = site.registry(&[&shop]);
    object["spec"]["host"] = json!(registry.host());
    site.credential_for(registry.host(), ALICE.1);
    site.apply(&object);
    site.becomes("Ready", "True", "Ready");
    registry.stop();
    object["spec"]["probe"]["tag"] = json!("latest");
    site.apply(&object);
    let said = site.becomes("Authenticated", "False", "Degraded");
    assert!(
        said.contains("it worked before") && said.contains("reachable failed"),
        "{said}"
    );
    let (status, reason, _) = site.condition("Ready").unwrap();
    assert_eq!((&*status, &*reason), ("False", "Degraded"));
    let secret = lab
        .plane
        .get(&format!("/api/v1/namespaces/{shop}/secrets/regcred"));
    assert_eq!(secret["type"], "kubernetes.io/dockerconfigjson");
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

/// What the API server says to a spec that is changed in one place; "" where it takes it.
fn said_to(site: &Site<'_>, change: &Value) -> String {
    let mut registry = site.registry(&[]);
    for (member, value) in change.as_object().unwrap() {
        registry["spec"][member] = value.clone();
    }
    let spec = registry["spec"].as_object_mut().unwrap();
    spec.retain(|_, value| !value.is_null());
    let path = format!("{REGISTRIES}?dryRun=All");
    let reply = site.lab.plane.request("POST", &path, Some(&registry));
    if reply.status == 201 {
        String::new()
    } else {
        reply.json()["message"].as_str().unwrap().to_owned()
    }
}

#[test]
fn the_api_server_refuses_what_one_field_can_tell() {
    let lab = lab!();
    let site = Site::start(&lab);
    let none = Value::Null;
    let rows = [
        ("as it is", json!({}), ""),
        (
            "ACR without a host",
            json!({"type": "ACR", "host": none}),
            "set spec.host",
        ),
        (
            "ACR with a login server",
            json!({"type": "ACR", "host": none, "loginServer": "a.azurecr.io"}),
            "",
        ),
        (
            "Custom without a host",
            json!({"host": none}),
            "set spec.host",
        ),
        (
            "Custom with a URL",
            json!({"host": none, "url": "https://r.example.com/v2/"}),
            "",
        ),
        (
            "two names of one thing",
            json!({"url": "https://r.example.com"}),
            "set one of them",
        ),
        (
            "ECR without a region",
            json!({"type": "ECR", "host": none}),
            "set spec.region",
        ),
        (
            "ECR without a credential",
            json!({"type": "ECR", "host": none, "region": "eu-central-1", "credentials": none}),
            "",
        ),
        (
            "GAR without a region",
            json!({"type": "GAR", "host": none}),
            "set spec.region",
        ),
        (
            "GHCR without a host",
            json!({"type": "GHCR", "host": none}),
            "",
        ),
        (
            "Docker Hub by its other name",
            json!({"type": "Docker", "host": none}),
            "",
        ),
        (
            "Public with a credential",
            json!({"type": "Public", "host": "quay.io"}),
            "leave out spec.credentials",
        ),
        (
            "Public",
            json!({"type": "Public", "host": "quay.io", "credentials": none}),
            "",
        ),
        (
            "GHCR without a credential",
            json!({"type": "GHCR", "host": none, "credentials": none}),
            "set spec.credentials.secretRef.name",
        ),
        (
            "a scheme",
            json!({"host": "https://r.example.com"}),
            "a host has no scheme",
        ),
        (
            "upper case",
            json!({"host": "R.example.com"}),
            "written in lower case",
        ),
        (
            "a wildcard",
            json!({"host": "*.example.com"}),
            "no wildcards",
        ),
        (
            "a user",
            json!({"host": "me@r.example.com"}),
            "without user, tag or digest",
        ),
        (
            "an owner in upper case",
            json!({"owner": "ByteQuester"}),
            "",
        ),
        (
            "an owner with a tag",
            json!({"owner": "acme:dev"}),
            "an owner is a part of a path",
        ),
        (
            "an account of eleven figures",
            json!({"type": "ECR", "region": "eu-central-1", "account": "12345678901"}),
            "twelve figures",
        ),
        (
            "another type",
            json!({"type": "Harbor"}),
            "supported values",
        ),
        (
            "values that nobody asks for",
            json!({"namespaces": {"selector": {"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]}}}),
            "Exists and DoesNotExist take none",
        ),
    ];
    for (row, change, expected) in rows {
        let said = said_to(&site, &change);
        let fits = if expected.is_empty() {
            said.is_empty()
        } else {
            said.to_lowercase().contains(&expected.to_lowercase())
        };
        assert!(fits, "{row}: {said:?}");
    }
}

#[test]
fn kubectl_shows_it_as_people_read_it() {
    let lab = lab!();
    let site = Site::start(&lab);
    let shop = site.namespace("shop");
    site.credential(ALICE.1);
    site.apply(&site.registry(&[&shop]));
    site.becomes("Ready", "True", "Ready");
    let table = lab.plane.kubectl(&["get", "reg", &site.name]).ok();
    let lines: Vec<&str> = table.lines().collect();
    let words = |line: &str| {
        line.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let head = [
        "NAME",
        "TYPE",
        "HOST",
        "READY",
        "AUTHENTICATED",
        "EXPIRES",
        "NAMESPACES",
        "PODS",
        "AGE",
    ];
    assert_eq!(words(lines[0]), head);
    let row = words(lines[1]);
    assert_eq!(
        row[..5],
        [&*site.name, "Custom", site.host(), "True", "True"],
        "{table}"
    );
    assert_eq!(row[5], "1/1", "{table}");
    let told = eventually("the Events", || {
        let told = lab.plane.kubectl(&["describe", "reg", &site.name]).ok();
        let all = ["Valid", "Accepted", "Synced"]
            .iter()
            .all(|reason| told.contains(reason));
        (all && told.contains("Events:") && told.contains("regcred is in 1 of 1 namespaces"))
            .then_some(told)
    });
    assert!(!told.contains(ALICE.1), "{told}");
    let explained = lab
        .plane
        .kubectl(&["explain", "reg.spec.namespaces.selector"])
        .ok();
    assert!(
        explained.contains("Whoever may label a namespace"),
        "{explained}"
    );
    let all = lab.plane.kubectl(&["get", "cotter", "-o", "name"]).ok();
    assert!(
        all.contains(&format!("registry.cotter.dev/{}", site.name)),
        "{all}"
    );
}

#[test]
fn the_pull_secrets_go_with_their_registry_or_stay() {
    let lab = lab!();
    let site = Site::start(&lab);
    let shop = site.namespace("shop");
    site.credential(ALICE.1);
    let mut registry = site.registry(&[&shop]);
    registry["spec"]["deletion"] = json!("Retain");
    site.apply(&registry);
    site.becomes("Ready", "True", "Ready");
    let owners = || {
        let secret = lab
            .plane
            .get(&format!("/api/v1/namespaces/{shop}/secrets/regcred"));
        secret["metadata"]["ownerReferences"]
            .as_array()
            .map_or(0, Vec::len)
    };
    assert_eq!(owners(), 0, "kept");
    registry["spec"]["deletion"] = json!("Delete");
    site.apply(&registry);
    eventually("it is owned", || (owners() == 1).then_some(()));
    lab.plane
        .request("DELETE", &format!("{REGISTRIES}/{}", site.name), None);
    eventually("it goes with its Registry", || {
        site.password(&shop).is_none().then_some(())
    });
}

#[test]
fn a_credential_is_used_for_nothing_but_what_it_says() {
    let lab = lab!();
    let site = Site::start(&lab);
    let shop = site.namespace("shop");
    site.credential(ALICE.1);
    let rows = [
        ("cotter.dev/registry", json!("another")),
        ("cotter.dev/registry", Value::Null),
        ("cotter.dev/host", json!("ghcr.io")),
        ("cotter.dev/host", Value::Null),
    ];
    for (annotation, value) in rows {
        let path = format!("/api/v1/namespaces/{}/secrets/{}", site.own, site.name);
        let patch = json!({"metadata": {"annotations": {annotation: value}}}).to_string();
        lab.plane.send(
            "PATCH",
            &path,
            "application/merge-patch+json",
            patch.as_bytes(),
        );
        lab.plane
            .request("DELETE", &format!("{REGISTRIES}/{}", site.name), None);
        site.apply(&site.registry(&[&shop]));
        let said = site.becomes("Valid", "False", "OtherCredential");
        assert!(said.contains(annotation), "{said}");
        assert_eq!(site.password(&shop), None, "{annotation}");
        site.credential(ALICE.1);
    }
    site.becomes("Ready", "True", "Ready");
}
