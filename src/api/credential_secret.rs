//! The Secret with a registry's credential, in cotter's own namespace.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use k8s_openapi::api::core::v1::Secret;
use kube::{Resource, core::ObjectMeta};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeStruct as _};
use zeroize::Zeroizing;

use super::labels;

/// A Secret of cotter's own namespace. Its `Debug` shows its name only.
#[derive(Clone, Deserialize, Resource)]
#[resource(inherit = Secret)]
#[serde(from = "RawSecret")]
pub struct CredentialSecret {
    /// Its metadata.
    pub metadata: ObjectMeta,
    /// Its keys.
    pub data: BTreeMap<String, Zeroizing<Vec<u8>>>,
}

#[derive(Deserialize)]
struct RawSecret {
    #[serde(default)]
    metadata: ObjectMeta,
    #[serde(default)]
    data: Option<BTreeMap<String, Bytes>>,
}

/// A value of a Secret. Never fails on the text: kube logs the body of a response that does not decode.
pub struct Bytes(pub Zeroizing<Vec<u8>>);

// === impl CredentialSecret ===

impl CredentialSecret {
    /// What an annotation says.
    #[must_use]
    pub fn annotation(&self, name: &str) -> Option<&str> {
        let annotations = self.metadata.annotations.as_ref()?;
        annotations.get(name).map(String::as_str)
    }

    /// A credential is used for what it says that it is for, and for nothing else: whoever may write a Registry need not be
    /// allowed to send every Secret of cotter's namespace to a host of their choice. Without a `host`, that is not known yet.
    ///
    /// # Errors
    /// The annotation that says otherwise, in one line.
    pub fn is_for(&self, registry: &str, host: Option<&str>) -> Result<(), String> {
        let host = host.map(|host| (labels::HOST, host));
        for (annotation, wanted) in [(labels::REGISTRY, registry)].into_iter().chain(host) {
            let is = self.annotation(annotation);
            if is != Some(wanted) {
                let is = match is {
                    Some(is) => format!("is {is:?}"),
                    None => "is missing".to_owned(),
                };
                return Err(format!(
                    "the credential's Secret does not say that it is for this: its annotation {annotation} {is}, and should \
                     be {wanted:?}"
                ));
            }
        }
        Ok(())
    }
}

impl Serialize for CredentialSecret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let coded = |value: &Zeroizing<Vec<u8>>| Zeroizing::new(BASE64_STANDARD.encode(value));
        let data = self.data.iter().map(|(key, value)| (key, coded(value)));
        let mut secret = serializer.serialize_struct("Secret", 4)?;
        secret.serialize_field("apiVersion", "v1")?;
        secret.serialize_field("kind", "Secret")?;
        secret.serialize_field("metadata", &self.metadata)?;
        secret.serialize_field("data", &data.collect::<BTreeMap<_, _>>())?;
        secret.end()
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Option::<Cow<'de, str>>::deserialize(deserializer)?.unwrap_or_default();
        let decoded = BASE64_STANDARD.decode(text.as_bytes());
        Ok(Self(Zeroizing::new(decoded.unwrap_or_default())))
    }
}

impl From<RawSecret> for CredentialSecret {
    fn from(raw: RawSecret) -> Self {
        let data = raw.data.unwrap_or_default().into_iter();
        Self {
            metadata: raw.metadata,
            data: data.map(|(key, Bytes(value))| (key, value)).collect(),
        }
    }
}

impl fmt::Debug for CredentialSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let (namespace, name) = (text(&self.metadata.namespace), text(&self.metadata.name));
        write!(f, "Secret {namespace}/{name}")
    }
}
