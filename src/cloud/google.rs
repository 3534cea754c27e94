//! Google Cloud: access tokens of the service account that the metadata server knows a Pod by. On GKE that is the one of
//! Workload Identity Federation, elsewhere the node's.

use std::time::Duration;

use serde::Deserialize;
use zeroize::Zeroizing;

use super::{Environment, Login, metadata, reply};

/// The user that goes with an access token.
const USER: &str = "oauth2accesstoken";

/// Where the metadata server usually is.
const HOST: &str = "metadata.google.internal";

const PATH: &str = "/computeMetadata/v1/instance/service-accounts/default/token";

#[derive(Deserialize)]
struct Token {
    access_token: Zeroizing<String>,
    /// Seconds.
    expires_in: u64,
}

/// A login for all of Google's registries.
///
/// # Errors
/// What the metadata server says.
pub(super) async fn login(environment: &Environment) -> Result<Login, String> {
    let host = environment.google_metadata.as_deref().unwrap_or(HOST);
    let answer = metadata::get(host, PATH, ("Metadata-Flavor", "Google")).await?;
    let token: Token = reply::read(&format!("its metadata server {host}"), &answer)?;
    Ok(Login {
        username: USER,
        password: Zeroizing::new(token.access_token.as_bytes().to_vec()),
        life: Duration::from_secs(token.expires_in),
    })
}
