//! `reference.json`: what the kubelet's parser says of an image text.

use cotter::domain::{digest::Digest, reference::Reference};
use libtest_mimic::{Failed, Trial};
use serde::Deserialize;

use crate::support::{self, Row, equal, short};

#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Expected {
    Parsed(Box<Parsed>),
    Refused { error: String, kubelet: Refusal },
}

#[derive(Deserialize)]
pub(crate) struct Parsed {
    canonical: String,
    domain: String,
    path: String,
    tag: Option<String>,
    digest: Option<String>,
    familiar: String,
    kubelet: Kubelet,
}

#[derive(Deserialize)]
struct Kubelet {
    cri_image: String,
    default_pull_policy: String,
    keyring_lookup_name: String,
    status: String,
}

#[derive(Deserialize)]
pub(crate) struct Refusal {
    error: String,
    status: String,
}

pub(crate) fn trials() -> Vec<Trial> {
    let name = |row: &Row<String, Expected>| row.id.clone().unwrap_or_else(|| short(&row.input));
    ["reference", "reference_edges"]
        .iter()
        .flat_map(|file| support::trials(file, name, check))
        .collect()
}

fn check(row: &Row<String, Expected>) -> Result<(), Failed> {
    match (&row.expected, Reference::parse(&row.input)) {
        (Expected::Parsed(expected), Ok(reference)) => {
            check_parsed(&row.input, &reference, expected)
        }
        (Expected::Refused { error, kubelet }, Err(actual)) => {
            equal("error", &actual.to_string(), error)?;
            equal("kubelet.error", &actual.to_string(), &kubelet.error)?;
            equal("kubelet.status", "InvalidImageName", &*kubelet.status)
        }
        (Expected::Parsed(_), Err(error)) => Err(format!("{error} ({})", row.note).into()),
        (Expected::Refused { .. }, Ok(reference)) => Err(format!("parsed: {reference}").into()),
    }
}

fn check_parsed(input: &str, actual: &Reference, expected: &Parsed) -> Result<(), Failed> {
    let digest = actual.digest().map(Digest::as_str);
    equal("canonical", &*actual.tagged_text(), &expected.canonical)?;
    equal("domain", actual.domain(), &expected.domain)?;
    equal("path", actual.path(), &expected.path)?;
    equal("tag", &actual.tag(), &expected.tag.as_deref())?;
    equal("digest", &digest, &expected.digest.as_deref())?;
    equal("familiar", actual.familiar(), &expected.familiar)?;
    let Kubelet {
        cri_image,
        default_pull_policy,
        keyring_lookup_name,
        status,
    } = &expected.kubelet;
    equal("cri_image", &*actual.cri_image(input), cri_image)?;
    let policy = actual.default_pull_policy();
    equal("default_pull_policy", policy, default_pull_policy)?;
    equal(
        "keyring_lookup_name",
        actual.lookup_name(),
        keyring_lookup_name,
    )?;
    equal("status", "ok", status)
}
