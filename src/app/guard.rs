//! The guard of `Registry` objects, which asks the cluster who needs one.

use std::sync::Arc;

use futures_util::{FutureExt as _, future::BoxFuture};

use super::source::Joined;
use crate::{
    cluster::pull_secret_users::PullSecretUsers,
    registry_admission::{Guard, Pods, Uncounted, Users},
};

/// Counts in the namespaces that cotter watches.
struct InCluster(PullSecretUsers);

impl Users for InCluster {
    fn pods<'a>(&'a self, registry: &'a str) -> BoxFuture<'a, Result<Pods, Uncounted>> {
        let counted = async move {
            let mut pods = Pods::default();
            let add = |namespace: &str, pod: &str| pods.add(namespace, pod);
            let listed = self.0.each(registry, add).await;
            listed.map_err(|error| Uncounted(error.to_string()))?;
            Ok(pods)
        };
        counted.boxed()
    }
}

/// The guard of a cluster in which registries are looked after.
pub(super) fn open(joined: Option<&Joined>) -> Option<Guard> {
    let joined = joined.filter(|joined| joined.own.registries)?;
    let users = PullSecretUsers::new(joined.client.clone(), joined.scope.clone());
    Some(Guard::new(Arc::new(InCluster(users))))
}
