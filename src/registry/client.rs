//! The client: what is known, what is under way, and who has to be left alone, put together.

use std::{
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use arc_swap::ArcSwap;
use futures_util::{FutureExt as _, future::BoxFuture};
use smol_str::SmolStr;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};

use super::{
    bounded::Bounded,
    breaker::{Breaker, Pass},
    cache::{Answers, Key},
    dial::{Resolve, SystemResolver},
    exchange::{Exchange, Shared},
    flight::{Flights, Pilot, Seat},
    held::NodeHeld,
    look_up::Said,
    reading::Place,
    revision::Revisions,
    settings::{Settings, SettingsError},
    setup::{Base, Setup},
    trouble::Trouble,
};
use crate::{
    admission::ports::{Ask, Registry},
    domain::{
        keyring::Keyring,
        policy::Cause,
        question::{Failure, Resolution},
    },
    telemetry::metrics::{Cache, Metrics},
};

/// Hosts whose state is remembered.
const HOSTS: usize = 1024;

/// A client for all registries and all credentials. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Client(pub(super) Arc<Inner>);

pub(super) struct Inner {
    base: Base,
    pub(super) setup: ArcSwap<Setup>,
    swapping: Mutex<()>,
    shared: Arc<Shared>,
    answers: Answers,
    flights: Arc<Flights<Key, Resolution>>,
    pub(super) revisions: Revisions,
    /// What mirrors are asked with.
    pub(super) mirror_keyring: ArcSwap<Keyring>,
    /// Who knows cotter's own logins.
    pub(super) node_held: OnceLock<Arc<dyn NodeHeld>>,
    hosts: Bounded<SmolStr, Arc<Host>>,
}

/// How one host is doing.
pub(super) struct Host {
    breaker: Mutex<Breaker>,
    places: Arc<Semaphore>,
    pub(super) said: Said,
}

/// A conversation that may begin: the host is not left alone, and has a place free.
pub(super) struct Open {
    pub(super) exchange: Exchange,
    pub(super) leave: Leave,
    pub(super) _place: OwnedSemaphorePermit,
}

/// Leave to ask a host; given back without a verdict unless there was one.
pub(super) struct Leave {
    host: Arc<Host>,
    pass: Pass,
}

// === impl Client ===

impl Client {
    /// A client that resolves names as the system does. It needs a tokio runtime when it is asked, not before.
    ///
    /// # Errors
    /// [`SettingsError`] if a private CA cannot be used.
    pub fn new(settings: Settings, metrics: Arc<Metrics>) -> Result<Self, SettingsError> {
        Self::with_resolver(settings, metrics, Arc::new(SystemResolver::default()))
    }

    /// A client with a resolver of its own.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn with_resolver(
        settings: Settings,
        metrics: Arc<Metrics>,
        resolver: Arc<dyn Resolve>,
    ) -> Result<Self, SettingsError> {
        let base = Base::new(resolver);
        let setup = Setup::new(settings, &base, None)?;
        Ok(Self(Arc::new(Inner {
            base,
            setup: ArcSwap::from_pointee(setup),
            swapping: Mutex::default(),
            shared: Arc::new(Shared::new(metrics)),
            answers: Answers::default(),
            flights: Arc::default(),
            revisions: Revisions::default(),
            mirror_keyring: ArcSwap::default(),
            node_held: OnceLock::new(),
            hosts: Bounded::new(HOSTS),
        })))
    }

    /// Uses other settings from now on. Answers, tokens and connections stay, but for the hosts whose own settings or
    /// mirrors changed, or all of them if an address rule or the proxy did: those are asked anew over new connections.
    /// Failures are forgotten. What is under way ends under the old settings, and only those who wait for it see its answer.
    ///
    /// # Errors
    /// [`SettingsError`] if a private CA cannot be used; the old settings stay then.
    pub fn swap(&self, settings: Settings) -> Result<(), SettingsError> {
        let inner = &self.0;
        let _one_at_a_time = inner
            .swapping
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let old = inner.setup.load_full();
        let new = Arc::new(Setup::new(settings, &inner.base, Some(&old))?);
        inner.setup.store(Arc::clone(&new));
        inner.flights.forget();
        inner.shared.forget_habits();
        inner.answers.forget_but(|host| old.asks_as(&new, host));
        inner
            .hosts
            .retain(|_, _| old.settings.per_registry == new.settings.per_registry);
        Ok(())
    }

    /// Whether any registry has mirrors, by the settings in use.
    #[must_use]
    pub fn has_mirrors(&self) -> bool {
        let setup = self.0.setup.load();
        setup
            .settings
            .hosts
            .iter()
            .any(|host| !host.mirrors.is_empty())
    }

    /// Asks mirrors with what `keyring` holds for them from now on, and with nothing else. A new client asks them
    /// anonymously.
    pub fn ask_mirrors_with(&self, keyring: Arc<Keyring>) {
        self.0.mirror_keyring.store(keyring);
    }

    /// Has admissions ask the hosts that `held` names with cotter's own logins from now on. The first one stays.
    pub fn ask_as_nodes(&self, held: Arc<dyn NodeHeld>) {
        // A second one would answer under the first one's fingerprints.
        let _ = self.0.node_held.set(held);
    }
}

impl Registry for Client {
    fn known(&self, ask: &Ask) -> Option<Resolution> {
        let inner = &self.0;
        let setup = inner.setup.load();
        if setup.settings.offline {
            return Some(Err(offline()));
        }
        let negative_ttl = setup.settings.negative_ttl;
        let held = inner.held(&ask.host);
        let key = Key::of(ask, held.as_ref().map(|held| held.who));
        let answer = inner.answers.fresh(&key, ask.began_after, negative_ttl)?;
        inner.shared.metrics.cache(Cache::Digest, true);
        Some(match held {
            Some(held) => held.told(answer),
            None => answer,
        })
    }

    fn resolve(&self, ask: Ask) -> BoxFuture<'_, Resolution> {
        Arc::clone(&self.0).resolve(ask).boxed()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

// === impl Inner ===

impl Inner {
    /// Asks as whoever asks, or as cotter itself where the nodes hold the credential.
    async fn resolve(self: Arc<Self>, ask: Ask) -> Resolution {
        let setup = self.setup.load_full();
        if setup.settings.offline {
            return Err(offline());
        }
        let Some(held) = self.held(&ask.host) else {
            let key = Key::of(&ask, None);
            return self.resolve_as(setup, key, ask).await;
        };
        let key = Key::of(&ask, Some(held.who));
        match held.ask(ask) {
            Ok(ask) => held.told(self.resolve_as(setup, key, ask).await),
            Err(failure) => {
                let max_stale = setup.settings.max_stale;
                self.answers.last_good(&key, max_stale).ok_or(failure)
            }
        }
    }

    async fn resolve_as(self: Arc<Self>, setup: Arc<Setup>, key: Key, ask: Ask) -> Resolution {
        let (deadline, began_after) = (ask.deadline, ask.began_after);
        let (max_stale, negative_ttl) = (setup.settings.max_stale, setup.settings.negative_ttl);
        let landed = || self.answers.fresh(&key, began_after, negative_ttl);
        let seat = self
            .flights
            .board(key.clone(), Some(began_after), landed, |pilot| {
                Arc::clone(&self).fly(setup, key.clone(), ask, pilot)
            });
        let hit = matches!(seat, Seat::Landed(_));
        self.shared.metrics.cache(Cache::Digest, hit);
        let answer = match seat {
            Seat::Landed(answer) => Some(answer),
            Seat::Waiting(ticket) => ticket.answer(Some(deadline)).await,
        };
        let late = || Failure::new(Cause::Unavailable, "no answer by the admission's deadline");
        match answer.unwrap_or_else(|| Err(late())) {
            Err(failure) if failure.cause == Cause::Unavailable => {
                self.answers.last_good(&key, max_stale).ok_or(failure)
            }
            answer => answer,
        }
    }

    /// One look-up from its start to the cache.
    async fn fly(
        self: Arc<Self>,
        setup: Arc<Setup>,
        key: Key,
        ask: Ask,
        pilot: Arc<Pilot<Resolution>>,
    ) -> Resolution {
        let start = Instant::now();
        let answer = self.look_up(&setup, &ask, start, &pilot).await;
        let answer = answer.map_err(Trouble::into_failure);
        let began = pilot.began.at().unwrap_or(start.into_std());
        self.answers.keep(&key, began, &answer);
        // After the keeping: a swap in between either finds the entry or is found here.
        if !setup.asks_as(&self.setup.load(), &key.host) {
            self.answers.forget(&key);
        }
        answer
    }

    /// Waits until `limit` for a place at the host of `place`.
    pub(super) async fn open(
        &self,
        setup: &Arc<Setup>,
        place: Place,
        limit: Instant,
    ) -> Result<Open, Trouble> {
        let Place {
            host,
            repository,
            credential,
        } = place;
        let (shared, per_host) = (Arc::clone(&self.shared), setup.settings.per_registry);
        let exchange = Exchange::new(shared, Arc::clone(setup), host, repository, credential)?;
        let host = self.host(&exchange.host, per_host);
        let leave = self.leave(&host, &exchange)?;
        let places = Arc::clone(&host.places);
        match timeout_at(limit, places.acquire_owned()).await {
            Ok(Ok(place)) => Ok(Open {
                exchange,
                leave,
                _place: place,
            }),
            _ => Err(Trouble::Crowded),
        }
    }

    pub(super) fn host(&self, host: &SmolStr, places: usize) -> Arc<Host> {
        self.hosts.get_or_insert(host, || {
            Arc::new(Host {
                breaker: Mutex::default(),
                places: Arc::new(Semaphore::new(places.clamp(1, Semaphore::MAX_PERMITS))),
                said: Said::default(),
            })
        })
    }

    fn leave(&self, host: &Arc<Host>, exchange: &Exchange) -> Result<Leave, Trouble> {
        let now = Instant::now().into_std();
        if self.shared.blocked.holds(&exchange.host, exchange.who, now) {
            return Err(Trouble::Unavailable(
                "the registry limits requests".to_owned(),
            ));
        }
        let paused = "the registry keeps failing and is left alone for a moment";
        let pass = host.breaker(|breaker| breaker.admit(now));
        let pass = pass.ok_or_else(|| Trouble::Unavailable(paused.to_owned()))?;
        let host = Arc::clone(host);
        Ok(Leave { host, pass })
    }
}

// === impl Host ===

impl Host {
    fn breaker<T>(&self, change: impl FnOnce(&mut Breaker) -> T) -> T {
        change(&mut self.breaker.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

// === impl Leave ===

impl Leave {
    pub(super) fn report<T>(self, host: &SmolStr, looked_up: &Result<T, Trouble>) {
        match looked_up {
            Err(Trouble::Unreachable(reason)) => {
                let now = Instant::now().into_std();
                if self.host.breaker(|breaker| breaker.failed(self.pass, now)) {
                    tracing::warn!(%host, reason, "registry.paused");
                }
            }
            Err(Trouble::Refused(_) | Trouble::Crowded) => {}
            _ => self.host.breaker(Breaker::answered),
        }
    }
}

impl Drop for Leave {
    fn drop(&mut self) {
        self.host.breaker(|breaker| breaker.left(self.pass));
    }
}

pub(super) fn offline() -> Failure {
    Failure::new(Cause::Refused, "offline: no registry is asked")
}
