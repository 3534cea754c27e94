//! cotter's own identity at the clouds, and the logins that they make for it: for hosts whose credential the nodes hold
//! (`credentials: node`), and for `Registry` objects of ECR.
//!
//! Nothing here is asked by an admission: [`keeper`] keeps logins ready ahead of need.

pub mod aws;
mod azure;
mod google;
pub mod keeper;
mod metadata;
mod reply;

use std::time::Duration;

use futures_util::{FutureExt as _, future::BoxFuture};
use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::{
    domain::{
        cloud::CloudRegistry,
        registry_kind::{Given, TokenService},
    },
    registry::client::Client,
};

/// A login that a cloud has made.
#[derive(Clone)]
pub struct Login {
    /// The user.
    pub username: &'static str,
    /// The password.
    pub password: Zeroizing<Vec<u8>>,
    /// How long it works from now on, by the cloud's word.
    pub life: Duration,
}

/// What makes logins for cotter's own identity.
pub trait MakeLogins: Send + Sync + 'static {
    /// Has a login made for the registry at `host`.
    ///
    /// # Errors
    /// What the cloud says, in one line, without any part of a credential.
    fn make<'a>(
        &'a self,
        host: &'a str,
        registry: &'a CloudRegistry,
    ) -> BoxFuture<'a, Result<Login, String>>;
}

/// What the environment says to Google's and Azure's libraries; AWS' own reads its part itself.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// `host[:port]` of Google's metadata server, if it is not at its usual place.
    pub google_metadata: Option<String>,
    /// The application that Microsoft Entra ID knows cotter by; without a token file, one of the node's identities.
    pub azure_client: Option<String>,
    /// Its tenant.
    pub azure_tenant: Option<String>,
    /// The file with the cluster's token for it, a new one each hour.
    pub azure_token_file: Option<String>,
    /// The URL of Entra, if it is not that of the public cloud.
    pub azure_authority: Option<String>,
    /// The URL of Azure's metadata server, if it is not at its usual place.
    pub azure_metadata: Option<String>,
}

/// The clouds themselves.
#[derive(Clone, Debug)]
pub struct Clouds {
    client: Client,
    environment: Environment,
}

// === impl Clouds ===

impl Clouds {
    /// Asked by the way out of `client`.
    #[must_use]
    pub fn new(client: Client, environment: Environment) -> Self {
        Self {
            client,
            environment,
        }
    }
}

impl MakeLogins for Clouds {
    fn make<'a>(
        &'a self,
        host: &'a str,
        registry: &'a CloudRegistry,
    ) -> BoxFuture<'a, Result<Login, String>> {
        let Self {
            client,
            environment,
        } = self;
        match registry {
            CloudRegistry::Ecr(service) => of_aws(client, service).boxed(),
            CloudRegistry::Google => google::login(environment).boxed(),
            CloudRegistry::Acr => azure::login(client, environment, host).boxed(),
        }
    }
}

async fn of_aws(client: &Client, service: &TokenService) -> Result<Login, String> {
    let password = aws::password(client, service, &Given::AmbientAws).await?;
    let left = password.ends.duration_since(Timestamp::now());
    Ok(Login {
        username: aws::USER,
        password: password.text,
        life: Duration::try_from(left).unwrap_or_default(),
    })
}
