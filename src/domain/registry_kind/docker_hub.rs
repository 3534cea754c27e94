//! Docker Hub: images spell it `docker.io`, its `auths` key is that of `docker login`, and it has more names besides.

use super::{Address, Given, Hint, Probe, Problem, Rules, Wanted, given, scope};
use crate::domain::{reference::HUB, registry_type::RegistryType, secret_manifest::DEFAULT_SERVER};

const NAME: &str = "DockerHub";

/// An image that everybody may read. A HEAD is not counted against the limit on pulls (facts §4.2).
pub(super) const PROBE: Probe = Probe {
    repository: "library/hello-world",
    tag: "latest",
};

pub(super) const RULES: Rules = Rules {
    name: NAME,
    registry_type: Some(RegistryType::DockerHub),
    host,
    key,
    keys: &["username", "password"],
    login: Some(("username", "password")),
    given: given::password_login,
    probe,
};

/// The kubelet falls back to the key of all of Docker Hub where no other matches; below a path it takes no notice of
/// that key, and an owner's is `docker.io/<owner>/` (facts §1.1 rule 5).
pub(super) fn key(host: &str, scope: &str) -> String {
    if scope.is_empty() {
        DEFAULT_SERVER.to_owned()
    } else {
        scope::key(host, scope)
    }
}

/// Docker Hub's host, however the address spells it.
pub(super) fn host_of(address: &Address, notes: &mut Vec<Hint>) -> Result<String, Problem> {
    let problem = |text| Err(Problem::new(address.field.clone(), text));
    if RegistryType::of_host(&address.host) != RegistryType::DockerHub {
        let text = format!(
            "{} is not Docker Hub's: leave it out, or choose the type Custom (a mirror has a login of its own)",
            address.host
        );
        return problem(text);
    }
    if address.host.contains(':') {
        return problem(format!(
            "images of Docker Hub have no port: write {HUB}, or leave it out"
        ));
    }
    let is_of_images = matches!(&*address.host, HUB | "index.docker.io");
    if !is_of_images && !address.path.is_empty() {
        // The paths of the website are not those of images.
        return problem(format!(
            "an image's path does not begin like that page's: write {HUB}, and the owner in spec.owner"
        ));
    }
    if address.host != HUB {
        let text = format!("images spell Docker Hub {HUB}, and so does the Registry");
        notes.push(Hint::new(address.field.clone(), text));
    }
    Ok(HUB.to_owned())
}

fn host(
    _: &Wanted<'_>,
    address: Option<&Address>,
    notes: &mut Vec<Hint>,
) -> Result<Option<String>, Problem> {
    match address {
        Some(address) => host_of(address, notes).map(Some),
        None => Ok(Some(HUB.to_owned())),
    }
}

/// None for one owner's login and for an organisation's token (`dckr_oat_…`): either may be kept from all other images.
fn probe(wanted: &Wanted<'_>, given: &Given) -> Option<Probe> {
    let Given::Login { password, .. } = given else {
        return None;
    };
    let is_narrow = !is_all(wanted) || password.starts_with(b"dckr_oat_");
    (!is_narrow).then_some(PROBE)
}

/// Whether it is Docker Hub, and no one owner there.
pub(super) fn is_all(wanted: &Wanted<'_>) -> bool {
    let place = wanted.locate().ok().flatten();
    place.is_some_and(|place| place.key == DEFAULT_SERVER)
}
