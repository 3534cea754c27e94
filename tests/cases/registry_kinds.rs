//! `registry_types.json` once more: what its rows say of the kinds of a `Registry`, their keys and their credentials.

use std::collections::BTreeMap;

use cotter::domain::{
    registry_kind::{Given, Kind, Located, Place, Wanted},
    registry_type,
};
use jiff::Timestamp;
use libtest_mimic::{Failed, Trial};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::{
    registry_types::{KNOWN, Known, filled},
    support::{equal, trials_of},
};

#[derive(Deserialize)]
struct Row {
    #[serde(rename = "type")]
    name: String,
    secret_keys: Vec<String>,
    #[serde(default)]
    accepted_spellings: Vec<String>,
    #[serde(default)]
    rejected_spellings: Vec<String>,
    #[serde(default)]
    public_hosts: Vec<String>,
    live_test: Vec<String>,
}

/// The kinds that a row is about; types without a kind of their own are Custom.
fn kinds(row: &Row) -> &'static [Kind] {
    match row.name.as_str() {
        "ghcr" => &[Kind::Ghcr],
        "dockerhub" => &[Kind::DockerHub],
        "ecr" => &[Kind::Ecr],
        "acr" => &[Kind::Acr],
        "gcr_gar" => &[Kind::Gcr, Kind::Gar],
        "quay" => &[Kind::Quay],
        _ => &[Kind::Custom],
    }
}

pub(crate) fn trials() -> Vec<Trial> {
    trials_of("registry_kinds", "registry_types", |row: Row| {
        Trial::test(format!("registry_kinds::{}", row.name), move || {
            let known = KNOWN.iter().find(|known| known.name == row.name);
            let known = known.ok_or("cotter does not know this type")?;
            for kind in kinds(&row) {
                spellings(&row, known, *kind)?;
                credentials(&row, known, *kind)?;
            }
            Ok(())
        })
    })
}

/// What a row calls a key is the key that is written; other spellings come to one; what it rejects is never written.
fn spellings(row: &Row, known: &Known, kind: Kind) -> Result<(), Failed> {
    let keys: Vec<String> = row
        .secret_keys
        .iter()
        .map(|key| filled(key, known.registry_type))
        .collect();
    for key in keys.iter().filter(|key| is_of(kind, key)) {
        equal(key, &place(kind, key)?.key, key)?;
    }
    for spelling in &row.accepted_spellings {
        let key = place(kind, spelling)?.key;
        equal(spelling, &keys.contains(&key), &true)?;
    }
    for spelling in &row.rejected_spellings {
        let spelling = spelling.replace("<org>", "acme");
        let Ok(place) = place(kind, &spelling) else {
            continue;
        };
        equal(&spelling, &(place.key == spelling), &false)?;
        let found = registry_type::check_server(&place.key);
        equal(&spelling, &found, &Vec::new())?;
    }
    for host in &row.public_hosts {
        equal(host, &place(kind, host).is_err(), &true)?;
        equal(host, &place(Kind::Public, host)?.key, host)?;
    }
    Ok(())
}

/// GCR's and GAR's hosts stand in one row; a location takes the place of a region there.
fn is_of(kind: Kind, key: &str) -> bool {
    match kind {
        Kind::Gcr => key.ends_with("gcr.io"),
        Kind::Gar => key.ends_with("pkg.dev"),
        _ => true,
    }
}

/// Each password of the row's patterns is taken, no user with a colon is, and what is read by default needs no rights.
fn credentials(row: &Row, known: &Known, kind: Kind) -> Result<(), Failed> {
    let key = row.secret_keys.iter().find(|key| is_of(kind, key));
    let server = filled(key.ok_or("no key")?, known.registry_type);
    let wanted = wanted(kind, &server);
    let samples: Vec<&str> = known.passwords.iter().filter_map(|(_, p)| *p).collect();
    match kind {
        Kind::Ecr => {
            let ([id, secret], [asking, ..]) = (&*samples, &*row.live_test) else {
                return Err("no keys and no test".into());
            };
            let keys = [("accessKeyId", *id), ("secretAccessKey", *secret)];
            let given = read(&wanted, &keys)?;
            equal("keys", &matches!(given, Given::AwsKeys { .. }), &true)?;
            let service = wanted.token_service().ok_or("no token service")?;
            let asked = format!("https://{}/", service.host);
            let told = asking.replace("<region>", &service.region);
            return equal(&told, &told.contains(&asked), &true);
        }
        // The other users of this row are no service account's.
        Kind::Gcr | Kind::Gar => {
            let key =
                r#"{"type":"service_account","token_uri":"https://oauth2.googleapis.com/token"}"#;
            let given = read(&wanted, &[("serviceAccountKey", key)])?;
            let is_key =
                matches!(&given, Given::Login { username, .. } if **username == "_json_key");
            return equal("user", &is_key, &true);
        }
        _ => {}
    }
    let password = match kind {
        Kind::Ghcr | Kind::Quay => "token",
        _ => "password",
    };
    for sample in samples.into_iter().chain(["any"]) {
        let given = read(&wanted, &[("username", known.username), (password, sample)])?;
        let is_same = matches!(&given, Given::Login { username, password }
            if **username == known.username && **password == sample.as_bytes());
        equal(sample, &is_same, &true)?;
        let probe = wanted.default_probe(&given);
        let is_public = probe.is_none_or(|probe| probe.repository.starts_with("library/"));
        equal("probe", &is_public, &true)?;
        let colon = read(&wanted, &[("username", "user:name"), (password, sample)]);
        equal("user:name", &colon.is_err(), &true)?;
    }
    Ok(())
}

fn wanted(kind: Kind, url: &str) -> Wanted<'_> {
    Wanted {
        url: Some(url),
        ..Wanted::new(kind)
    }
}

fn place(kind: Kind, url: &str) -> Result<Place, Failed> {
    match wanted(kind, url).place() {
        Ok(Located::At(place)) => Ok(place),
        Ok(Located::OfAccount) => Err("the account is not known".into()),
        Err(problem) => Err(problem.into()),
    }
}

fn read(wanted: &Wanted<'_>, keys: &[(&str, &str)]) -> Result<Given, Failed> {
    let data: BTreeMap<_, _> = keys
        .iter()
        .map(|(name, value)| {
            (
                (*name).to_owned(),
                Zeroizing::new(value.as_bytes().to_vec()),
            )
        })
        .collect();
    let reading = wanted.credential(&data, Timestamp::UNIX_EPOCH);
    reading
        .given
        .map_err(|problems| format!("{problems:?}").into())
}
