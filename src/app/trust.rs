//! Joins the certificates to the cluster: the shared Secret and the webhook configuration.

use std::sync::Arc;

use anyhow::{Result, bail};
use tokio::{sync::watch, task::JoinSet};

use crate::{
    cluster::{client, trust_store},
    config::{config::Source, webhook::Registration},
    http::routes::Paths,
    telemetry::{metrics::Metrics, readiness::Readiness},
    tls::{
        bundle::Ca,
        leaf::Host,
        path::SecretPath,
        replica::{Certificates, Replica},
        resolver::Served,
        upkeep::{self, Signs},
    },
};

/// What the upkeep of a registration needs of the process.
pub(super) struct Upkeep<'a> {
    pub(super) source: &'a Source,
    pub(super) leader: watch::Receiver<bool>,
    pub(super) metrics: &'a Arc<Metrics>,
    pub(super) readiness: &'a Readiness,
}

// === impl Upkeep ===

impl Upkeep<'_> {
    /// This process as one of the replicas behind the Service.
    pub(super) fn replica(
        &self,
        registration: &Registration,
        certificates: Certificates,
        served: Arc<Served>,
    ) -> Result<(Replica, bool)> {
        let Registration {
            service, namespace, ..
        } = registration;
        let host: Host = format!("{service}.{namespace}.svc").parse()?;
        let own = matches!(certificates, Certificates::Own(_));
        Ok((Replica::new(host, certificates, served), own))
    }

    /// Keeps the registration, in `tasks`.
    pub(super) async fn start(
        &self,
        registration: &Registration,
        (replica, own): (Replica, bool),
        given: Option<watch::Receiver<Vec<Ca>>>,
        paths: Arc<Paths>,
        tasks: &mut JoinSet<()>,
    ) -> Result<()> {
        let Source::Cluster {
            kubeconfig,
            context,
            ..
        } = self.source
        else {
            bail!("--webhook-configuration needs a cluster");
        };
        let certificate = own.then(|| self.readiness.check("certificate"));
        let trusted = self.readiness.check("trusted");
        let client = client::connect(kubeconfig.as_deref(), context.as_deref()).await?;
        let Registration {
            configuration,
            service,
            namespace,
            secret,
        } = registration.clone();
        let signs = Signs {
            certificate,
            trusted,
            metrics: self.metrics.clone(),
            accept: Box::new(move |accepted| {
                paths.replace(accepted.iter().map(SecretPath::expose))
            }),
            secret: format!("Secret {namespace}/{secret}"),
            configuration: format!("MutatingWebhookConfiguration {configuration}"),
        };
        let names = trust_store::Names {
            namespace,
            secret,
            configuration,
            service,
        };
        let store = trust_store::spawn(&client, names, self.metrics);
        let upkeep = upkeep::Upkeep::new(replica, store, self.leader.clone(), signs);
        tasks.spawn(upkeep.keep(given));
        Ok(())
    }
}
