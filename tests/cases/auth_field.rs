//! `auth_field.json`: the `auth` member of an entry.

use cotter::domain::docker_config::{SecretType, auth_field, read};
use libtest_mimic::{Failed, Trial};
use serde::Deserialize;

use crate::support::{self, Row, equal, short};

#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Expected {
    Decoded { username: String, password: String },
    Refused { error: String },
}

pub(crate) fn trials() -> Vec<Trial> {
    let name = |row: &Row<String, Expected>| row.id.clone().unwrap_or_else(|| short(&row.input));
    ["auth_field", "auth_field_edges"]
        .iter()
        .flat_map(|file| support::trials(file, name, check))
        .collect()
}

fn check(row: &Row<String, Expected>) -> Result<(), Failed> {
    match (&row.expected, auth_field::decode(&row.input)) {
        (Expected::Decoded { username, password }, Ok(actual)) => {
            let expected = (username.as_bytes().to_vec(), password.as_bytes().to_vec());
            equal("credential", &actual, &expected)
        }
        (Expected::Refused { error }, Err(actual)) => {
            equal("error", &actual.to_string(), error)?;
            check_hint(row)
        }
        (Expected::Decoded { .. }, Err(error)) => Err(error.into()),
        (Expected::Refused { .. }, Ok(_)) => Err("decoded".into()),
    }
}

/// The secret as a whole fails in the same words, and says so where the note calls the value a placeholder.
fn check_hint(row: &Row<String, Expected>) -> Result<(), Failed> {
    let document = serde_json::json!({ "auths": { "ghcr.io": { "auth": row.input } } });
    let Err(error) = read(
        SecretType::DockerConfigJson,
        document.to_string().as_bytes(),
    ) else {
        return Err("the secret reads".into());
    };
    if error.to_string().contains(&row.input) {
        return Err("the error shows the value".into());
    }
    let hint = error.hint().unwrap_or_default();
    let expected = row.note.contains("placeholder") || row.note.contains("tutorial");
    let actual = hint.contains("placeholder");
    equal("hint of a placeholder", &actual, &expected)
}
