//! Google's Container Registry: `gcr.io` and those of three continents, each with logins of its own. A service account's
//! key is the password, and the user says that it is one.

use super::{Given, Rules, given, host_of_type_or, scope, secret::Keys};
use crate::domain::registry_type::RegistryType;

const NAME: &str = "GCR";
const HOST: &str = "gcr.io";

/// The key of the Secret that holds the service account's key.
pub(super) const KEY: &str = "serviceAccountKey";
/// The user that goes with the JSON of a service account's key.
const USER: &str = "_json_key";

pub(super) const RULES: Rules = Rules {
    name: NAME,
    registry_type: Some(RegistryType::Google),
    host: |_, address, notes| host_of_type_or(HOST, address, RegistryType::Google, NAME, notes),
    key: scope::key,
    keys: &[KEY],
    login: Some((KEY, KEY)),
    given: login,
    // Which of Google's own images a service account may read depends on its project.
    probe: |_, _| None,
};

/// The key as it is: its text is the password, so that nothing in it may be changed.
pub(super) fn login(keys: &mut Keys<'_>) -> Option<Given> {
    Some(given::login(USER, keys.text(KEY)?.as_bytes()))
}
