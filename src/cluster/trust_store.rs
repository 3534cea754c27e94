//! The shared Secret and the webhook configuration, watched and written: the port `TrustStore` of `tls`.
//!
//! The only part of this floor that writes, and no admission waits for it.

mod objects;
mod writing;

use std::sync::Arc;

use k8s_openapi::api::{admissionregistration::v1::MutatingWebhookConfiguration, core::v1::Secret};
use kube::{Api, Client, runtime::watcher};
use tokio::{sync::watch, task::JoinSet};

use super::watch::{Reporter, Sink, WatchStatus, run};
use crate::{
    telemetry::metrics::{Metrics, Watch},
    tls::ports::{Observed, Seen, StoreError, TrustStore, Write},
};

/// Who writes, as the API server notes it with each field.
const MANAGER: &str = "cotter";

/// Which Secret and which webhook configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The namespace of the Secret and of the Service.
    pub namespace: String,
    /// The Secret.
    pub secret: String,
    /// The webhook configuration.
    pub configuration: String,
    /// The Service that its webhooks of cotter's name.
    pub service: String,
}

/// The store in a cluster. Dropped, its watches end.
#[derive(Debug)]
pub struct ClusterTrustStore {
    names: Names,
    secrets: Api<Secret>,
    configurations: Api<MutatingWebhookConfiguration>,
    observed: watch::Receiver<Observed>,
    _tasks: JoinSet<()>,
}

/// Takes in what one of the two watches tells.
struct Keep<T, F> {
    observed: Arc<watch::Sender<Observed>>,
    /// What the list has shown so far; `None` outside of a list.
    listed: Option<T>,
    publish: F,
}

/// Starts to watch both. Needs a tokio runtime and returns at once.
///
/// Permissions: in the namespace `create` on secrets, and `list`, `watch`, `patch` and `delete` on the one; `list`,
/// `watch` and `patch` on the one webhook configuration.
#[must_use]
pub fn spawn(client: &Client, names: Names, metrics: &Arc<Metrics>) -> ClusterTrustStore {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), &names.namespace);
    let configurations: Api<MutatingWebhookConfiguration> = Api::all(client.clone());
    let (sender, observed) = watch::channel(Observed::default());
    let sender = Arc::new(sender);
    let status = |name| {
        let first = WatchStatus {
            name,
            synced: false,
            error: None,
        };
        watch::channel(vec![first])
    };
    let mut tasks = JoinSet::new();
    let (report, told) = status("shared secret");
    let reporter = Reporter::new(
        Watch::TrustSecret,
        "secrets",
        metrics.clone(),
        report.into(),
        0,
    );
    let (api, config, to) = (secrets.clone(), only(&names.secret), sender.clone());
    tasks.spawn(run(api, config, move || secret_sink(to.clone()), reporter));
    tasks.spawn(blame(told, sender.clone(), |observed, error| {
        fail(&mut observed.secret, error)
    }));
    let (report, told) = status("webhook configuration");
    let reporter = Reporter::new(
        Watch::WebhookConfiguration,
        "mutatingwebhookconfigurations",
        metrics.clone(),
        report.into(),
        0,
    );
    let (api, config, to) = (
        configurations.clone(),
        only(&names.configuration),
        sender.clone(),
    );
    let of = names.clone();
    let sink = move || configuration_sink(to.clone(), of.clone());
    tasks.spawn(run(api, config, sink, reporter));
    tasks.spawn(blame(told, sender, |observed, error| {
        fail(&mut observed.configuration, error)
    }));
    ClusterTrustStore {
        names,
        secrets,
        configurations,
        observed,
        _tasks: tasks,
    }
}

/// Nothing but the object of this name.
fn only(name: &str) -> watcher::Config {
    watcher::Config::default().fields(&format!("metadata.name={name}"))
}

fn secret_sink(observed: Arc<watch::Sender<Observed>>) -> impl Sink<Object = Secret> {
    Keep {
        observed,
        listed: None,
        publish: |observed: &mut Observed, secret: Option<Secret>| {
            observed.secret =
                secret.map_or(Seen::Absent, |one| Seen::Present(objects::stored(one)));
        },
    }
}

fn configuration_sink(
    observed: Arc<watch::Sender<Observed>>,
    names: Names,
) -> impl Sink<Object = MutatingWebhookConfiguration> {
    Keep {
        observed,
        listed: None,
        publish: move |observed: &mut Observed, found: Option<MutatingWebhookConfiguration>| {
            let found = found.map(|one| objects::configuration(one, &names));
            observed.configuration = found.map_or(Seen::Absent, Seen::Present);
        },
    }
}

/// Says why nothing is known, as long as that is so.
async fn blame(
    mut told: watch::Receiver<Vec<WatchStatus>>,
    observed: Arc<watch::Sender<Observed>>,
    set: fn(&mut Observed, Option<String>) -> bool,
) {
    while told.changed().await.is_ok() {
        let error = told
            .borrow_and_update()
            .first()
            .and_then(|watch| watch.error.clone());
        observed.send_if_modified(|observed| set(observed, error));
    }
}

fn fail<T>(seen: &mut Seen<T>, error: Option<String>) -> bool {
    match seen {
        Seen::Unknown(known) if *known != error => {
            *known = error;
            true
        }
        _ => false,
    }
}

// === impl Keep ===

impl<T, F> Sink for Keep<T, F>
where
    T: kube::Resource<DynamicType = ()>
        + Clone
        + std::fmt::Debug
        + serde::de::DeserializeOwned
        + Send
        + 'static,
    F: Fn(&mut Observed, Option<T>) + Send + 'static,
{
    type Object = T;

    fn begin(&mut self) {
        self.listed = None;
    }

    fn listed(&mut self, object: T) {
        self.listed = Some(object);
    }

    fn done(&mut self) {
        let listed = self.listed.take();
        self.observed
            .send_modify(|observed| (self.publish)(observed, listed));
    }

    fn applied(&mut self, object: T) {
        self.observed
            .send_modify(|observed| (self.publish)(observed, Some(object)));
    }

    fn deleted(&mut self, _: T) {
        self.observed
            .send_modify(|observed| (self.publish)(observed, None));
    }
}

// === impl ClusterTrustStore ===

impl TrustStore for ClusterTrustStore {
    fn observe(&self) -> watch::Receiver<Observed> {
        self.observed.clone()
    }

    async fn write(&self, write: &Write) -> Result<(), StoreError> {
        match write {
            Write::Secret(secret) => self.write_secret(secret).await,
            Write::Delete(version) => self.delete_secret(version).await,
            Write::Hooks(version, hooks) => self.write_hooks(version, hooks).await,
        }
    }
}
