//! helm, and what it renders.

use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::support::{
    command::{self, Outcome},
    control_plane::ControlPlane,
    parts,
    scratch::Scratch,
};

pub const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/cotter");
/// The release that most tests look at, and its namespace.
pub const NAMESPACE: &str = "cotter-system";
/// What a chart that nobody asked for an older Kubernetes is rendered for.
const KUBERNETES: &str = "1.36.2";

/// Runs helm with these values, which may be null.
pub fn helm(args: &[&str], values: &Value) -> Outcome {
    static FOLDER: OnceLock<Scratch> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| Scratch::new("helm"));
    // JSON is YAML.
    let (text, more) = match values {
        Value::Null => (String::new(), &[][..]),
        values => (values.to_string(), &["--values", "-"][..]),
    };
    let args: Vec<_> = args.iter().chain(more).copied().collect();
    let program = parts::program("helm");
    command::run(&program, &args, &[], folder.path(), text.as_bytes())
}

/// helm with the administrator's kubeconfig of a control plane.
pub fn helm_in(plane: &ControlPlane, args: &[&str], values: &Value) -> Outcome {
    let kubeconfig = plane.kubeconfig().display().to_string();
    let place = ["--kubeconfig", &kubeconfig, "--namespace", NAMESPACE];
    let args: Vec<_> = args.iter().chain(&place).copied().collect();
    helm(&args, values)
}

/// `helm template` of release `cotter` as text, without the tests.
pub fn template(values: &Value) -> Outcome {
    template_as("cotter", values, &["--skip-tests"])
}

pub fn template_as(release: &str, values: &Value, more: &[&str]) -> Outcome {
    let args = ["template", release, CHART, "--namespace", NAMESPACE];
    let args: Vec<_> = args
        .iter()
        .chain(&["--kube-version", KUBERNETES])
        .chain(more)
        .copied()
        .collect();
    helm(&args, values)
}

/// The objects of a rendering.
pub struct Rendered(Vec<Value>);

impl Rendered {
    pub fn of(values: &Value) -> Self {
        Self::read(&template(values).ok())
    }

    pub fn read(text: &str) -> Self {
        let documents: Vec<Option<Value>> = serde_saphyr::from_multiple(text).unwrap();
        Self(documents.into_iter().flatten().collect())
    }

    pub fn all(&self) -> &[Value] {
        &self.0
    }

    pub fn of_kind(&self, kind: &str) -> Vec<&Value> {
        self.0.iter().filter(|o| o["kind"] == kind).collect()
    }

    /// The only object of a kind.
    pub fn one(&self, kind: &str) -> &Value {
        let found = self.of_kind(kind);
        assert_eq!(found.len(), 1, "{kind}: {found:#?}");
        found[0]
    }

    /// The object of a kind that bears the release's own name.
    pub fn named(&self, kind: &str, name: &str) -> &Value {
        let found = self.of_kind(kind);
        let found: Vec<_> = found
            .into_iter()
            .filter(|o| o["metadata"]["name"] == name)
            .collect();
        assert_eq!(found.len(), 1, "{kind} {name}: {found:#?}");
        found[0]
    }

    pub fn pod(&self) -> &Value {
        &self.one("Deployment")["spec"]["template"]["spec"]
    }

    /// The value of an environment variable of the container.
    pub fn env(&self, name: &str) -> Option<&Value> {
        let env = self.pod()["containers"][0]["env"].as_array().unwrap();
        let found = env.iter().find(|variable| variable["name"] == name);
        found.map(|variable| &variable["value"])
    }
}

/// The webhooks of a MutatingWebhookConfiguration by name.
pub fn webhooks(configuration: &Value) -> Vec<(&str, &Value)> {
    let webhooks = configuration["webhooks"].as_array().unwrap();
    let named = |w: &'_ Value| w["name"].as_str().is_some();
    assert!(webhooks.iter().all(named));
    webhooks
        .iter()
        .map(|w| (w["name"].as_str().unwrap(), w))
        .collect()
}

/// `{"a": {"b": value}}` of `a.b`.
pub fn at(path: &str, value: Value) -> Value {
    path.rsplit('.')
        .fold(value, |inner, key| json!({key: inner}))
}
