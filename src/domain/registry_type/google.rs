//! Google's registries: a few names in the place of users, each of which says what the password is.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Map, Value};

use super::{
    About::{Password, Username},
    Findings, Login,
};

/// What a service account's key holds besides its type.
const MEMBERS: [&str; 5] = [
    "project_id",
    "private_key_id",
    "private_key",
    "client_email",
    "token_uri",
];

/// `gcr.io`, `<region>-docker.pkg.dev`, and the hosts of other clouds of theirs.
pub(super) fn is_host(host: &str) -> bool {
    matches!(host, "gcr.io" | "container.cloud.google.com")
        || host.ends_with(".gcr.io")
        || host.ends_with(".pkg.dev")
        || (host.starts_with("docker.") && host.rsplit('.').next() == Some("goog"))
}

pub(super) fn check(login: &Login<'_>, found: &mut Findings) {
    match login.username {
        "_json_key" => key(login.password, found),
        "_json_key_base64" => {
            let text: Vec<u8> = login.password.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
            match BASE64_STANDARD.decode(text) {
                Ok(json) => key(&json, found),
                Err(_) => found.error(
                    Password,
                    "the user _json_key_base64 goes with the base64 of a service account's key, and the password is none",
                ),
            }
        }
        "oauth2accesstoken" => access_token(login.password_text(), found),
        "" | "_token" => {}
        // Google's own helper makes names like _dcgcloud_token.
        name if name.starts_with('_') => found.hint(
            Username,
            "the user is none of _json_key, _json_key_base64 and oauth2accesstoken",
        ),
        _ => found.error(
            Username,
            "Google's registries know no users: give the user _json_key with a service account's key, or \
             oauth2accesstoken with an access token",
        ),
    }
}

fn access_token(password: &str, found: &mut Findings) {
    if password.trim_start().starts_with('{') {
        found.error(
            Password,
            "the user oauth2accesstoken goes with an access token, and the password is JSON: give the user _json_key",
        );
    } else if password.starts_with("ya29.") {
        found.short_lived(
            "an access token of Google lasts an hour: for a pull secret use a service account's key",
        );
    } else {
        found.hint(
            Password,
            "the password does not look like an access token of Google (ya29.…)",
        );
    }
}

fn key(json: &[u8], found: &mut Findings) {
    let Ok(Value::Object(key)) = serde_json::from_slice(json) else {
        found.error(
            Password,
            "the password is not the JSON of a service account's key: give the whole file as it was downloaded",
        );
        return;
    };
    let text = |name: &str| key.get(name).and_then(Value::as_str);
    match text("type") {
        Some("service_account") => members(&key, found),
        Some(other) if !found.kept => found.error(
            Password,
            format!("the key is of type {other:?}, and registries take those of type service_account only"),
        ),
        Some(_) => found.error(
            Password,
            "the key is not of type service_account, and registries take no other",
        ),
        None => found.error_if_kept(Password, "the key names no type; that of a service account does"),
    }
}

fn members(key: &Map<String, Value>, found: &mut Findings) {
    let text = |name: &str| key.get(name).and_then(Value::as_str).unwrap_or_default();
    let missing: Vec<&str> = MEMBERS
        .into_iter()
        .filter(|name| text(name).is_empty())
        .collect();
    if !missing.is_empty() {
        found.hint(
            Password,
            format!(
                "the key has no {}; that of a service account does",
                missing.join(", ")
            ),
        );
    }
    let private = text("private_key");
    let is_pem = private.starts_with("-----BEGIN") && private.contains('\n');
    if !(private.is_empty() || is_pem) {
        found.hint(Password, "the key's private_key is no PEM with line breaks");
    }
    let email = text("client_email");
    if !email.is_empty() && !email.ends_with(".gserviceaccount.com") {
        found.hint(Password, "the key's client_email is no service account's");
    }
    if key.iter().any(|(name, value)| is_foreign_uri(name, value)) {
        found.error_if_kept(
            Password,
            "the key's token_uri is not Google's: who uses the key would send its signature there, so download it again",
        );
    }
}

/// Whether a member is a `token_uri`, in any case since Go's decoder takes any, that is not Google's.
fn is_foreign_uri(name: &str, value: &Value) -> bool {
    if !name.eq_ignore_ascii_case("token_uri") || value.is_null() {
        return false;
    }
    let Some(uri) = value.as_str() else {
        return true;
    };
    let host = uri
        .strip_prefix("https://")
        .and_then(|rest| rest.split('/').next());
    !uri.is_empty() && !host.is_some_and(is_google)
}

/// Letters, figures, dashes and dots only: clients differ in where a host ends at `?`, `#`, `@` and `\`.
fn is_google(host: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
    let known = host == "googleapis.com"
        || host.ends_with(".googleapis.com")
        || host == "accounts.google.com";
    known && host.bytes().all(plain)
}
