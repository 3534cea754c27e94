//! Azure's registries: a registry's own admin, a service principal, a token of the registry, or a refresh token.

use jiff::Timestamp;

use super::{About::Password, Findings, Login, host_of, jwt};
use crate::domain::registry_key::RegistryKey;

const DOMAINS: [&str; 4] = [".azurecr.io", ".azurecr.cn", ".azurecr.de", ".azurecr.us"];

/// The user that goes with a refresh token.
const TOKEN_USER: &str = "00000000-0000-0000-0000-000000000000";

/// `<name>.azurecr.io`, and those of national clouds.
pub(super) fn is_host(host: &str) -> bool {
    let name = DOMAINS.iter().find_map(|domain| host.strip_suffix(domain));
    name.is_some_and(|name| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    })
}

pub(super) fn check(login: &Login<'_>, now: Timestamp, found: &mut Findings) {
    if login.username != TOKEN_USER {
        return;
    }
    let token = login.password_text();
    if !jwt::has_shape(token) {
        found.error(
            Password,
            "the user 00000000-… goes with a refresh token (eyJ…), and the password is none: take that of \
             az acr login --expose-token",
        );
        return;
    }
    let Some(claims) = jwt::claims(token) else {
        found.hint(
            Password,
            "the refresh token cannot be read; it may be cut off",
        );
        return;
    };
    if let Some(expired) = claims.expires.filter(|at| *at <= now) {
        // The general check has only a hint for it, as other tokens need not be a registry's.
        found
            .list
            .retain(|finding| !finding.text.starts_with("the token has expired"));
        found.error(
            Password,
            format!("the refresh token has expired at {expired}: get a new one"),
        );
        return;
    }
    let key = RegistryKey::prepare(login.server);
    let host = key
        .as_ref()
        .map(|key| host_of(key.as_str()).to_ascii_lowercase())
        .filter(|host| !host.is_empty());
    match (claims.audience, host) {
        (Some(audience), Some(host)) if audience.contains('.') && audience.to_ascii_lowercase() != host => {
            let other = if found.kept {
                "another registry"
            } else {
                &audience
            };
            found.error(
                Password,
                format!("the refresh token is for {other}, not for {host}"),
            );
        }
        _ => found.short_lived(
            "a refresh token of ACR lasts about 3 hours: for a pull secret use a token of the registry or a service \
             principal",
        ),
    }
}
