//! The Lease as an object of the API server.

use futures_util::{FutureExt as _, future::BoxFuture};
use k8s_openapi::{
    api::{admissionregistration::v1::MutatingWebhookConfiguration, coordination::v1::Lease},
    apimachinery::pkg::apis::meta::v1::OwnerReference,
};
use kube::{Api, Client, Resource as _, api::PostParams};

use super::{
    lease::Leases,
    trouble::{self, Trouble},
};
use crate::api::refusal;

/// One Lease of one namespace. Permissions there: `create` on leases, `get` and `update` on this one.
pub struct LeaseObject {
    leases: Api<Lease>,
    name: String,
    namespace: String,
    owners: Api<MutatingWebhookConfiguration>,
    owner: Option<String>,
}

impl LeaseObject {
    /// The Lease of this name. It goes with `owner`, a `MutatingWebhookConfiguration`, if there is one (`get` on it).
    #[must_use]
    pub fn new(client: Client, namespace: &str, name: &str, owner: Option<String>) -> Self {
        Self {
            leases: Api::namespaced(client.clone(), namespace),
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            owners: Api::all(client),
            owner,
        }
    }

    async fn create(&self, mut lease: Lease) -> Result<bool, kube::Error> {
        lease.metadata.name = Some(self.name.clone());
        lease.metadata.namespace = Some(self.namespace.clone());
        lease.metadata.owner_references = self.owner().await.map(|owner| vec![owner]);
        self.leases
            .create(&PostParams::default(), &lease)
            .await
            .map(|_| true)
    }

    /// Without it the Lease stays when cotter is removed, which harms nobody.
    async fn owner(&self) -> Option<OwnerReference> {
        let name = self.owner.as_deref()?;
        match self.owners.get(name).await {
            Ok(owner) => owner.owner_ref(&()),
            Err(kube::Error::Api(status)) if refusal::is_of_a_right(&status) => {
                let message = status.message;
                tracing::warn!(
                    "the Lease gets no owner and stays when cotter is removed: {message}"
                );
                None
            }
            Err(error) => {
                tracing::debug!(name, %error, "the Lease gets no owner");
                None
            }
        }
    }
}

impl Leases for LeaseObject {
    fn read(&self) -> BoxFuture<'_, Result<Option<Lease>, Trouble>> {
        async {
            let found = self.leases.get_opt(&self.name).await;
            found.map_err(|error| trouble::of(&error, "get", "leases", &self.namespace))
        }
        .boxed()
    }

    fn write(&self, lease: Lease) -> BoxFuture<'_, Result<bool, Trouble>> {
        async move {
            let (verb, written) = if lease.metadata.resource_version.is_none() {
                ("create", self.create(lease).await)
            } else {
                let params = PostParams::default();
                let replaced = self.leases.replace(&self.name, &params, &lease).await;
                ("update", replaced.map(|_| true))
            };
            match written {
                // Somebody has written or deleted it since it was read.
                Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(false),
                other => {
                    other.map_err(|error| trouble::of(&error, verb, "leases", &self.namespace))
                }
            }
        }
        .boxed()
    }
}
