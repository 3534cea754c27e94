//! What people write wrong, and what each is told.

use serde_json::{Value, json};

use super::Site;
use crate::{
    lab::{eventually, lab},
    support::registry_part::ALICE,
};

/// What is changed of a good Registry, what its Secret holds, and what comes of it.
struct Row {
    what: &'static str,
    spec: Value,
    keys: Value,
    /// The annotation of the host; `None`: the registry's own.
    host: Option<&'static str>,
    /// Condition, status and reason.
    becomes: [&'static str; 3],
    /// What its message says.
    says: &'static [&'static str],
}

fn row(
    what: &'static str,
    keys: Value,
    becomes: [&'static str; 3],
    says: &'static [&'static str],
) -> Row {
    Row {
        what,
        spec: json!({}),
        keys,
        host: None,
        becomes,
        says,
    }
}

const INVALID: [&str; 3] = ["Valid", "False", "Invalid"];
const VALID: [&str; 3] = ["Valid", "True", "Valid"];

/// A key of another cloud's: its `token_uri` would send the key away.
fn foreign_key() -> String {
    json!({"type": "service_account", "project_id": "shop", "private_key_id": "1",
        "private_key": "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n",
        "client_email": "puller@shop.iam.gserviceaccount.com", "token_uri": "https://tokens.example.com/token"})
    .to_string()
}

#[rustfmt::skip]
fn rows() -> Vec<Row> {
    let (user, password) = ALICE;
    let both = json!({"username": user, "password": password});
    vec![
        row("a key is missing", json!({"username": user}), INVALID,
            &["key password of the Secret: missing", "there is username"]),
        row("a key is misspelt", json!({"username": user, "Password": password}), INVALID,
            &["key password of the Secret: missing", "rename Password to password"]),
        row("all keys are missing", json!({}), INVALID,
            &["key username of the Secret: missing, and so are all others", "key password"]),
        row("a key is empty", json!({"username": user, "password": ""}), INVALID,
            &["key password of the Secret: empty"]),
        row("a key too many", json!({"username": user, "password": password, "email": "a@b.c"}), VALID,
            &["key email of the Secret: not read"]),
        row("a user that is not UTF-8", json!({"username": [255, 254, 97, 0], "password": password}), INVALID,
            &["key username of the Secret: not UTF-8"]),
        row("a user with a newline", json!({"username": "alice\n", "password": password}), VALID,
            &["key username of the Secret: the user has a control character, such as a line break"]),
        row("a password that is not UTF-8", json!({"username": user, "password": [255, 254, 97, 0]}), VALID,
            &["key password of the Secret: not UTF-8"]),
        row("a password with a newline at its end", json!({"username": user, "password": format!("{password}\n")}), VALID,
            &["key password of the Secret: the password ends with a line break"]),
        row("a password with a newline at its end is not trimmed", json!({"username": user, "password": format!("{password}\n")}),
            ["Authenticated", "False", "Refused"], &["token failed"]),
        row("a host that is another", json!({"username": user, "password": password, "url": "https://ghcr.io"}), INVALID,
            &["key url of the Secret: another host"]),
        Row { spec: json!({"type": "GCR", "host": "gcr.io"}), host: Some("gcr.io"),
            ..row("a key that would be sent away", json!({"serviceAccountKey": foreign_key()}), INVALID,
                &["key serviceAccountKey of the Secret", "token_uri"]) },
        Row { spec: json!({"owner": "ACME"}),
            ..row("an owner in upper case", both.clone(), VALID, &["spec.owner: ACME is lowered to acme"]) },
        Row { spec: json!({"owner": "ACME"}),
            ..row("an owner in upper case works", both.clone(), ["Ready", "True", "Ready"], &[]) },
        Row { spec: json!({"host": null, "url": "https://HOST/v2/"}),
            ..row("a URL", both.clone(), VALID, &["spec.url: read as "]) },
        Row { spec: json!({"host": null, "url": "ftp://HOST"}),
            ..row("a URL of another scheme", both.clone(), INVALID, &["spec.url: only https://"]) },
        Row { spec: json!({"host": null, "loginServer": "user:pw@HOST"}),
            ..row("a login server with a password", both, INVALID, &["spec.loginServer: a user or password does not belong here"]) },
    ]
}

#[test]
fn what_is_wrong_is_said_where_it_is() {
    let lab = lab!();
    let site = Site::start(&lab);
    let shop = site.namespace("shop");
    let mut wrong = Vec::new();
    for Row {
        what,
        spec,
        keys,
        host,
        becomes: [kind, status, reason],
        says,
    } in rows()
    {
        site.delete();
        site.secret_for(host.unwrap_or(site.host()), &keys);
        let mut registry = site.registry(&[&shop]);
        for (field, value) in spec.as_object().unwrap() {
            let value = value.to_string().replace("HOST", site.host());
            registry["spec"][field] = serde_json::from_str(&value).unwrap();
        }
        site.apply(&registry);
        let found = eventually(what, || {
            site.condition(kind).filter(|(is, ..)| is != "Unknown")
        });
        let (is, why, said) = &found;
        let fits = is == status && why == reason && says.iter().all(|part| said.contains(part));
        if !fits || said.contains(ALICE.1) {
            wrong.push(format!("{what}: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn a_secret_that_vanishes_takes_no_pull_secret_with_it() {
    let lab = lab!();
    let site = Site::start(&lab);
    let shop = site.ready_in("shop");
    let path = format!("/api/v1/namespaces/{}/secrets/{}", site.own, site.name);
    lab.plane.request("DELETE", &path, None);
    let said = site.becomes("Valid", "False", "NoCredential");
    assert!(
        said.contains("create it") && said.ends_with("The pull secrets stay as they are"),
        "{said}"
    );
    assert_eq!(site.password(&shop).as_deref(), Some(ALICE.1));
    site.credential(ALICE.1);
    site.becomes("Ready", "True", "Ready");
}
