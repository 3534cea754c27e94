//! The few members of Kubernetes objects that matter here, decoded and nothing else: a page of 500 Secrets with
//! their managed fields would cost more than all that is kept of them.

use std::{borrow::Cow, fmt};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use kube::{
    Resource,
    core::{ClusterResourceScope, NamespaceResourceScope, ObjectMeta},
};
use serde::{Deserialize, Deserializer};
use smol_str::SmolStr;
use zeroize::Zeroizing;

use super::promises::NEW;
use crate::{
    admission::ports::{Namespace, ServiceAccount},
    domain::{docker_config::SecretType, policy::Mode, selector::Labels},
};

/// A Namespace: its two labels, and all of them while it is new.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "RawNamespace")]
pub(super) struct NamespaceObject {
    meta: ObjectMeta,
    pub(super) choice: Namespace,
    /// `None` where it has been there for a while.
    pub(super) newborn: Option<Labels>,
}

/// A Secret of a pull secret type: the one value that the kubelet reads.
#[derive(Clone, Deserialize)]
#[serde(from = "RawSecret")]
pub(super) struct SecretObject {
    meta: ObjectMeta,
    /// `None` where the type is no pull secret's.
    pub(super) kind: Option<SecretType>,
    pub(super) data: Zeroizing<Vec<u8>>,
}

/// A service account.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "RawAccount")]
pub(super) struct AccountObject {
    meta: ObjectMeta,
    pub(super) account: ServiceAccount,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawMeta {
    name: Option<String>,
    namespace: Option<String>,
    resource_version: Option<String>,
    annotations: Option<RawAnnotations>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawAnnotations {
    #[serde(rename = "kubernetes.io/enforce-mountable-secrets")]
    enforce_mountable: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawNamespace {
    metadata: RawNamespaceMeta,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawNamespaceMeta {
    name: Option<String>,
    resource_version: Option<String>,
    creation_timestamp: Option<Timestamp>,
    labels: Option<Labels>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawSecret {
    metadata: RawMeta,
    #[serde(rename = "type")]
    kind: Option<SmolStr>,
    data: Option<RawData>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawData {
    #[serde(rename = ".dockerconfigjson", deserialize_with = "bytes")]
    dockerconfigjson: Zeroizing<Vec<u8>>,
    #[serde(rename = ".dockercfg", deserialize_with = "bytes")]
    dockercfg: Zeroizing<Vec<u8>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawAccount {
    metadata: RawMeta,
    image_pull_secrets: Option<Vec<RawReference>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawReference {
    name: Option<SmolStr>,
}

/// Never fails on the text: kube logs the whole body of a response that does not decode, and this one holds
/// passwords. What is not base64 becomes a value that no reader of docker configurations takes.
fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Zeroizing<Vec<u8>>, D::Error> {
    let text = Option::<Cow<'de, str>>::deserialize(deserializer)?.unwrap_or_default();
    let decoded = BASE64_STANDARD.decode(text.as_bytes());
    Ok(Zeroizing::new(decoded.unwrap_or_else(|_| vec![0xff])))
}

/// A revision of an object, as far as two of them can be compared; 0 where it is no number.
///
/// Kubernetes calls the text opaque, but orders it as a number for all built-in resources (KEP-5504).
pub(super) fn revision(text: Option<&str>) -> u64 {
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Name, namespace and revision of an object.
pub(super) fn identity(object: &impl Resource) -> (SmolStr, SmolStr, u64) {
    let meta = object.meta();
    let text = |text: &Option<String>| SmolStr::new(text.as_deref().unwrap_or_default());
    let revision = revision(meta.resource_version.as_deref());
    (text(&meta.namespace), text(&meta.name), revision)
}

impl From<RawMeta> for ObjectMeta {
    fn from(raw: RawMeta) -> Self {
        Self {
            name: raw.name,
            namespace: raw.namespace,
            resource_version: raw.resource_version,
            ..Self::default()
        }
    }
}

impl From<RawNamespace> for NamespaceObject {
    fn from(RawNamespace { metadata }: RawNamespace) -> Self {
        let labels = metadata.labels.unwrap_or_default();
        let label = |name: &str| labels.get(name).map(String::as_str);
        let choice = Namespace {
            mode: label("cotter.dev/mode").and_then(Mode::from_label),
            policy: label("cotter.dev/policy").map(SmolStr::new),
        };
        let since = Timestamp::now() - NEW;
        let is_new = metadata.creation_timestamp.is_some_and(|at| at >= since);
        Self {
            meta: ObjectMeta {
                name: metadata.name,
                resource_version: metadata.resource_version,
                ..ObjectMeta::default()
            },
            choice,
            newborn: is_new.then_some(labels),
        }
    }
}

impl From<RawSecret> for SecretObject {
    fn from(raw: RawSecret) -> Self {
        let kind = raw.kind.as_deref().and_then(SecretType::from_type);
        let data = raw.data.unwrap_or_default();
        let data = match kind {
            Some(SecretType::DockerConfigJson) => data.dockerconfigjson,
            Some(SecretType::DockerCfg) => data.dockercfg,
            None => Zeroizing::default(),
        };
        Self {
            meta: raw.metadata.into(),
            kind,
            data,
        }
    }
}

impl From<RawAccount> for AccountObject {
    fn from(mut raw: RawAccount) -> Self {
        let annotations = raw.metadata.annotations.take().unwrap_or_default();
        let references = raw.image_pull_secrets.unwrap_or_default();
        let account = ServiceAccount {
            pull_secrets: references.into_iter().filter_map(|r| r.name).collect(),
            enforces_mountable: annotations.enforce_mountable.as_deref() == Some("true"),
        };
        Self {
            meta: raw.metadata.into(),
            account,
        }
    }
}

impl fmt::Debug for SecretObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (namespace, name, _) = identity(self);
        write!(f, "Secret {namespace}/{name}")
    }
}

macro_rules! resource {
    ($object:ty, $scope:ty, $kind:literal, $plural:literal, metadata: $metadata:literal) => {
        impl Resource for $object {
            type DynamicType = ();
            type Scope = $scope;

            fn kind((): &()) -> Cow<'_, str> {
                $kind.into()
            }

            fn group((): &()) -> Cow<'_, str> {
                "".into()
            }

            fn version((): &()) -> Cow<'_, str> {
                "v1".into()
            }

            fn plural((): &()) -> Cow<'_, str> {
                $plural.into()
            }

            fn metadata_api() -> bool {
                $metadata
            }

            fn meta(&self) -> &ObjectMeta {
                &self.meta
            }

            fn meta_mut(&mut self) -> &mut ObjectMeta {
                &mut self.meta
            }
        }
    };
}

resource!(NamespaceObject, ClusterResourceScope, "Namespace", "namespaces", metadata: true);
resource!(SecretObject, NamespaceResourceScope, "Secret", "secrets", metadata: false);
resource!(AccountObject, NamespaceResourceScope, "ServiceAccount", "serviceaccounts", metadata: false);

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_namespace_is_its_two_labels() {
        let object: NamespaceObject = serde_json::from_value(json!({
            "metadata": {"name": "a", "resourceVersion": "7", "labels": {
                "cotter.dev/mode": "audit", "cotter.dev/policy": "strict", "x": "y"}}
        }))
        .unwrap();
        assert_eq!(object.choice.mode, Some(Mode::Audit));
        assert_eq!(object.choice.policy.as_deref(), Some("strict"));
        assert_eq!(identity(&object), ("".into(), "a".into(), 7));
    }

    #[test]
    fn an_unknown_mode_is_not_opted_in() {
        let labels = json!({"metadata": {"name": "a", "labels": {"cotter.dev/mode": "on"}}});
        let object: NamespaceObject = serde_json::from_value(labels).unwrap();
        assert_eq!(object.choice, Namespace::default());
    }

    #[test]
    fn a_secret_is_the_value_of_its_type_and_debug_shows_none() {
        let object: SecretObject = serde_json::from_value(json!({
            "metadata": {"name": "s", "namespace": "a"},
            "type": "kubernetes.io/dockercfg",
            "data": {".dockercfg": "e30=", "other": 5}
        }))
        .unwrap();
        assert_eq!(object.kind, Some(SecretType::DockerCfg));
        assert_eq!(*object.data, b"{}");
        assert_eq!(format!("{object:?}"), "Secret a/s");
    }

    #[test]
    fn a_value_that_is_not_base64_decodes_to_a_broken_one() {
        let object: SecretObject = serde_json::from_value(json!({
            "type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": "%"}
        }))
        .unwrap();
        assert_eq!(*object.data, [0xff]);
    }

    #[test]
    fn a_service_account_is_its_pull_secrets_and_one_annotation() {
        let object: AccountObject = serde_json::from_value(json!({
            "metadata": {"name": "s", "annotations": {"kubernetes.io/enforce-mountable-secrets": "true"}},
            "imagePullSecrets": [{"name": "b"}, {}, {"name": "a"}]
        }))
        .unwrap();
        assert_eq!(object.account.pull_secrets, ["b", "a"]);
        assert!(object.account.enforces_mountable);
    }
}
