//! Questions put to the API server itself: for a namespace that has just opted in, and for an admission that came
//! before the watches' news.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures_util::{FutureExt as _, future::try_join};
use kube::{Api, Client};
use smol_str::SmolStr;
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
    time::{sleep, timeout, timeout_at},
};

use super::{
    errors::{Target, of_request},
    flights::{Flight, Flights},
    ledger::Listed,
    limiter::Limiter,
    listing,
    objects::{NamespaceObject, identity},
    state::State,
};
use crate::{
    admission::ports::Namespace,
    domain::{
        docker_config::SecretType,
        pull_secret::{NamespaceSecrets, PullSecret},
    },
    telemetry::metrics::Metrics,
};

/// The longest that one look-up goes on; an admission's deadline ends its own waiting earlier.
const PATIENCE: Duration = Duration::from_secs(10);

/// Namespaces listed at once when many opt in together.
const LISTS_AT_ONCE: usize = 8;

/// Failed look-ups are logged once in this time.
const LOG_PAUSE: Duration = Duration::from_mins(1);

/// The pauses between attempts to list a namespace that has opted in.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

type Secrets = Option<Arc<NamespaceSecrets>>;

pub(super) struct Lookup {
    client: Client,
    state: Arc<State>,
    metrics: Arc<Metrics>,
    namespaces: Arc<Flights<Option<Namespace>>>,
    secrets: Arc<Flights<Secrets>>,
    limits: Mutex<Limits>,
    logged: Mutex<Option<Instant>>,
}

#[derive(Debug, Default)]
struct Limits {
    namespaces: Limiter,
    secrets: Limiter,
}

impl Lookup {
    pub(super) fn new(client: Client, state: Arc<State>, metrics: Arc<Metrics>) -> Self {
        Self {
            client,
            state,
            metrics,
            namespaces: Arc::default(),
            secrets: Arc::default(),
            limits: Mutex::default(),
            logged: Mutex::default(),
        }
    }

    /// A namespace as the API server has it now.
    pub(super) async fn namespace(
        self: &Arc<Self>,
        name: &str,
        deadline: Instant,
    ) -> Option<Namespace> {
        let request = self.clone().get_namespace(checked(name)?);
        let flight = self.namespaces.join(name, request.boxed(), || {
            self.may(name, |l| &mut l.namespaces)
        })?;
        timeout_at(deadline.into(), flight).await.ok().flatten()?
    }

    /// The pull secrets of a namespace as the API server has them now.
    pub(super) async fn pull_secrets(
        self: &Arc<Self>,
        namespace: &str,
        deadline: Instant,
    ) -> Secrets {
        let flight = self.list(namespace, || self.may(namespace, |l| &mut l.secrets))?;
        timeout_at(deadline.into(), flight).await.ok().flatten()?
    }

    /// Lists the namespaces that come in, until each is known or no longer opted in.
    pub(super) async fn list_opted_in(
        self: Arc<Self>,
        mut namespaces: mpsc::UnboundedReceiver<SmolStr>,
    ) {
        let turns = Arc::new(Semaphore::new(LISTS_AT_ONCE));
        let mut lists = JoinSet::new();
        while let Some(namespace) = namespaces.recv().await {
            while lists.try_join_next().is_some() {}
            let (lookup, turns) = (self.clone(), turns.clone());
            lists.spawn(async move {
                let mut pause = FIRST_PAUSE;
                while lookup.state.wants_list(&namespace) {
                    let turn = turns.acquire().await;
                    if let Some(flight) = lookup.list(&namespace, || true) {
                        flight.await;
                    }
                    drop(turn);
                    if lookup.state.wants_list(&namespace) {
                        sleep(pause).await;
                        pause = (pause * 2).min(LONGEST_PAUSE);
                    }
                }
            });
        }
    }

    fn list(
        self: &Arc<Self>,
        namespace: &str,
        may: impl FnOnce() -> bool,
    ) -> Option<Flight<Secrets>> {
        let request = self.clone().list_secrets(checked(namespace)?);
        self.secrets.join(namespace, request.boxed(), may)
    }

    fn may(&self, namespace: &str, which: impl FnOnce(&mut Limits) -> &mut Limiter) -> bool {
        let mut limits = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
        let may = which(&mut limits).take(namespace, tokio::time::Instant::now());
        if may {
            self.metrics.live_look_up();
        }
        may
    }

    async fn get_namespace(self: Arc<Self>, name: SmolStr) -> Option<Namespace> {
        let api: Api<NamespaceObject> = Api::all(self.client.clone());
        match timeout(PATIENCE, api.get_opt(&name)).await {
            Ok(Ok(Some(object))) => {
                let (_, name, revision) = identity(&object);
                if let Some(labels) = object.newborn {
                    self.state.promises.born(&name, labels);
                }
                let choice = object.choice;
                self.state.apply_namespace(&name, revision, choice.clone());
                Some(choice)
            }
            Ok(Ok(None)) => None,
            Ok(Err(error)) => {
                let target = Target::one("namespaces", &name, None);
                self.failed(&of_request(&error, "get", &target).text)
            }
            Err(_) => self.failed("cannot get namespaces: no answer in time"),
        }
    }

    async fn list_secrets(self: Arc<Self>, namespace: SmolStr) -> Secrets {
        let stay = self.state.live_list_begun(&namespace);
        let both = try_join(
            self.list_type(&namespace, SecretType::DockerConfigJson),
            self.list_type(&namespace, SecretType::DockerCfg),
        );
        let listed = match timeout(PATIENCE, both).await {
            Ok(Ok((json, cfg))) => Ok(join(json, cfg)),
            Ok(Err(error)) => {
                let target = Target::all("secrets", Some(&namespace));
                Err(of_request(&error, "list", &target).text)
            }
            Err(_) => Err("cannot list secrets: no answer in time".to_owned()),
        };
        let news = listed.as_ref().ok();
        self.state.live_list_ended(&namespace, stay, news);
        match listed {
            // What the state holds now is the list and what the watches told since.
            Ok(listed) => self.state.pull_secrets(&namespace).or_else(|| {
                let secrets = listed.secrets.into_iter().map(|(_, _, secret)| secret);
                Some(Arc::new(NamespaceSecrets::new(secrets)))
            }),
            Err(error) => self.failed(&error),
        }
    }

    async fn list_type(&self, namespace: &str, kind: SecretType) -> kube::Result<OfType> {
        let (revision, secrets) = listing::of_type(&self.client, namespace, kind).await?;
        let of_type = |(revision, secret)| (revision, kind, secret);
        Ok((kind, revision, secrets.into_iter().map(of_type).collect()))
    }

    fn failed<T>(&self, error: &str) -> Option<T> {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.is_none_or(|at| at.elapsed() >= LOG_PAUSE) {
            *logged = Some(Instant::now());
            tracing::warn!(
                error,
                "a live look-up failed; what was seen last stays in use"
            );
        }
        None
    }
}

type OfType = (SecretType, u64, Vec<(u64, SecretType, Arc<PullSecret>)>);

fn join(json: OfType, cfg: OfType) -> Listed {
    let mut listed = Listed::default();
    for (kind, revision, secrets) in [json, cfg] {
        *listed.revisions.of_mut(kind) = revision;
        listed.secrets.extend(secrets);
    }
    listed
}

/// The name, if Kubernetes allows it: it becomes part of a path.
fn checked(namespace: &str) -> Option<SmolStr> {
    let fine = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let is_name = (1..=63).contains(&namespace.len()) && namespace.bytes().all(fine);
    is_name.then(|| namespace.into())
}
