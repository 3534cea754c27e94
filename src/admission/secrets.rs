//! The pull secrets that matter for a Pod: from the watches, and where these have no answer, once from the API server.

use std::{sync::Arc, time::Instant};

use smol_str::SmolStr;

use crate::{
    domain::{
        credentials::{PodCredentials, secret_names},
        object::Spec,
        pull_secret::NamespaceSecrets,
    },
    telemetry::metrics::Metrics,
};

use super::{
    deadline::within,
    ports::{Cluster, ServiceAccount},
};

/// What the ServiceAccount admission gives a Pod that names none.
const DEFAULT_ACCOUNT: &str = "default";

/// What of a Pod, or of a template, says which secrets matter.
pub(super) struct Pod<'r> {
    pub(super) namespace: &'r str,
    pub(super) spec: Option<&'r Spec<'r>>,
    /// Its Pods get the ServiceAccount's pull secrets where it has none; a Pod has them already.
    pub(super) is_template: bool,
}

/// The credentials of a Pod, and how to get newer ones.
pub(super) struct Secrets<'c, C> {
    pub(super) credentials: PodCredentials,
    cluster: &'c C,
    metrics: &'c Metrics,
    namespace: &'c str,
    names: Vec<SmolStr>,
    account: Option<Arc<ServiceAccount>>,
    deadline: Instant,
    looked_up: bool,
}

impl<'c, C: Cluster> Secrets<'c, C> {
    /// The credentials as the watches have them; asks the API server if they do not cover the namespace, or do not
    /// have a secret that the Pod names.
    pub(super) async fn of(
        cluster: &'c C,
        metrics: &'c Metrics,
        pod: Pod<'c>,
        deadline: Instant,
    ) -> Self {
        let written = pod.spec.and_then(|s| s.service_account_name.as_deref());
        let account = written
            .filter(|name| !name.is_empty())
            .unwrap_or(DEFAULT_ACCOUNT);
        let account = cluster.service_account(pod.namespace, account);
        let mut names: Vec<SmolStr> = pod
            .spec
            .into_iter()
            .flat_map(secret_names)
            .map(Into::into)
            .collect();
        if let Some(account) = account
            .as_ref()
            .filter(|_| pod.is_template && names.is_empty())
        {
            names.clone_from(&account.pull_secrets);
        }
        let mut secrets = Self {
            credentials: PodCredentials::unread(),
            cluster,
            metrics,
            namespace: pod.namespace,
            names,
            account,
            deadline,
            looked_up: false,
        };
        if !pod.is_template && cluster.awaits(pod.namespace) {
            within(deadline, cluster.arrival(pod.namespace, deadline)).await;
        }
        match cluster.pull_secrets(pod.namespace) {
            Some(watched) => {
                secrets.credentials = secrets.read(watched);
                if !secrets.credentials.missing().is_empty() {
                    secrets.look_up().await;
                }
            }
            None => {
                secrets.look_up().await;
            }
        }
        secrets
    }

    /// Asks the API server, unless this admission has already; true if it has other secrets than were known.
    pub(super) async fn look_up(&mut self) -> bool {
        if std::mem::replace(&mut self.looked_up, true) {
            return false;
        }
        self.metrics.live_look_up();
        let asked = self
            .cluster
            .look_up_pull_secrets(self.namespace, self.deadline);
        let Some(found) = within(self.deadline, asked).await.flatten() else {
            return false;
        };
        let newer = self.read(found);
        let differ = newer.secrets_differ(&self.credentials);
        self.credentials = newer;
        differ
    }

    fn read(&self, namespace: Arc<NamespaceSecrets>) -> PodCredentials {
        let account = self.account.as_ref().filter(|a| a.enforces_mountable);
        let mountable = account.map(|account| account.pull_secrets.clone());
        PodCredentials::new(self.names.iter().map(SmolStr::as_str), namespace, mountable)
    }
}
