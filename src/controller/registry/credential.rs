//! From the spec and the credential Secret to what a pull secret holds.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use kube::runtime::reflector::{ObjectRef, Store};
use zeroize::Zeroizing;

use super::objects::CredentialSecret;
use crate::{
    api::{
        labels,
        registry::{Kind, Probe, Registry, RegistrySpec},
    },
    domain::{
        credential::Credential,
        registry_kind::{self, Given, Located, Place, Wanted},
        secret_manifest::docker_config_json,
    },
};

const NO_ACCOUNT: &str =
    "AWS is not asked for the credential's account by this version: set spec.account";
const NO_ECR: &str = "ECR's passwords are not made by this version: put one into the Secret of a Registry of type Custom";

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
}

/// Reads both, and checks what can be told without asking anybody.
pub(super) fn prepare(
    registry: &Registry,
    credentials: &Store<CredentialSecret>,
    own_namespace: &str,
    now: Timestamp,
) -> Result<Prepared, Refused> {
    let wanted = wanted(&registry.spec);
    let refuse = |host, reason, message| Refused {
        host,
        reason,
        message,
    };
    let place = match wanted.place() {
        Ok(Located::At(place)) => place,
        Ok(Located::OfAccount) => return Err(refuse(None, "Unsupported", NO_ACCOUNT.to_owned())),
        Err(problem) => return Err(refuse(None, "Invalid", problem.to_string())),
    };
    let refuse = |reason, message| refuse(Some(place.host.to_string()), reason, message);
    let secret = secret(registry, credentials, own_namespace, &place);
    let secret = secret.map_err(|(reason, message)| refuse(reason, message))?;
    let nothing = BTreeMap::new();
    let data = secret.as_ref().map_or(&nothing, |secret| &secret.data);
    let reading = wanted.credential(data, now);
    let given = reading.given.map_err(|problems| {
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        refuse("Invalid", problems.join("; "))
    })?;
    let notes = place.notes.iter().chain(&reading.hints);
    let notes = notes.map(ToString::to_string).collect();
    let (content, credential) = match &given {
        Given::Login { username, password } => {
            let content = docker_config_json(&place.key, username, password, "");
            let credential = Credential::new(username.as_bytes(), password.as_slice());
            (Some(content), Some(Arc::new(credential)))
        }
        Given::Nobody => (None, None),
        Given::AwsKeys { .. } | Given::AmbientAws => {
            return Err(refuse("Unsupported", NO_ECR.to_owned()));
        }
    };
    let own_probe = registry.spec.probe.clone();
    Ok(Prepared {
        probe: own_probe.or_else(|| wanted.default_probe(&given).map(default_probe)),
        expires_at: given.expires(&place, None),
        host: place.host.to_string(),
        content,
        credential,
        notes,
    })
}

/// The Secret that the spec names, if it names one; or a reason and a message.
fn secret(
    registry: &Registry,
    credentials: &Store<CredentialSecret>,
    own_namespace: &str,
    place: &Place,
) -> Result<Option<Arc<CredentialSecret>>, (&'static str, String)> {
    let Some(named) = &registry.spec.credentials else {
        return Ok(None);
    };
    let name = &*named.secret_ref.name;
    let key = ObjectRef::new(name).within(own_namespace);
    let secret = credentials.get(&key).ok_or_else(|| {
        let message = format!(
            "there is no Secret {own_namespace}/{name}, which spec.credentials names: create it"
        );
        ("NoCredential", message)
    })?;
    is_meant(registry, &secret, place).map_err(|message| ("OtherCredential", message))?;
    Ok(Some(secret))
}

/// A credential is used for what it says that it is for, and for nothing else: whoever may write a Registry need not be
/// allowed to send every Secret of cotter's namespace to a host of their choice.
fn is_meant(registry: &Registry, secret: &CredentialSecret, place: &Place) -> Result<(), String> {
    let own = registry.metadata.name.as_deref().unwrap_or_default();
    for (annotation, wanted) in [(labels::REGISTRY, own), (labels::HOST, &place.host)] {
        let is = secret.annotation(annotation);
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

fn wanted(spec: &RegistrySpec) -> Wanted<'_> {
    Wanted {
        kind: kind(spec.kind),
        host: spec.host.as_deref(),
        login_server: spec.login_server.as_deref(),
        url: spec.url.as_deref(),
        owner: spec.owner.as_deref(),
        account: spec.account.as_deref(),
        region: spec.region.as_deref(),
    }
}

fn kind(kind: Kind) -> registry_kind::Kind {
    use registry_kind::Kind as Meant;
    match kind {
        Kind::Ghcr => Meant::Ghcr,
        Kind::DockerHub | Kind::Docker => Meant::DockerHub,
        Kind::Ecr => Meant::Ecr,
        Kind::Acr => Meant::Acr,
        Kind::Gcr => Meant::Gcr,
        Kind::Gar => Meant::Gar,
        Kind::Quay => Meant::Quay,
        Kind::Custom => Meant::Custom,
        Kind::Public => Meant::Public,
    }
}

fn default_probe(probe: registry_kind::Probe) -> Probe {
    Probe {
        repository: probe.repository.to_owned(),
        tag: probe.tag.to_owned(),
    }
}
