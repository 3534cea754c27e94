//! From the spec and the credential Secret to what a pull secret holds.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use kube::runtime::reflector::{ObjectRef, Store};
use zeroize::Zeroizing;

use super::{ecr::Passwords, objects::CredentialSecret};
use crate::{
    api::registry::{Probe, Registry},
    domain::{
        credential::Credential,
        registry_kind::{self, Given, Hint, Located, Place, Wanted},
        secret_manifest::docker_config_json,
    },
};

/// What a `Registry` comes to.
pub(super) struct Prepared {
    /// As images spell it.
    pub(super) host: String,
    /// What the pull secrets hold; `None` for a Public registry.
    pub(super) content: Option<Zeroizing<Vec<u8>>>,
    pub(super) credential: Option<Arc<Credential>>,
    pub(super) expires_at: Option<Timestamp>,
    /// What the live test reads.
    pub(super) probe: Option<Probe>,
    /// What a person should know of it.
    pub(super) notes: Vec<String>,
}

/// Why it comes to nothing.
pub(super) struct Refused {
    pub(super) host: Option<String>,
    pub(super) reason: &'static str,
    pub(super) message: String,
    /// Spec and credential are well; somebody who was asked said no.
    pub(super) is_valid: bool,
}

/// Reads both, and checks what can be told without asking the registry. AWS is asked for ECR's passwords.
pub(super) async fn prepare(
    registry: &Registry,
    sources: &Sources<'_>,
) -> Result<Prepared, Refused> {
    let wanted = registry.spec.wanted();
    let place = match wanted.place() {
        Ok(Located::At(place)) => Some(place),
        Ok(Located::OfAccount) => None,
        Err(problem) => return Err(Refused::invalid(None, problem.to_string())),
    };
    let refuse = |reason, message| Refused {
        reason,
        ..Refused::invalid(place.as_ref(), message)
    };
    let secret = sources.secret(registry);
    let secret = secret.map_err(|message| refuse("NoCredential", message))?;
    let other = |message| refuse("OtherCredential", message);
    let own = registry.metadata.name.as_deref().unwrap_or_default();
    let is_meant = |place: Option<&Place>| match (&secret, place) {
        (Some(secret), place) => secret.is_for(own, place.map(|place| place.host.as_str())),
        (None, Some(place)) => {
            let may = wanted.may_use_own_identity(place);
            may.map_err(|problem| problem.to_string())
        }
        (None, None) => Ok(()),
    };
    is_meant(place.as_ref()).map_err(other)?;
    let nothing = BTreeMap::new();
    let data = secret.as_ref().map_or(&nothing, |secret| &secret.data);
    let reading = wanted.credential(data, sources.now);
    let given = reading.given.map_err(|problems| {
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        refuse("Invalid", problems.join("; "))
    })?;
    let (place, login) = match (place, given) {
        (place, given @ (Given::AwsKeys { .. } | Given::AmbientAws)) => {
            let (place, login) = sources.of_aws(registry, &wanted, place, &given).await?;
            let other = |message| Refused {
                reason: "OtherCredential",
                ..Refused::invalid(Some(&place), message)
            };
            is_meant(Some(&place)).map_err(other)?;
            (place, login)
        }
        (Some(place), given) => {
            let expires_at = given.expires(&place, None);
            (place, Login { given, expires_at })
        }
        (None, _) => return Err(Refused::invalid(None, "the host is not known".to_owned())),
    };
    Ok(login.prepared(registry, &wanted, &place, &reading.hints))
}

/// Where credentials come from.
pub(super) struct Sources<'a> {
    pub(super) credentials: &'a Store<CredentialSecret>,
    pub(super) passwords: &'a Passwords,
    pub(super) own_namespace: &'a str,
    pub(super) now: Timestamp,
}

/// What is to stand in the pull secrets.
struct Login {
    given: Given,
    expires_at: Option<Timestamp>,
}

// === impl Login ===

impl Login {
    fn prepared(
        self,
        registry: &Registry,
        wanted: &Wanted<'_>,
        place: &Place,
        hints: &[Hint],
    ) -> Prepared {
        let own_probe = registry.spec.probe.clone();
        let (content, credential) = match &self.given {
            Given::Login { username, password } => {
                let content = docker_config_json(&place.key, username, password, "");
                let credential = Credential::new(username.as_bytes(), password.as_slice());
                (Some(content), Some(Arc::new(credential)))
            }
            _ => (None, None),
        };
        let notes = place.notes.iter().chain(hints);
        Prepared {
            probe: own_probe.or_else(|| wanted.default_probe(&self.given).map(default_probe)),
            expires_at: self.expires_at,
            host: place.host.to_string(),
            content,
            credential,
            notes: notes.map(ToString::to_string).collect(),
        }
    }
}

// === impl Refused ===

impl Refused {
    fn invalid(place: Option<&Place>, message: String) -> Self {
        Self {
            host: place.map(|place| place.host.to_string()),
            reason: "Invalid",
            message,
            is_valid: false,
        }
    }
}

// === impl Sources ===

impl Sources<'_> {
    /// A password that AWS makes, and the registry that it is for.
    async fn of_aws(
        &self,
        registry: &Registry,
        wanted: &Wanted<'_>,
        place: Option<Place>,
        given: &Given,
    ) -> Result<(Place, Login), Refused> {
        let Some(service) = wanted.token_service() else {
            let message = "spec.region: not known: name it".to_owned();
            return Err(Refused::invalid(place.as_ref(), message));
        };
        let uid = registry.metadata.uid.as_deref().unwrap_or_default();
        let made = self.passwords.get(uid, &service, given, self.now).await;
        let made = made.map_err(|error| Refused {
            reason: "NoPassword",
            is_valid: true,
            ..Refused::invalid(
                place.as_ref(),
                format!(
                    "AWS makes no password for ECR: {error}; the identity needs ecr:GetAuthorizationToken"
                ),
            )
        })?;
        let place = match place {
            Some(place) => place,
            None => wanted
                .place_of(&made.account)
                .map_err(|problem| Refused::invalid(None, problem.to_string()))?,
        };
        let login = Login {
            given: Given::Login {
                username: Zeroizing::new("AWS".to_owned()),
                password: made.text,
            },
            expires_at: Some(made.ends),
        };
        Ok((place, login))
    }

    /// The Secret that the spec names, if it names one.
    fn secret(&self, registry: &Registry) -> Result<Option<Arc<CredentialSecret>>, String> {
        let Some(named) = &registry.spec.credentials else {
            return Ok(None);
        };
        let (own, name) = (self.own_namespace, &*named.secret_ref.name);
        let key = ObjectRef::new(name).within(own);
        let secret = self.credentials.get(&key).ok_or_else(|| {
            format!("there is no Secret {own}/{name}, which spec.credentials names: create it")
        })?;
        Ok(Some(secret))
    }
}

fn default_probe(probe: registry_kind::Probe) -> Probe {
    Probe {
        repository: probe.repository.to_owned(),
        tag: probe.tag.to_owned(),
    }
}
