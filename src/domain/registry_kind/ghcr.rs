//! GitHub's container registry: `ghcr.io`, or `containers.<host>` of an Enterprise server.

use super::{Address, Hint, Problem, Rules, Wanted, given, host_of_type_or, scope};
use crate::domain::registry_type::RegistryType;

const NAME: &str = "GHCR";
const HOST: &str = "ghcr.io";

pub(super) const RULES: Rules = Rules {
    name: NAME,
    registry_type: Some(RegistryType::Ghcr),
    host,
    key: scope::key,
    keys: &["username", "token"],
    login: Some(("username", "token")),
    given: |keys| given::token_login(keys, "username", "token"),
    // A package that every token may read is not known.
    probe: |_, _| None,
};

fn host(
    _: &Wanted<'_>,
    address: Option<&Address>,
    notes: &mut Vec<Hint>,
) -> Result<Option<String>, Problem> {
    let of_a_server = address.filter(|address| address.host.starts_with("containers."));
    if let Some(address) = of_a_server {
        return Ok(Some(address.host.clone()));
    }
    host_of_type_or(HOST, address, RegistryType::Ghcr, NAME, notes)
}
