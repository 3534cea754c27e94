//! The two formats of a pull secret, decoded as Go's `encoding/json` and the kubelet do
//! (`pkg/credentialprovider/config.go`, v1.36.2).

pub mod auth_field;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, sync::Arc};

use self::auth_field::AuthError;
use super::{
    credential::Credential,
    go_json::{Kind, SyntaxError, Value, names_field},
    keyring::Entry,
    registry_key::RegistryKey,
};

/// The type of a Secret that the kubelet takes for a pull secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SecretType {
    /// `kubernetes.io/dockerconfigjson`, under `.dockerconfigjson`.
    DockerConfigJson,
    /// `kubernetes.io/dockercfg`, under `.dockercfg`.
    DockerCfg,
}

/// Why the kubelet cannot read a pull secret, in its own words. The text shows no credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{cause}")]
pub struct DockerConfigError {
    cause: Cause,
    /// The prepared key of the entry at fault; a key as written could hold a user and a password.
    key: Option<RegistryKey>,
    placeholder: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Cause {
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    #[error("json: cannot unmarshal {} into Go {into}", found.as_str())]
    Type { found: Kind, into: &'static str },
    #[error(transparent)]
    Auth(#[from] AuthError),
}

// === impl SecretType ===

impl SecretType {
    /// The type that a Secret's `type` names, if it is one of the two.
    #[must_use]
    pub fn from_type(text: &str) -> Option<Self> {
        match text {
            "kubernetes.io/dockerconfigjson" => Some(Self::DockerConfigJson),
            "kubernetes.io/dockercfg" => Some(Self::DockerCfg),
            _ => None,
        }
    }

    /// The key of the Secret's data that holds the configuration.
    #[must_use]
    pub fn data_key(self) -> &'static str {
        match self {
            Self::DockerConfigJson => ".dockerconfigjson",
            Self::DockerCfg => ".dockercfg",
        }
    }
}

// === impl DockerConfigError ===

impl DockerConfigError {
    /// What to do about it, where the text alone does not say.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let of = match &self.key {
            Some(key) => format!(" of {}", key.as_str()),
            None => String::new(),
        };
        match self.cause {
            Cause::Auth(_) if self.placeholder => Some(format!(
                "the auth{of} looks like a placeholder that was never replaced"
            )),
            Cause::Auth(_) => Some(format!("the auth{of} must be base64 of user:password")),
            _ => None,
        }
    }
}

impl<E: Into<Cause>> From<E> for DockerConfigError {
    fn from(cause: E) -> Self {
        Self {
            cause: cause.into(),
            key: None,
            placeholder: false,
        }
    }
}

/// The entries of a pull secret's data, in the order in which they are written. An entry whose key is no URL to the
/// kubelet is dropped, as there.
///
/// # Errors
/// [`DockerConfigError`] where the kubelet fails to build the Pod's keyring from it.
pub fn read(kind: SecretType, data: &[u8]) -> Result<Vec<Entry>, DockerConfigError> {
    let document = Value::parse(data).map_err(Cause::from)?;
    let mut found = Found::default();
    match kind {
        SecretType::DockerConfigJson => found.read_config_json(document)?,
        SecretType::DockerCfg => {
            found.read_auths(document, "value of type credentialprovider.DockerConfig")?;
        }
    }
    match found.mismatch {
        Some(mismatch) => Err(mismatch.into()),
        None => Ok(found.entries()),
    }
}

/// What was read so far.
#[derive(Default)]
struct Found {
    order: Vec<(String, Credential)>,
    places: HashMap<String, usize>,
    /// Go goes on after a value of the wrong type, and fails with the first of them at the end.
    mismatch: Option<Cause>,
}

impl Found {
    /// The struct `DockerConfigJSON`; `HttpHeaders` is unused, but of the wrong type it makes the kubelet fail.
    fn read_config_json(&mut self, document: Value<'_>) -> Result<(), DockerConfigError> {
        match document.kind() {
            Kind::Object => {}
            Kind::Null => return Ok(()),
            found => {
                let into = "value of type credentialprovider.DockerConfigJSON";
                self.save(Cause::Type { found, into });
                return Ok(());
            }
        }
        for (name, value) in document.members() {
            if names_field(&name, "auths") {
                let into =
                    "struct field DockerConfigJSON.auths of type credentialprovider.DockerConfig";
                self.read_auths(value, into)?;
            } else if names_field(&name, "HttpHeaders") {
                self.check_headers(value);
            }
        }
        Ok(())
    }

    /// The map `DockerConfig`: a second one is merged into the first, `null` empties it.
    fn read_auths(
        &mut self,
        auths: Value<'_>,
        into: &'static str,
    ) -> Result<(), DockerConfigError> {
        match auths.kind() {
            Kind::Object => {}
            Kind::Null => {
                self.order.clear();
                self.places.clear();
            }
            found => self.save(Cause::Type { found, into }),
        }
        for (server, value) in auths.members() {
            let credential =
                read_entry(value).map_err(|(cause, placeholder)| DockerConfigError {
                    cause,
                    key: RegistryKey::prepare(&server),
                    placeholder,
                })?;
            if let Some(earlier) = self
                .places
                .get(&server)
                .and_then(|at| self.order.get_mut(*at))
            {
                earlier.1 = credential;
            } else {
                self.places.insert(server.clone(), self.order.len());
                self.order.push((server, credential));
            }
        }
        Ok(())
    }

    fn check_headers(&mut self, headers: Value<'_>) {
        let (map, string) = (
            "struct field DockerConfigJSON.HttpHeaders of type map[string]string",
            "struct field DockerConfigJSON.HttpHeaders of type string",
        );
        match headers.kind() {
            Kind::Object | Kind::Null => {}
            found => self.save(Cause::Type { found, into: map }),
        }
        for (_, value) in headers.members() {
            match value.kind() {
                Kind::String | Kind::Null => {}
                found => self.save(Cause::Type {
                    found,
                    into: string,
                }),
            }
        }
    }

    fn save(&mut self, mismatch: Cause) {
        self.mismatch.get_or_insert(mismatch);
    }

    fn entries(self) -> Vec<Entry> {
        let entry = |(server, credential): (String, Credential)| {
            Some(Entry {
                key: RegistryKey::prepare(&server)?,
                server: server.into(),
                credential: Arc::new(credential),
            })
        };
        self.order.into_iter().filter_map(entry).collect()
    }
}

/// The struct `dockerConfigEntryWithAuth`: members are overwritten one by one, `null` leaves them. An `auth` that is
/// not empty takes the place of user and password.
fn read_entry(entry: Value<'_>) -> Result<Credential, (Cause, bool)> {
    let (mut username, mut password, mut auth) = <(String, String, String)>::default();
    let mut mismatch = None;
    match entry.kind() {
        Kind::Object | Kind::Null => {}
        found => {
            let into = "value of type credentialprovider.dockerConfigEntryWithAuth";
            mismatch = Some(Cause::Type { found, into });
        }
    }
    let mut email = String::new();
    for (name, value) in entry.members() {
        let Some((field, into)) = [
            (&mut username, "username", USERNAME),
            (&mut password, "password", PASSWORD),
            (&mut email, "email", EMAIL),
            (&mut auth, "auth", AUTH),
        ]
        .into_iter()
        .find_map(|(field, known, into)| names_field(&name, known).then_some((field, into))) else {
            continue;
        };
        match value.kind() {
            Kind::String => *field = value.text(),
            Kind::Null => {}
            found => {
                mismatch.get_or_insert(Cause::Type { found, into });
            }
        }
    }
    if let Some(mismatch) = mismatch {
        return Err((mismatch, false));
    }
    if auth.is_empty() {
        return Ok(Credential::new(username, password));
    }
    let (username, password) = auth_field::decode(&auth)
        .map_err(|error| (error.into(), auth_field::looks_like_placeholder(&auth)))?;
    Ok(Credential::new(username, password))
}

const USERNAME: &str = "struct field dockerConfigEntryWithAuth.username of type string";
const PASSWORD: &str = "struct field dockerConfigEntryWithAuth.password of type string";
const EMAIL: &str = "struct field dockerConfigEntryWithAuth.email of type string";
const AUTH: &str = "struct field dockerConfigEntryWithAuth.auth of type string";
