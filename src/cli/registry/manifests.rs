//! The objects of a `Registry` as manifests: for the API server, for Git, and for a person to look at.

use anyhow::Context as _;
use kube::core::ObjectMeta;
use serde_json::{Map, Value, json};

use super::{candidate::Data, members};
use crate::api::{
    credential_secret::CredentialSecret,
    labels,
    registry::{Credentials, Registry, RegistrySpec, SecretRef},
};

/// On what `cotter registry add` made, so that `delete` takes it away again.
const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "cotter");

/// A `Registry`, and the Secret with its credential where it has one.
pub(super) struct Manifests {
    pub(super) registry: Registry,
    pub(super) secret: Option<CredentialSecret>,
}

/// What is shown of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// All of it.
    All,
    /// `…` in the place of what is secret.
    Masked,
    /// Nothing of what is secret.
    LeftOut,
}

// === impl Manifests ===

impl Manifests {
    /// A `Registry` of this name, and its credential: a Secret that says what it is for.
    pub(super) fn new(name: &str, mut spec: RegistrySpec, secret: Option<Credential<'_>>) -> Self {
        let secret = secret.map(|secret| secret.secret(name));
        if let Some(secret) = &secret {
            let name = secret.metadata.name.clone().unwrap_or_default();
            let secret_ref = SecretRef { name };
            spec.credentials = Some(Credentials { secret_ref });
        }
        Self {
            registry: Registry::new(name, spec),
            secret,
        }
    }

    /// All objects, the Secret first.
    ///
    /// # Errors
    /// If one cannot be written, which would be a defect.
    pub(super) fn values(&self, shown: Shown) -> anyhow::Result<Vec<Value>> {
        let mut values = Vec::new();
        if let Some(secret) = &self.secret {
            values.push(manifest(secret, shown)?);
        }
        values.push(bare(serde_json::to_value(&self.registry)?));
        Ok(values)
    }

    /// The same as YAML.
    ///
    /// # Errors
    /// As [`values`](Self::values).
    pub(super) fn yaml(&self, shown: Shown) -> anyhow::Result<String> {
        let mut documents = Vec::new();
        for value in self.values(shown)? {
            let text = serde_saphyr::to_string(&value);
            documents.push(text.context("a manifest cannot be written as YAML")?);
        }
        Ok(documents.join("---\n"))
    }
}

/// A credential, and where it is to stand.
pub(super) struct Credential<'a> {
    pub(super) name: &'a str,
    pub(super) namespace: &'a str,
    /// The host that it may be sent to; `None` where only AWS knows it yet.
    pub(super) host: Option<&'a str>,
    pub(super) data: Data,
    /// Whether nobody else will look after the Secret.
    pub(super) is_ours: bool,
}

impl Credential<'_> {
    fn secret(self, registry: &str) -> CredentialSecret {
        let host = self.host.map(|host| (labels::HOST, host));
        let annotations = [(labels::REGISTRY, registry)].into_iter().chain(host);
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        CredentialSecret {
            metadata: ObjectMeta {
                name: Some(self.name.to_owned()),
                namespace: Some(self.namespace.to_owned()),
                annotations: Some(annotations.map(own).collect()),
                labels: self.is_ours.then(|| [own(MANAGED_BY)].into()),
                ..ObjectMeta::default()
            },
            data: self.data,
        }
    }
}

/// Whether `cotter registry add` made a Secret.
pub(super) fn is_ours(secret: &CredentialSecret) -> bool {
    let (name, value) = MANAGED_BY;
    let labels = secret.metadata.labels.as_ref();
    labels.is_some_and(|labels| labels.get(name).is_some_and(|is| is == value))
}

/// A Secret, with its keys as text where they are text and may be read.
fn manifest(secret: &CredentialSecret, shown: Shown) -> anyhow::Result<Value> {
    let mut value = serde_json::to_value(secret)?;
    if shown == Shown::All {
        return Ok(value);
    }
    let mut data = Map::new();
    for (key, content) in &secret.data {
        if members::may_be_seen(key) {
            data.insert(key.clone(), String::from_utf8_lossy(content).into());
        } else if shown == Shown::Masked {
            data.insert(key.clone(), "…".into());
        }
    }
    if let Some(members) = value.as_object_mut() {
        members.remove("data");
        members.insert("stringData".to_owned(), data.into());
    }
    Ok(value)
}

/// Without members that hold nothing.
fn bare(mut value: Value) -> Value {
    if let Some(spec) = value.get_mut("spec").and_then(Value::as_object_mut) {
        spec.retain(|_, member| *member != json!({}) && !member.is_null());
    }
    value
}
