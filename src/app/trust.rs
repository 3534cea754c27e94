//! Joins the certificates to the cluster: the shared Secret and the webhook configuration.

use std::sync::Arc;

use anyhow::{Result, bail};
use tokio::{sync::watch, task::JoinSet};

use super::webhook;
use crate::{
    cluster::{client, trust_store},
    config::{config::Source, webhook::Registration},
    http::routes::Paths,
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
    pub(super) source: &'a Source,
    pub(super) leader: watch::Receiver<bool>,
    pub(super) metrics: &'a Arc<Metrics>,
    pub(super) readiness: &'a Readiness,
}

// === impl Upkeep ===

impl Upkeep<'_> {
    /// Keeps the registration, in `tasks`: this process is one of the replicas behind its Service.
    pub(super) async fn start(
        &self,
        registration: &Registration,
        source: webhook::Source,
        paths: &Arc<Paths>,
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
        let Registration {
            configuration,
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
        let client = client::connect(kubeconfig.as_deref(), context.as_deref()).await?;
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
