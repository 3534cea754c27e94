//! Joins the certificates to the cluster: the shared Secret and the webhook configurations.

use std::sync::Arc;

use anyhow::{Result, bail};
use tokio::{sync::watch, task::JoinSet};

use super::{source::Joined, webhook};
use crate::{
    cluster::trust_store,
    config::webhook::Registration,
    http::routes::Paths,
    registry_admission,
    telemetry::{metrics::Metrics, readiness::Readiness},
    tls::{
        leaf::Host,
        path::SecretPath,
        replica::{Certificates, Replica},
        upkeep::{self, Signs},
    },
};

/// What the upkeep of a registration needs of the process.
pub(super) struct Upkeep<'a> {
    /// The cluster, and whether this replica leads in it; `None` without one.
    pub(super) joined: Option<(&'a Joined, watch::Receiver<bool>)>,
    pub(super) metrics: &'a Arc<Metrics>,
    pub(super) readiness: &'a Readiness,
}

// === impl Upkeep ===

impl Upkeep<'_> {
    /// Keeps the registration, in `tasks`: this process is one of the replicas behind its Service.
    pub(super) fn start(
        &self,
        registration: &Registration,
        source: webhook::Source,
        paths: &Arc<Paths>,
        tasks: &mut JoinSet<()>,
    ) -> Result<()> {
        let Some((joined, leader)) = &self.joined else {
            bail!("--webhook-configuration needs a cluster");
        };
        let Registration {
            configuration,
            registries,
            service,
            namespace,
            secret,
        } = registration.clone();
        let webhook::Source {
            served,
            certificates,
            given,
        } = source;
        let own = matches!(certificates, Certificates::Own(_));
        let host: Host = format!("{service}.{namespace}.svc").parse()?;
        let replica = Replica::new(host, certificates, served);
        let accepted = paths.clone();
        let signs = Signs {
            certificate: own.then(|| self.readiness.check("certificate")),
            trusted: self.readiness.check("trusted"),
            metrics: self.metrics.clone(),
            accept: Box::new(move |paths| {
                accepted.replace(paths.iter().map(SecretPath::expose));
            }),
            secret: format!("Secret {namespace}/{secret}"),
            configuration: format!("MutatingWebhookConfiguration {configuration}"),
        };
        let names = trust_store::Names {
            namespace,
            secret,
            configuration,
            service,
            further: registries
                .map(|configuration| trust_store::Further {
                    configuration,
                    under: registry_admission::UNDER,
                })
                .into_iter()
                .collect(),
        };
        let store = trust_store::spawn(&joined.client, names, self.metrics);
        let check = self.readiness.check("registration");
        tasks.spawn(joined.missing.clone().follow(store.watches(), check));
        let upkeep = upkeep::Upkeep::new(replica, store, leader.clone(), signs);
        tasks.spawn(upkeep.keep(given));
        Ok(())
    }
}
