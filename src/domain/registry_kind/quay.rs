//! Quay: `quay.io`, or somebody's own.

use super::{Address, Hint, Problem, Rules, Wanted, given, host_of_type, scope};
use crate::domain::registry_type::RegistryType;

const NAME: &str = "Quay";
pub(super) const HOST: &str = "quay.io";

pub(super) const RULES: Rules = Rules {
    name: NAME,
    registry_type: Some(RegistryType::Quay),
    host,
    key: scope::key,
    keys: &["username", "token"],
    login: Some(("username", "token")),
    given: |keys| given::token_login(keys, "username", "token"),
    // A robot may read what its organisation lets it, and no image of all.
    probe: |_, _| None,
};

fn host(
    _: &Wanted<'_>,
    address: Option<&Address>,
    notes: &mut Vec<Hint>,
) -> Result<Option<String>, Problem> {
    let Some(address) = address else {
        return Ok(Some(HOST.to_owned()));
    };
    host_of_type(address, RegistryType::Quay, NAME, notes).map(Some)
}
