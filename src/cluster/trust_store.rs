//! The shared Secret and the webhook configurations, watched and written: the port `TrustStore` of `tls`.
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

/// Which Secret and which webhook configurations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The namespace of the Secret and of the Service.
    pub namespace: String,
    /// The Secret.
    pub secret: String,
    /// The webhook configuration that the Secret goes with.
    pub configuration: String,
    /// The Service that webhooks of cotter's name.
    pub service: String,
    /// Further webhook configurations.
    pub further: Vec<Further>,
}

/// A further webhook configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Further {
    /// Its name.
    pub configuration: String,
    /// What stands behind the secret path in the path of its webhooks, a slash first.
    pub under: &'static str,
}

/// A webhook configuration among [`Names`].
#[derive(Clone, Copy, Debug)]
struct Which<'a> {
    name: &'a str,
    under: &'static str,
    is_further: bool,
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

/// Takes in what one of the watches tells.
struct Keep<T, F> {
    observed: Arc<watch::Sender<Observed>>,
    /// What the list has shown so far; `None` outside of a list.
    listed: Option<T>,
    publish: F,
}

/// What a watch tells of.
enum Source {
    Secret,
    /// The name of a further one; `None` for the one that the Secret goes with.
    Configuration(Option<String>),
}

/// Starts to watch them. Needs a tokio runtime and returns at once.
///
/// Permissions: in the namespace `create` on secrets, and `list`, `watch`, `patch` and `delete` on the one; `list`,
/// `watch` and `patch` on each of the webhook configurations.
#[must_use]
pub fn spawn(client: &Client, names: Names, metrics: &Arc<Metrics>) -> ClusterTrustStore {
    let further = names.further.iter();
    let (sender, observed) = watch::channel(Observed {
        further: further
            .map(|one| (one.configuration.clone(), Seen::default()))
            .collect(),
        ..Observed::default()
    });
    let sender = Arc::new(sender);
    let mut board = Board::new(metrics.clone());
    let mut tasks = JoinSet::new();
    let report = board.add(
        "shared secret",
        Watch::TrustSecret,
        None,
        names.secret_target(),
    );
    let mut sources = vec![(report.index(), Source::Secret)];
    let api = Api::namespaced(report.client(client), &names.namespace);
    let (config, to) = (only(&names.secret), sender.clone());
    tasks.spawn(run(api, config, move || secret_sink(to.clone()), report));
    for which in names.configurations() {
        let report = board.add(
            "webhook configuration",
            Watch::WebhookConfiguration,
            None,
            which.target(),
        );
        let further = which.is_further.then(|| which.name.to_owned());
        sources.push((report.index(), Source::Configuration(further.clone())));
        let api = Api::all(report.client(client));
        let (config, to, of) = (only(which.name), sender.clone(), names.clone());
        let under = which.under;
        let sink = move || configuration_sink(to.clone(), of.clone(), further.clone(), under);
        tasks.spawn(run(api, config, sink, report));
    }
    // The metric of what was heard leaves it out, since it never lists.
    let writes = board.add(
        "what replicas share",
        Watch::TrustSecret,
        None,
        names.secret_target(),
    );
    tasks.spawn(blame(board.subscribe(), sender, sources));
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
    further: Option<String>,
    under: &'static str,
) -> impl Sink<Object = MutatingWebhookConfiguration> {
    Keep {
        observed,
        listed: None,
        publish: move |observed: &mut Observed, found: Option<MutatingWebhookConfiguration>| {
            let found = found.map(|one| objects::configuration(one, &names, under));
            let found = found.map_or(Seen::Absent, Seen::Present);
            match &further {
                None => observed.configuration = found,
                Some(name) => drop(observed.further.insert(name.clone(), found)),
            }
        },
    }
}

/// Says why nothing is known, as long as that is so.
async fn blame(
    mut told: watch::Receiver<Vec<WatchStatus>>,
    observed: Arc<watch::Sender<Observed>>,
    sources: Vec<(usize, Source)>,
) {
    loop {
        let now = told.borrow_and_update().clone();
        let error = |at: usize| now.get(at).and_then(|watch| watch.error.clone());
        observed.send_if_modified(|observed| {
            let mut news = false;
            for (at, source) in &sources {
                let error = error(*at);
                news |= match source {
                    Source::Secret => fail(&mut observed.secret, error),
                    Source::Configuration(None) => fail(&mut observed.configuration, error),
                    Source::Configuration(Some(name)) => {
                        let seen = observed.further.get_mut(name);
                        seen.is_some_and(|seen| fail(seen, error))
                    }
                };
            }
            news
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

    /// All webhook configurations, the one that the Secret goes with first.
    fn configurations(&self) -> impl Iterator<Item = Which<'_>> {
        let first = Which {
            name: &self.configuration,
            under: "",
            is_further: false,
        };
        let further = self.further.iter().map(|one| Which {
            name: &one.configuration,
            under: one.under,
            is_further: true,
        });
        std::iter::once(first).chain(further)
    }

    /// The one that was read; `None` for a further one that nobody named.
    fn configuration_of(&self, further: Option<&str>) -> Option<Which<'_>> {
        let is_one = |which: &Which<'_>| match further {
            None => !which.is_further,
            Some(name) => which.is_further && which.name == name,
        };
        self.configurations().find(is_one)
    }
}

// === impl Which ===

impl Which<'_> {
    fn target(&self) -> Target {
        Target::one("mutatingwebhookconfigurations", self.name, None)
    }
}

// === impl ClusterTrustStore ===

impl ClusterTrustStore {
    /// How the watches are, and what the last write lacked.
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
            Write::Hooks(of, hooks) => self.write_hooks(of, hooks).await,
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
