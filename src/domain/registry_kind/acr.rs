//! Azure's registries: each has a name of its own.

use super::{Address, Field, Hint, Problem, Rules, Wanted, given, host_of_type, scope};
use crate::domain::registry_type::RegistryType;

const NAME: &str = "ACR";

pub(super) const RULES: Rules = Rules {
    name: NAME,
    // A token says which host it is for, and one behind a domain of its own is for another: only Azure's hosts tell.
    registry_type: None,
    host,
    key: scope::key,
    keys: &["username", "password"],
    login: Some(("username", "password")),
    given: given::password_login,
    probe: |_, _| None,
};

fn host(
    _: &Wanted<'_>,
    address: Option<&Address>,
    notes: &mut Vec<Hint>,
) -> Result<Option<String>, Problem> {
    let Some(address) = address else {
        let text = "missing: write the registry's login server, <name>.azurecr.io";
        return Err(Problem::new(Field::Host, text));
    };
    if address.host.starts_with("azurecr.") {
        let text = format!("the registry's name is missing: <name>.{}", address.host);
        return Err(Problem::new(address.field.clone(), text));
    }
    let labels: Vec<&str> = address.bare_host().split('.').collect();
    match *labels {
        [_, _, "data", "azurecr", end] => {
            let text = format!("layers come from there, images do not: write <name>.azurecr.{end}");
            Err(Problem::new(address.field.clone(), text))
        }
        // One replica of a registry has a login server of its own.
        [_, _, "geo", "azurecr", "io" | "cn" | "de" | "us"] => Ok(Some(address.host.clone())),
        _ => host_of_type(address, RegistryType::Acr, NAME, notes).map(Some),
    }
}
