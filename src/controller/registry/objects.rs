//! The few members of Secrets that matter here.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use kube::{
    Resource,
    core::{NamespaceResourceScope, ObjectMeta},
};
use serde::{Deserialize, Deserializer};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::{api::labels, domain::docker_config::SecretType};

/// A Secret that may be a pull secret: whose it is, and what it holds, without holding it.
#[derive(Clone, Deserialize)]
#[serde(from = "RawSecret")]
pub(super) struct KeptSecret {
    meta: ObjectMeta,
    /// Of the docker configuration; `None` where it is of another type.
    pub(super) content: Option<ContentHash>,
    pub(super) is_owned: bool,
}

/// A Secret of cotter's own namespace.
#[derive(Clone, Deserialize)]
#[serde(from = "RawCredential")]
pub(super) struct CredentialSecret {
    meta: ObjectMeta,
    pub(super) data: BTreeMap<String, Zeroizing<Vec<u8>>>,
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

#[derive(Deserialize)]
struct RawCredential {
    #[serde(default)]
    metadata: ObjectMeta,
    #[serde(default)]
    data: Option<BTreeMap<String, Bytes>>,
}

/// Never fails on the text: kube logs the body of a response that does not decode.
struct Bytes(Zeroizing<Vec<u8>>);

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
        let labels = self.meta.labels.as_ref()?;
        labels.get(labels::REGISTRY).map(String::as_str)
    }
}

// === impl CredentialSecret ===

impl CredentialSecret {
    pub(super) fn annotation(&self, name: &str) -> Option<&str> {
        let annotations = self.meta.annotations.as_ref()?;
        annotations.get(name).map(String::as_str)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Option::<Cow<'de, str>>::deserialize(deserializer)?.unwrap_or_default();
        let decoded = BASE64_STANDARD.decode(text.as_bytes());
        Ok(Self(Zeroizing::new(decoded.unwrap_or_default())))
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
        let mut owners = metadata.owner_references.iter().flatten();
        Self {
            is_owned: owners.any(|owner| owner.kind == "Registry"),
            content: content
                .filter(|_| is_pull_secret)
                .map(|content| ContentHash::of(&content.0)),
            meta: ObjectMeta {
                annotations: None,
                owner_references: None,
                ..metadata
            },
        }
    }
}

impl From<RawCredential> for CredentialSecret {
    fn from(raw: RawCredential) -> Self {
        let data = raw.data.unwrap_or_default().into_iter();
        Self {
            meta: raw.metadata,
            data: data.map(|(key, Bytes(value))| (key, value)).collect(),
        }
    }
}

macro_rules! secret {
    ($object:ty) => {
        impl Resource for $object {
            type DynamicType = ();
            type Scope = NamespaceResourceScope;

            fn kind((): &()) -> Cow<'_, str> {
                "Secret".into()
            }

            fn group((): &()) -> Cow<'_, str> {
                "".into()
            }

            fn version((): &()) -> Cow<'_, str> {
                "v1".into()
            }

            fn plural((): &()) -> Cow<'_, str> {
                "secrets".into()
            }

            fn meta(&self) -> &ObjectMeta {
                &self.meta
            }

            fn meta_mut(&mut self) -> &mut ObjectMeta {
                &mut self.meta
            }
        }

        impl fmt::Debug for $object {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let text = |text: &Option<String>| text.clone().unwrap_or_default();
                let (namespace, name) = (text(&self.meta.namespace), text(&self.meta.name));
                write!(f, "Secret {namespace}/{name}")
            }
        }
    };
}

secret!(KeptSecret);
secret!(CredentialSecret);
