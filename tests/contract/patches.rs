//! JSON patch rows: on a real API server, by the checker that stands in for it, and against cotter's own patches.

use std::sync::OnceLock;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cotter::domain::object::Object;
use cotter::domain::patch::Patch;
use cotter::domain::slots::{Kind, Slot};
use libtest_mimic::{Failed, Trial};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::evanphx::{self, Refused};
use crate::hook::{GROUP, Hook};
use crate::rows::{fixture, with_parts};
use crate::site::{JSON, Made, Site};
use crate::support::control_plane::ControlPlane;
use crate::support::wait;

const LIMIT: Duration = Duration::from_secs(30);

#[derive(Clone, Deserialize)]
struct Row {
    input: Input,
    expected: Expected,
    note: String,
}

#[derive(Clone, Deserialize)]
struct Input {
    doc: Value,
    patch: String,
}

#[derive(Clone, Deserialize)]
struct Expected {
    apiserver_outcome: String,
    result: Option<Value>,
    error: Option<String>,
    stage: Option<String>,
}

/// Each row: on an object that holds the document as it is, on a Pod where it is one, by the checker, and for cotter.
pub fn trials() -> Vec<Trial> {
    let rows: Vec<Row> = fixture("jsonpatch.json");
    rows.into_iter().flat_map(Row::trials).collect()
}

/// The patch of a row, for the scripted webhook: `/jsonpatch3`.
pub fn encoded(row: &str) -> String {
    static ROWS: OnceLock<Vec<Row>> = OnceLock::new();
    let rows = ROWS.get_or_init(|| fixture("jsonpatch.json"));
    let row: usize = row.parse().expect("a row");
    STANDARD.encode(&rows[row].input.patch)
}

impl Row {
    fn trials(self) -> Vec<Trial> {
        let name = |how: &str| format!("jsonpatch: {}{how}", self.note);
        let [custom, pod, checked, built] = [(); 4].map(|()| self.clone());
        let mut trials = vec![
            Trial::ignorable_test(name(""), move || {
                with_parts(|| custom.replay(&custom.custom()))
            }),
            Trial::test(name(", by the checker"), move || checked.check()),
            Trial::test(name(", patched by cotter"), move || built.build()),
        ];
        if self.is_pod() {
            let replay = move || with_parts(|| pod.replay(&pod.pod()));
            trials.push(Trial::ignorable_test(name(", on a Pod"), replay));
        }
        trials
    }

    /// The API server drops an empty list of a typed object before it calls a webhook.
    fn is_pod(&self) -> bool {
        let spec = &self.input.doc["spec"];
        spec["containers"].is_array() && spec["imagePullSecrets"] != json!([])
    }

    fn number(&self) -> usize {
        let rows: Vec<Self> = fixture("jsonpatch.json");
        let same = |row: &Self| row.note == self.note;
        rows.iter().position(same).expect("a row")
    }

    /// The document as an object of a kind without a schema.
    fn custom(&self) -> Document {
        let mut object = self.input.doc.clone();
        object["apiVersion"] = json!(format!("{GROUP}/v1"));
        object["kind"] = json!("Doc");
        object["metadata"]["name"] = json!("p");
        Document {
            resource: "docs",
            group: format!("apis/{GROUP}/v1"),
            object,
        }
    }

    fn pod(&self) -> Document {
        let mut object = self.input.doc.clone();
        object["apiVersion"] = json!("v1");
        object["kind"] = json!("Pod");
        object["metadata"]["name"] = json!("p");
        Document {
            resource: "pods",
            group: "api/v1".to_owned(),
            object,
        }
    }

    /// Creates the object through a webhook that answers with the row's patch, under both failure policies.
    fn replay(&self, object: &Document) {
        resource();
        for policy in ["Fail", "Ignore"] {
            let hook = Hook::new(&format!("/jsonpatch{}", self.number()))
                .on(&["CREATE"], &[object.resource])
                .with("failurePolicy", policy);
            let site = Site::with(&[hook]);
            let path = format!(
                "/{}/namespaces/{}/{}",
                object.group, site.name, object.resource
            );
            let made = site.send_to("POST", &path, JSON, &object.object);
            assert_eq!(site.calls().len(), 1);
            self.compare(policy, &made);
        }
    }

    fn compare(&self, policy: &str, made: &Made) {
        let message = made.object["message"].as_str().unwrap_or_default();
        let Some(error) = &self.expected.error else {
            assert_eq!(made.status, 201, "{message}");
            let result = self.expected.result.as_ref().expect("a result");
            assert!(holds(&made.object, result), "{}", made.object);
            return;
        };
        let decides = self
            .expected
            .apiserver_outcome
            .contains("failurePolicy decides");
        if decides && policy == "Ignore" {
            assert_eq!(made.status, 201, "{message}");
            assert!(holds(&made.object, &self.input.doc), "{}", made.object);
            return;
        }
        assert_eq!(
            (made.status, &made.object["reason"]),
            (500, &json!("InternalError"))
        );
        assert!(message.ends_with(error.as_str()), "{message}");
    }

    fn check(&self) -> Result<(), Failed> {
        let mut document = self.input.doc.clone();
        let outcome = evanphx::apply(&mut document, self.input.patch.as_bytes());
        let error = self.expected.error.clone().unwrap_or_default();
        match (outcome, self.expected.stage.as_deref()) {
            (Ok(()), None) => assert_eq!(Some(document), self.expected.result),
            (Err(Refused::Applying(found)), Some("apply")) => assert_eq!(found, error),
            (Err(Refused::Decoding(_)), Some("decode")) => {}
            (outcome, _) => return Err(format!("{outcome:?}").into()),
        }
        Ok(())
    }

    /// All that cotter's patches do, in one patch of the row's document.
    fn build(&self) -> Result<(), Failed> {
        let (before, text) = (&self.input.doc, self.input.doc.to_string());
        let object: Object<'_> = cotter::domain::json::read(&text)?;
        let mut patch = Patch::default();
        patch.annotate(
            &object.metadata,
            &changes(&before["metadata"]["annotations"]),
        );
        patch.label(&object.metadata, &changes(&before["metadata"]["labels"]));
        let slots: Vec<_> = Slot::all(&object.spec).collect();
        // Where there is no image there is nothing to pull.
        if !slots.is_empty() {
            patch.add_pull_secrets(&object.spec, &["first", "second"]);
        }
        for slot in &slots {
            patch.replace(slot.pointer(Kind::Pod), "changed".to_owned());
        }
        let mut after = before.clone();
        apply(&mut after, &patch);
        for map in ["annotations", "labels"] {
            assert_eq!(after["metadata"][map], json!({"example.com/a~b": "v"}));
        }
        let images = after["spec"]["containers"].as_array();
        let changed = |one: &&Value| one["image"] == "changed";
        assert_eq!(
            images.into_iter().flatten().filter(changed).count(),
            slots.len()
        );
        if !slots.is_empty() {
            let mut secrets = before["spec"]["imagePullSecrets"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            secrets.extend([json!({"name": "first"}), json!({"name": "second"})]);
            assert_eq!(after["spec"]["imagePullSecrets"], json!(secrets));
        }
        Ok(())
    }
}

/// One member more, whose name needs both escapes of RFC 6901, and the first of the present ones less.
fn changes(map: &Value) -> Vec<(&str, Option<&str>)> {
    let present = map.as_object().and_then(|map| map.keys().next());
    let removed = present.map(|first| (first.as_str(), None));
    let added = ("example.com/a~b", Some("v"));
    [added].into_iter().chain(removed).collect()
}

/// A document, and where it is created.
struct Document {
    resource: &'static str,
    group: String,
    object: Value,
}

/// Applies a patch of cotter's as RFC 6902 says and as the API server does; both have to agree.
fn apply(document: &mut Value, patch: &Patch) {
    let json = patch.to_json();
    let mut strict = document.clone();
    let operations: json_patch::Patch = serde_json::from_slice(&json).expect("a patch");
    json_patch::patch(&mut strict, &operations).expect("RFC 6902");
    evanphx::apply(document, &json).expect("evanphx");
    assert_eq!(strict, *document);
}

/// Whether an object has everything that stands in `wanted`; null is absent.
fn holds(object: &Value, wanted: &Value) -> bool {
    match (object, wanted) {
        (Value::Object(object), Value::Object(wanted)) => wanted
            .iter()
            .all(|(key, wanted)| holds(object.get(key).unwrap_or(&Value::Null), wanted)),
        (Value::Array(object), Value::Array(wanted)) => {
            object.len() == wanted.len() && object.iter().zip(wanted).all(|(a, b)| holds(a, b))
        }
        (Value::Null, Value::Object(wanted)) => wanted.is_empty(),
        _ => object == wanted,
    }
}

/// A resource whose objects have no schema: documents stay as they are.
fn resource() {
    static MADE: OnceLock<()> = OnceLock::new();
    MADE.get_or_init(|| {
        let plane = ControlPlane::shared();
        let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
        let version = json!({"name": "v1", "served": true, "storage": true, "schema": schema});
        let names = json!({"kind": "Doc", "listKind": "DocList", "plural": "docs", "singular": "doc"});
        let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": format!("docs.{GROUP}")},
            "spec": {"group": GROUP, "names": names, "scope": "Namespaced", "versions": [version]}});
        let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        let made = plane.request("POST", path, Some(&definition));
        assert_eq!(made.status, 201, "{}", made.text());
        let path = format!("/apis/{GROUP}/v1/docs");
        wait::until("the resource to be served", LIMIT, || {
            (plane.request("GET", &path, None).status == 200).then_some(())
        });
    });
}
