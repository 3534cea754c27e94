//! `keyring.json`: which credentials the kubelet uses for an image, and in which order.

use std::collections::BTreeSet;

use cotter::domain::{
    docker_config::SecretType, keyring::Keyring, pull_secret::PullSecret, reference::Reference,
};
use libtest_mimic::{Failed, Trial};
use serde::Deserialize;

use crate::support::{self, Row, equal};

#[derive(Deserialize)]
pub(crate) struct Input {
    image: String,
    level: Level,
    #[serde(default)]
    entries: Vec<String>,
    #[serde(default)]
    secrets: Vec<Secret>,
}

/// `keyring` looks the image's text up as it is, `pod` parses it first, as the kubelet does.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Keyring,
    Pod,
}

#[derive(Deserialize)]
struct Secret {
    name: String,
    r#type: String,
    data: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expected {
    lookup_name: Option<String>,
    #[serde(rename = "match")]
    matches: bool,
    index: Option<Vec<String>>,
    order: Option<Vec<String>>,
    order_nondeterministic: Option<Vec<Vec<String>>>,
    pull_error: Option<String>,
    keyring_error: Option<String>,
}

pub(crate) fn trials() -> Vec<Trial> {
    let name = |row: &Row<Input, Expected>| {
        let id = row.id.as_deref().unwrap_or("?");
        format!("{id} {}", row.input.image)
    };
    ["keyring", "keyring_edges"]
        .iter()
        .flat_map(|file| support::trials(file, name, check))
        .collect()
}

fn check(row: &Row<Input, Expected>) -> Result<(), Failed> {
    let Row {
        input, expected, ..
    } = row;
    let reference;
    let lookup_name = match (&input.level, Reference::parse(&input.image)) {
        (Level::Keyring, _) => input.image.as_str(),
        (Level::Pod, Ok(parsed)) => {
            reference = parsed;
            reference.lookup_name()
        }
        (Level::Pod, Err(error)) => {
            let actual = format!("InvalidImageName: {error}");
            return equal("pull_error", &Some(actual), &expected.pull_error);
        }
    };
    if let Some(expected) = &expected.lookup_name {
        equal("lookup_name", lookup_name, expected)?;
    }
    let secrets = secrets(input)?;
    if let Some((name, error)) = secrets
        .iter()
        .find_map(|secret| Some((secret.name(), secret.broken()?)))
    {
        let actual = format!("secret {name}: {error}");
        return equal("keyring_error", &Some(actual), &expected.keyring_error);
    }
    equal("keyring_error", &None, &expected.keyring_error)?;
    if let Some(expected) = &expected.index {
        equal("index", &index(&secrets), expected)?;
    }
    check_order(&secrets, lookup_name, expected)
}

/// The secrets of the row, or its entries as one secret `s1` whose users are named after their keys.
fn secrets(input: &Input) -> Result<Vec<PullSecret>, Failed> {
    if input.secrets.is_empty() {
        let user = |key: &String| (key.clone(), serde_json::json!({ "username": key }));
        let entries: serde_json::Map<_, _> = input.entries.iter().map(user).collect();
        let data = serde_json::to_vec(&entries)?;
        return Ok(vec![PullSecret::read("s1", SecretType::DockerCfg, &data)]);
    }
    let read = |secret: &Secret| {
        let kind = SecretType::from_type(&secret.r#type).ok_or("not a type of pull secret")?;
        Ok(PullSecret::read(&secret.name, kind, secret.data.as_bytes()))
    };
    input.secrets.iter().map(read).collect()
}

fn index(secrets: &[PullSecret]) -> Vec<String> {
    let keys: BTreeSet<_> = secrets
        .iter()
        .flat_map(PullSecret::entries)
        .map(|entry| entry.key.as_str().to_owned())
        .collect();
    keys.into_iter().rev().collect()
}

fn check_order(
    secrets: &[PullSecret],
    lookup_name: &str,
    expected: &Expected,
) -> Result<(), Failed> {
    let keyring = Keyring::new(secrets);
    let found = keyring.lookup(lookup_name);
    equal("match", &!found.is_empty(), &expected.matches)?;
    let order: Vec<String> = found
        .iter()
        .map(|found| {
            let user = String::from_utf8_lossy(found.entry.credential.username());
            // The rows leave out the `u:` of users that are numbered or named so.
            format!("{}|{}", found.secret, user.trim_start_matches("u:"))
        })
        .collect();
    if let Some(expected) = &expected.order {
        equal("order", &order, expected)?;
    }
    if let Some(possible) = &expected.order_nondeterministic {
        let sets: Vec<BTreeSet<_>> = possible.iter().map(BTreeSet::from_iter).collect();
        if !sets.contains(&order.iter().collect()) {
            return Err(format!("{order:?} is none of {possible:?}").into());
        }
    }
    Ok(())
}
