//! The few members of pull secrets that matter here.

use std::{collections::BTreeMap, fmt};

use k8s_openapi::{api::core::v1::Secret, apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry};
use kube::{Resource, core::ObjectMeta};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

pub(super) use crate::api::credential_secret::CredentialSecret;
use crate::{
    api::{credential_secret::Bytes, labels},
    domain::docker_config::SecretType,
};

/// Who writes pull secrets, as the API server notes it in `managedFields`.
pub(super) const MANAGER: &str = "cotter-registry";

/// A Secret that may be a pull secret: whose it is, and what it holds, without holding it.
#[derive(Clone, Deserialize, Resource)]
#[resource(inherit = Secret)]
#[serde(from = "RawSecret")]
pub(super) struct KeptSecret {
    metadata: ObjectMeta,
    /// Of the docker configuration; `None` where it is of another type.
    pub(super) content: Option<ContentHash>,
    /// Whether cotter has written it, whatever its labels say.
    pub(super) is_cotters: bool,
    /// Who else changed it last, as the API server notes it.
    pub(super) changed_by: Option<String>,
    registry: Option<String>,
    /// The uids of the `Registry` objects that it goes with.
    owners: Vec<String>,
}

/// What tells one content from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ContentHash([u8; 16]);

#[derive(Deserialize)]
struct RawSecret {
    #[serde(default)]
    metadata: ObjectMeta,
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    data: Option<BTreeMap<String, Bytes>>,
}

// === impl ContentHash ===

impl ContentHash {
    pub(super) fn of(content: &[u8]) -> Self {
        let mut hash = [0; 16];
        for (to, from) in hash.iter_mut().zip(Sha256::digest(content)) {
            *to = from;
        }
        Self(hash)
    }
}

// === impl KeptSecret ===

impl KeptSecret {
    /// The Registry that it belongs to.
    pub(super) fn registry(&self) -> Option<&str> {
        self.registry.as_deref()
    }

    pub(super) fn name(&self) -> &str {
        self.metadata.name.as_deref().unwrap_or_default()
    }

    pub(super) fn namespace(&self) -> &str {
        self.metadata.namespace.as_deref().unwrap_or_default()
    }

    /// Whether it goes with the `Registry` of this uid; `None`: with none.
    pub(super) fn goes_with(&self, uid: Option<&str>) -> bool {
        let owners: Vec<_> = self.owners.iter().map(String::as_str).collect();
        owners == Vec::from_iter(uid)
    }
}

impl From<RawSecret> for KeptSecret {
    fn from(raw: RawSecret) -> Self {
        let RawSecret {
            metadata,
            kind,
            data,
        } = raw;
        let key = SecretType::DockerConfigJson.data_key();
        let content = data.as_ref().and_then(|data| data.get(key));
        let is_pull_secret =
            SecretType::from_type(&kind).is_some_and(|kind| kind == SecretType::DockerConfigJson);
        let owners = metadata.owner_references.into_iter().flatten();
        let owners = owners.filter(|owner| owner.kind == "Registry");
        let managers = metadata.managed_fields.unwrap_or_default();
        let is_own = |entry: &&ManagedFieldsEntry| entry.manager.as_deref() == Some(MANAGER);
        let others = managers.iter().filter(|entry| !is_own(entry));
        Self {
            is_cotters: managers.iter().any(|entry| is_own(&entry)),
            changed_by: others
                .max_by_key(|entry| entry.time.as_ref().map(|time| time.0))
                .and_then(|entry| entry.manager.clone()),
            owners: owners.map(|owner| owner.uid).collect(),
            content: content
                .filter(|_| is_pull_secret)
                .map(|content| ContentHash::of(&content.0)),
            registry: metadata
                .labels
                .and_then(|mut all| all.remove(labels::REGISTRY)),
            metadata: ObjectMeta {
                name: metadata.name,
                namespace: metadata.namespace,
                uid: metadata.uid,
                resource_version: metadata.resource_version,
                ..ObjectMeta::default()
            },
        }
    }
}

impl fmt::Debug for KeptSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let (namespace, name) = (text(&self.metadata.namespace), text(&self.metadata.name));
        write!(f, "Secret {namespace}/{name}")
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    fn secret(metadata: &Value) -> Value {
        json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/dockerconfigjson", "metadata": metadata,
            "data": {".dockerconfigjson": BASE64_STANDARD.encode("hunter2"), "password": BASE64_STANDARD.encode("hunter2")}})
    }

    fn kept(metadata: &Value) -> KeptSecret {
        serde_json::from_value(secret(metadata)).unwrap()
    }

    #[test]
    fn a_secret_shows_nothing_of_what_it_holds() {
        let metadata = json!({"name": "regcred", "namespace": "shop"});
        let credential: CredentialSecret = serde_json::from_value(secret(&metadata)).unwrap();
        assert_eq!(&**credential.data.get("password").unwrap(), b"hunter2");
        for shown in [format!("{credential:?}"), format!("{:?}", kept(&metadata))] {
            assert_eq!(shown, "Secret shop/regcred");
        }
    }

    #[rstest]
    #[case::nobody(json!([]), false, None)]
    #[case::cotter(json!([{"manager": MANAGER, "time": "2026-01-01T00:00:00Z"}]), true, None)]
    #[case::the_last_of_others(json!([
        {"manager": "argocd", "time": "2026-01-02T00:00:00Z"}, {"manager": MANAGER, "time": "2026-01-03T00:00:00Z"},
        {"manager": "kubectl", "time": "2026-01-01T00:00:00Z"}]), true, Some("argocd"))]
    fn who_wrote_it(#[case] fields: Value, #[case] is_cotters: bool, #[case] other: Option<&str>) {
        let kept = kept(&json!({"name": "regcred", "managedFields": fields}));
        assert_eq!(
            (kept.is_cotters, kept.changed_by.as_deref()),
            (is_cotters, other)
        );
    }

    #[rstest]
    #[case::nothing(json!([]), None, true)]
    #[case::nothing_but_should(json!([]), Some("1"), false)]
    #[case::its_registry(json!([{"apiVersion": "cotter.dev/v1alpha1", "kind": "Registry", "name": "a", "uid": "1"}]), Some("1"), true)]
    #[case::one_of_the_same_name_before(json!([{"apiVersion": "cotter.dev/v1alpha1", "kind": "Registry", "name": "a", "uid": "0"}]), Some("1"), false)]
    #[case::a_registry_but_should_not(json!([{"apiVersion": "cotter.dev/v1alpha1", "kind": "Registry", "name": "a", "uid": "1"}]), None, false)]
    #[case::something_else_of_somebodys(json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "7"}]), None, true)]
    fn what_it_goes_with(#[case] owners: Value, #[case] uid: Option<&str>, #[case] expected: bool) {
        let kept = kept(&json!({"name": "regcred", "ownerReferences": owners}));
        assert_eq!(kept.goes_with(uid), expected);
    }
}
