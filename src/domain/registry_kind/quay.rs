//! Quay: `quay.io`, or somebody's own.

use super::{Rules, given, host_of_type_or, scope};
use crate::domain::registry_type::RegistryType;

const NAME: &str = "Quay";
pub(super) const HOST: &str = "quay.io";

pub(super) const RULES: Rules = Rules {
    name: NAME,
    registry_type: Some(RegistryType::Quay),
    host: |_, address, notes| host_of_type_or(HOST, address, RegistryType::Quay, NAME, notes),
    key: scope::key,
    keys: &["username", "token"],
    login: Some(("username", "token")),
    given: |keys| given::token_login(keys, "username", "token"),
    // A robot may read what its organisation lets it, and no image of all.
    probe: |_, _| None,
};
