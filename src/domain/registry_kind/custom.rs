//! Any other registry: a host, a user and a password.

use super::{Address, Field, Hint, Problem, Rules, docker_hub, given, scope};
use crate::domain::{reference::HUB, registry_type::RegistryType};

const NAME: &str = "Custom";

pub(super) const RULES: Rules = Rules {
    name: NAME,
    registry_type: None,
    host: |_, address, notes| named(address, NAME, notes),
    key,
    keys: &["username", "password"],
    login: Some(("username", "password")),
    given: given::password_login,
    probe: |_, _| None,
};

/// The host that is written; that of Docker Hub in its one spelling.
pub(super) fn named(
    address: Option<&Address>,
    kind: &str,
    notes: &mut Vec<Hint>,
) -> Result<Option<String>, Problem> {
    let Some(address) = address else {
        let text = format!("missing: write the registry's host, since {kind} may be any");
        return Err(Problem::new(Field::Host, text));
    };
    if RegistryType::of_host(&address.host) == RegistryType::DockerHub {
        return docker_hub::host_of(address, notes).map(Some);
    }
    Ok(Some(address.host.clone()))
}

/// Docker Hub's key where it is Docker Hub.
pub(super) fn key(host: &str, path: &str) -> String {
    if host == HUB {
        docker_hub::key(host, path)
    } else {
        scope::key(host, path)
    }
}
