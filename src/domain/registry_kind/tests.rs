mod credentials;
mod matching;
mod places;
mod refusals;
mod secrets;

use std::collections::BTreeMap;

use jiff::Timestamp;
use zeroize::Zeroizing;

use super::*;

const NOW: &str = "2026-06-01T00:00:00Z";
const ACCOUNT: &str = "123456789012";

const EVERY_KIND: [Kind; 9] = [
    Kind::Ghcr,
    Kind::DockerHub,
    Kind::Ecr,
    Kind::Acr,
    Kind::Gcr,
    Kind::Gar,
    Kind::Quay,
    Kind::Custom,
    Kind::Public,
];

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// A registry described by `field=value` texts.
fn wanted(kind: Kind, spec: &'static str) -> Wanted<'static> {
    let mut wanted = Wanted::new(kind);
    for part in spec.split(", ").filter(|part| !part.is_empty()) {
        let (field, value) = part.split_once('=').unwrap();
        let place = match field {
            "host" => &mut wanted.host,
            "loginServer" => &mut wanted.login_server,
            "url" => &mut wanted.url,
            "owner" => &mut wanted.owner,
            "account" => &mut wanted.account,
            "region" => &mut wanted.region,
            _ => panic!("no field {field}"),
        };
        *place = Some(value);
    }
    wanted
}

fn place(kind: Kind, spec: &'static str) -> Place {
    match wanted(kind, spec).place() {
        Ok(Located::At(place)) => place,
        other => panic!("{other:?}"),
    }
}

fn data(keys: &[(&str, &str)]) -> BTreeMap<String, Zeroizing<Vec<u8>>> {
    let entry = |(name, value): &(&str, &str)| {
        (
            (*name).to_owned(),
            Zeroizing::new(value.as_bytes().to_vec()),
        )
    };
    keys.iter().map(entry).collect()
}

fn read(wanted: &Wanted<'_>, keys: &[(&str, &str)]) -> Reading {
    wanted.credential(&data(keys), now())
}

/// All that is said of a Secret, `error: …` or `hint: …` each.
fn told(wanted: &Wanted<'_>, keys: &[(&str, &str)]) -> Vec<String> {
    let reading = read(wanted, keys);
    let problems = reading.given.err().unwrap_or_default();
    let errors = problems.iter().map(|problem| format!("error: {problem}"));
    let hints = reading.hints.iter().map(|hint| format!("hint: {hint}"));
    errors.chain(hints).collect()
}

/// Each line begins as its row says.
fn hold(told: &[String], expected: &[&str]) {
    let all = told.len() == expected.len()
        && told
            .iter()
            .zip(expected)
            .all(|(line, start)| line.starts_with(start));
    assert!(all, "expected {expected:#?}, told {told:#?}");
}

/// A service account's key with this `token_uri`, and perhaps more members in front.
fn service_account(more: &str, uri: &str) -> String {
    format!(
        r#"{{{more}"type":"service_account","project_id":"p","private_key_id":"k","private_key":"-----BEGIN PRIVATE KEY-----\nAA\n-----END PRIVATE KEY-----\n","client_email":"ci@p.iam.gserviceaccount.com","token_uri":"{uri}"}}"#
    )
}
