//! The shared Secret and the webhook configuration, watched and written: the port `TrustStore` of `tls`.
//!
//! The only part of this floor that writes, and no admission waits for it.

mod objects;
mod writing;

use std::sync::Arc;

use k8s_openapi::api::{admissionregistration::v1::MutatingWebhookConfiguration, core::v1::Secret};
use kube::{Api, Client, runtime::watcher};
use tokio::{sync::watch, task::JoinSet};

use super::{
    errors::Target,
    live::ClusterWatches,
    status::{Board, Reporter, WatchStatus},
    watch::{Sink, run},
};
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
    watches: ClusterWatches,
    /// Where writes tell which right they lack.
    writes: Reporter,
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
    let (sender, observed) = watch::channel(Observed::default());
    let sender = Arc::new(sender);
    let mut board = Board::new(metrics.clone());
    let mut tasks = JoinSet::new();
    let report = board.add(
        "shared secret",
        Watch::TrustSecret,
        None,
        names.secret_target(),
    );
    let secret = report.index();
    let api = Api::namespaced(report.client(client), &names.namespace);
    let (config, to) = (only(&names.secret), sender.clone());
    tasks.spawn(run(api, config, move || secret_sink(to.clone()), report));
    let target = names.configuration_target();
    let report = board.add(
        "webhook configuration",
        Watch::WebhookConfiguration,
        None,
        target,
    );
    let configuration = report.index();
    let api = Api::all(report.client(client));
    let (config, to, of) = (only(&names.configuration), sender.clone(), names.clone());
    let sink = move || configuration_sink(to.clone(), of.clone());
    tasks.spawn(run(api, config, sink, report));
    // The metric of what was heard leaves it out, since it never lists.
    let writes = board.add(
        "what replicas share",
        Watch::TrustSecret,
        None,
        names.secret_target(),
    );
    tasks.spawn(blame(board.subscribe(), sender, [secret, configuration]));
    ClusterTrustStore {
        secrets: Api::namespaced(client.clone(), &names.namespace),
        configurations: Api::all(client.clone()),
        names,
        observed,
        watches: ClusterWatches::new(board, tasks),
        writes,
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
    [secret, configuration]: [usize; 2],
) {
    loop {
        let now = told.borrow_and_update().clone();
        let error = |at: usize| now.get(at).and_then(|watch| watch.error.clone());
        observed.send_if_modified(|observed| {
            let secret = fail(&mut observed.secret, error(secret));
            fail(&mut observed.configuration, error(configuration)) || secret
        });
        if told.changed().await.is_err() {
            return;
        }
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

// === impl Names ===

impl Names {
    fn secret_target(&self) -> Target {
        Target::one("secrets", &self.secret, Some(&self.namespace))
    }

    fn configuration_target(&self) -> Target {
        Target::one("mutatingwebhookconfigurations", &self.configuration, None)
    }
}

// === impl ClusterTrustStore ===

impl ClusterTrustStore {
    /// How the two watches are, and what the last write lacked.
    #[must_use]
    pub fn watches(&self) -> watch::Receiver<Vec<WatchStatus>> {
        self.watches.subscribe()
    }
}

impl TrustStore for ClusterTrustStore {
    fn observe(&self) -> watch::Receiver<Observed> {
        self.observed.clone()
    }

    async fn write(&self, write: &Write) -> Result<(), StoreError> {
        let written = match write {
            Write::Secret(secret) => self.write_secret(secret).await,
            Write::Delete(version) => self.delete_secret(version).await,
            Write::Hooks(version, hooks) => self.write_hooks(version, hooks).await,
        };
        if written.is_ok() {
            self.writes.requested(None);
        }
        written
    }

    fn rest(&self) {
        self.writes.requested(None);
    }
}
