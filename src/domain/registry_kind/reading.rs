//! Reads the credential out of a Secret, and holds it against the kind and the host.

use std::collections::BTreeMap;

use jiff::Timestamp;
use zeroize::Zeroizing;

use super::{
    Field, Given, Hint, Kind, Place, Problem, Wanted,
    address::Address,
    ecr,
    secret::{self, Keys},
};
use crate::domain::registry_type::{self, RegistryType, Severity};

/// What a credential Secret was found to hold.
#[derive(Debug)]
pub struct Reading {
    /// The credential, or all that makes it useless.
    pub given: Result<Given, Vec<Problem>>,
    /// What somebody should look at.
    pub hints: Vec<Hint>,
}

impl Wanted<'_> {
    /// Reads the credential out of the keys of its Secret. `now` decides which tokens have expired.
    #[must_use]
    pub fn credential(
        &self,
        data: &BTreeMap<String, Zeroizing<Vec<u8>>>,
        now: Timestamp,
    ) -> Reading {
        let rules = self.kind.rules();
        let mut keys = Keys::new(rules.name, rules.keys, data);
        let given = (rules.given)(&mut keys);
        keys.unread();
        let place = self.locate().ok().flatten();
        self.compare_hosts(&mut keys, place.as_ref());
        if let Some(given) = &given {
            self.check_login(given, place.as_ref(), now, &mut keys);
        }
        let Keys {
            problems, hints, ..
        } = keys;
        Reading {
            given: given.filter(|_| problems.is_empty()).ok_or(problems),
            hints,
        }
    }

    /// A Secret may name the host too, and then it has to be the same one.
    fn compare_hosts(&self, keys: &mut Keys<'_>, place: Option<&Place>) {
        for name in secret::HOSTS {
            let Some(text) = keys.optional_text(name) else {
                continue;
            };
            let Ok(address) = Address::parse(Field::Key(name.into()), text.trim()) else {
                let text =
                    "no host as images spell it: write that of the Registry, or leave the key out";
                keys.problem(name, text);
                continue;
            };
            let same = match place {
                Some(place) => same_host(&address, &place.host),
                None => self.kind != Kind::Ecr || ecr::may_be(self, &address),
            };
            if !same {
                let there = place.map_or("that of the Registry", |place| &place.host);
                let text = format!(
                    "another host than {there}: a credential is sent nowhere else, so write the right one or leave the \
                     key out"
                );
                keys.problem(name, text);
            }
        }
    }

    fn check_login(
        &self,
        given: &Given,
        place: Option<&Place>,
        now: Timestamp,
        keys: &mut Keys<'_>,
    ) {
        let rules = self.kind.rules();
        let server = place.map_or("", |place| &place.key);
        let (Some(login), Some((user, password))) = (given.login(server), rules.login) else {
            return;
        };
        let registry_type = rules
            .registry_type
            .unwrap_or_else(|| RegistryType::of_server(server));
        for finding in registry_type::check_kept(&login, registry_type, now) {
            let name = match finding.about {
                registry_type::About::Username => user,
                _ => password,
            };
            match finding.severity {
                Severity::Error => keys.problem(name, finding.text),
                _ => keys.hint(name, finding.text),
            }
        }
    }
}

/// Whether an address is of this host, Docker Hub being one host of many names.
fn same_host(address: &Address, host: &str) -> bool {
    let is_hub = |host: &str| RegistryType::of_host(host) == RegistryType::DockerHub;
    address.host == host || is_hub(&address.host) && is_hub(host)
}
