//! Azure: a token of Microsoft Entra ID for cotter's own identity, which the registry exchanges for one that images are
//! pulled with.

use std::time::Duration;

use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{Environment, Login, metadata, reply};
use crate::{
    domain::{credential::Credential, expiry, registry_key::RegistryKey},
    registry::client::Client,
};

/// The user that goes with a refresh token.
const USER: &str = "00000000-0000-0000-0000-000000000000";

/// What tokens are for: registries, in all of Azure's clouds.
const AUDIENCE: &str = "https://containerregistry.azure.net";

/// How long a registry's refresh token works; it says so itself, too.
const LIFE: Duration = Duration::from_hours(3);

/// Where Entra and the metadata server usually are.
const AUTHORITY: &str = "https://login.microsoftonline.com/";
const METADATA: &str = "169.254.169.254";

#[derive(Deserialize)]
struct EntraToken {
    access_token: Zeroizing<String>,
}

#[derive(Deserialize)]
struct RegistryToken {
    refresh_token: Zeroizing<String>,
}

/// A Pod's own identity, as Entra Workload ID gives it.
struct Workload<'a> {
    client: &'a str,
    tenant: &'a str,
    token_file: &'a str,
    authority: &'a str,
}

/// A login for the registry at `host`.
///
/// # Errors
/// What Entra or the registry says, without any part of a token.
pub(super) async fn login(
    client: &Client,
    environment: &Environment,
    host: &str,
) -> Result<Login, String> {
    let token = match Workload::of(environment) {
        Some(workload) => workload.token(client).await?,
        None => managed_identity(environment).await?,
    };
    let mut parts = vec![
        ("grant_type", "access_token"),
        ("service", host),
        ("access_token", &token),
    ];
    if let Some(tenant) = &environment.azure_tenant {
        parts.push(("tenant", tenant));
    }
    let url = format!("https://{host}/oauth2/exchange");
    let answer = client.post_form(&url, &form(&parts)).await?;
    let token: RegistryToken = reply::read(host, &answer)?;
    let password = Zeroizing::new(token.refresh_token.as_bytes().to_vec());
    Ok(Login {
        username: USER,
        life: life(host, &password),
        password,
    })
}

/// The node's identity, or of its several ones that of the given application.
async fn managed_identity(environment: &Environment) -> Result<Zeroizing<String>, String> {
    let host = environment.azure_metadata.as_deref().unwrap_or(METADATA);
    let host = host.trim_start_matches("http://").trim_end_matches('/');
    let mut query = vec![("api-version", "2018-02-01"), ("resource", AUDIENCE)];
    if let Some(client) = &environment.azure_client {
        query.push(("client_id", client));
    }
    let path = format!("/metadata/identity/oauth2/token?{}", *form(&query));
    let answer = metadata::get(host, &path, ("Metadata", "true")).await?;
    let token: EntraToken = reply::read(&format!("its metadata server {host}"), &answer)?;
    Ok(token.access_token)
}

fn life(host: &str, password: &[u8]) -> Duration {
    let credential = Credential::new(USER, password);
    let known = RegistryKey::prepare(host)
        .and_then(|key| expiry::expiry(&key, &credential, None))
        .map(|expiry| expiry.at.duration_since(Timestamp::now()));
    known.map_or(LIFE, |left| Duration::try_from(left).unwrap_or_default())
}

/// As `application/x-www-form-urlencoded`.
fn form(parts: &[(&str, &str)]) -> Zeroizing<String> {
    let part = |(name, value): &(&str, &str)| {
        format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC))
    };
    let parts: Vec<_> = parts.iter().map(part).collect();
    Zeroizing::new(parts.join("&"))
}

// === impl Workload ===

impl<'a> Workload<'a> {
    fn of(environment: &'a Environment) -> Option<Self> {
        let authority = environment.azure_authority.as_deref().unwrap_or(AUTHORITY);
        Some(Self {
            client: environment.azure_client.as_deref()?,
            tenant: environment.azure_tenant.as_deref()?,
            token_file: environment.azure_token_file.as_deref()?,
            authority: authority.trim_end_matches('/'),
        })
    }

    async fn token(&self, client: &Client) -> Result<Zeroizing<String>, String> {
        let authority = self.authority;
        if !authority.starts_with("https://") {
            return Err("AZURE_AUTHORITY_HOST is not a URL with https".to_owned());
        }
        let file = self.token_file;
        let assertion = tokio::fs::read_to_string(file).await;
        let assertion = assertion.map_err(|error| {
            format!("AZURE_FEDERATED_TOKEN_FILE {file} cannot be read: {error}")
        })?;
        let assertion = Zeroizing::new(assertion);
        let url = format!("{authority}/{}/oauth2/v2.0/token", self.tenant);
        let scope = format!("{AUDIENCE}/.default");
        let parts = form(&[
            ("grant_type", "client_credentials"),
            ("client_id", self.client),
            ("scope", &scope),
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ),
            ("client_assertion", assertion.trim()),
        ]);
        let answer = client.post_form(&url, &parts).await?;
        let token: EntraToken = reply::read(authority, &answer)?;
        Ok(token.access_token)
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

    use super::*;

    #[test]
    fn a_refresh_token_lives_as_long_as_it_says_and_else_three_hours() {
        let ends = Timestamp::now().as_second() + 600;
        let part = |text: String| BASE64_URL_SAFE_NO_PAD.encode(text);
        let head = part(r#"{"alg":"RS256"}"#.to_owned());
        let claims = part(format!(r#"{{"exp":{ends}}}"#));
        let left = life(
            "shop.azurecr.io",
            format!("{head}.{claims}.c2ln").as_bytes(),
        );
        assert!((590..=600).contains(&left.as_secs()), "{left:?}");
        assert_eq!(life("shop.azurecr.io", b"opaque"), LIFE);
    }

    #[test]
    fn a_form_keeps_its_parts_apart() {
        let parts = form(&[
            ("service", "a.azurecr.io"),
            ("access_token", "x&tenant=y+z"),
        ]);
        assert_eq!(
            &**parts,
            "service=a%2Eazurecr%2Eio&access_token=x%26tenant%3Dy%2Bz"
        );
    }
}
