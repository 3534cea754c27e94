//! A registry that is asked anonymously: it has a host and no credential.

use super::{Given, Probe, Rules, Wanted, custom, docker_hub};

const NAME: &str = "Public";

pub(super) const RULES: Rules = Rules {
    name: NAME,
    registry_type: None,
    host: |_, address, notes| custom::named(address, NAME, notes),
    key: custom::key,
    keys: &[],
    login: None,
    given: |_| Some(Given::Nobody),
    probe,
};

/// Of other hosts, no image is known that everybody may read.
fn probe(wanted: &Wanted<'_>, _given: &Given) -> Option<Probe> {
    docker_hub::is_all(wanted).then_some(docker_hub::PROBE)
}
