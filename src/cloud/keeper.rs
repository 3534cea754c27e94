//! Logins of cotter's own, kept ready: for each host a task asks its cloud at the start, and again at half of a login's life.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, Hasher as _, RandomState},
    sync::Arc,
    time::Duration,
};

use arc_swap::ArcSwap;
use smol_str::SmolStr;
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use super::{Login, MakeLogins};
use crate::{
    domain::{
        cloud::{Cloud, CloudRegistry},
        credential::{Credential, Fingerprint},
    },
    registry::held::{Held, NoLogin, NodeHeld},
    telemetry::metrics::Metrics,
};

/// How long a cloud may take, the retries of its library included.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a cloud has just made is used for so long, whatever the two clocks say.
const SHORTEST: Duration = Duration::from_mins(1);

/// The pause after a first failure; it doubles with each further one.
const RETRY: Duration = Duration::from_secs(1);

/// How often it doubles at most: a minute is soon enough after somebody has granted a right.
const DOUBLINGS: u32 = 6;

/// The logins of all hosts.
pub struct Keeper {
    clouds: Arc<dyn MakeLogins>,
    metrics: Arc<Metrics>,
    kept: ArcSwap<HashMap<SmolStr, Arc<Kept>>>,
}

/// One host, and the task that looks after it.
struct Kept {
    who: Fingerprint,
    cloud: Cloud,
    state: Arc<ArcSwap<State>>,
    task: JoinHandle<()>,
}

/// What is known of one host's login.
#[derive(Clone)]
struct State {
    login: Option<(Arc<Credential>, Instant)>,
    /// Why there is none, or none after it.
    without: NoLogin,
}

/// What the task of one host works with.
struct Upkeep {
    clouds: Arc<dyn MakeLogins>,
    metrics: Arc<Metrics>,
    host: SmolStr,
    registry: CloudRegistry,
    who: Fingerprint,
    state: Arc<ArcSwap<State>>,
}

// === impl Keeper ===

impl Keeper {
    /// One that keeps nothing yet. `clouds` make the logins.
    #[must_use]
    pub fn new(clouds: Arc<dyn MakeLogins>, metrics: Arc<Metrics>) -> Self {
        Self {
            clouds,
            metrics,
            kept: ArcSwap::default(),
        }
    }

    /// Keeps logins for these hosts from now on and for no others. A host that stays keeps its login; one that is no cloud's
    /// is left out. It needs a tokio runtime.
    pub fn keep<'a>(&self, hosts: impl IntoIterator<Item = &'a SmolStr>) {
        let old = self.kept.load();
        let with = |host: &SmolStr| {
            let kept = old.get(host).map(Arc::clone);
            let kept = kept.or_else(|| Some(self.begin(host, CloudRegistry::of_host(host)?)));
            Some((host.clone(), kept?))
        };
        let new: HashMap<_, _> = hosts.into_iter().filter_map(with).collect();
        for (host, gone) in old.iter().filter(|(host, _)| !new.contains_key(*host)) {
            gone.task.abort();
            self.metrics.own_logins.forget(host);
        }
        self.kept.store(Arc::new(new));
    }

    fn begin(&self, host: &SmolStr, registry: CloudRegistry) -> Arc<Kept> {
        let who = Fingerprint::of_own_identity(host);
        let cloud = registry.cloud();
        let state = Arc::new(ArcSwap::from_pointee(State {
            login: None,
            without: NoLogin::Awaited,
        }));
        let upkeep = Upkeep {
            clouds: Arc::clone(&self.clouds),
            metrics: Arc::clone(&self.metrics),
            host: host.clone(),
            registry,
            who,
            state: Arc::clone(&state),
        };
        Arc::new(Kept {
            who,
            cloud,
            state,
            task: tokio::spawn(upkeep.run()),
        })
    }
}

impl NodeHeld for Keeper {
    fn login(&self, host: &str) -> Option<Held> {
        let kept = self.kept.load();
        let kept = kept.get(host)?;
        let state = kept.state.load();
        Some(Held {
            who: kept.who,
            cloud: kept.cloud,
            login: state.login().cloned().ok_or_else(|| state.without.clone()),
        })
    }
}

// === impl Kept ===

impl Drop for Kept {
    fn drop(&mut self) {
        self.task.abort();
    }
}

// === impl State ===

impl State {
    /// The login, while it works.
    fn login(&self) -> Option<&Arc<Credential>> {
        let (login, ends) = self.login.as_ref()?;
        (Instant::now() < *ends).then_some(login)
    }
}

// === impl Upkeep ===

impl Upkeep {
    async fn run(self) {
        let mut failures = 0;
        loop {
            let asked = timeout(PATIENCE, self.clouds.make(&self.host, &self.registry)).await;
            let late = |_| Err(format!("no answer within {} s", PATIENCE.as_secs()));
            let pause = match asked.unwrap_or_else(late) {
                Ok(login) => {
                    failures = 0;
                    self.store(&login)
                }
                Err(said) => {
                    self.fail(&said);
                    failures += 1;
                    after(failures)
                }
            };
            sleep(pause).await;
        }
    }

    /// Puts a login in use, and says when it is to be renewed.
    fn store(&self, login: &Login) -> Duration {
        let life = login.life.max(SHORTEST);
        let had_none = self.state.load().login().is_none();
        let credential =
            Credential::of_identity(self.who, login.username, login.password.as_slice());
        self.state.store(Arc::new(State {
            login: Some((Arc::new(credential), Instant::now() + life)),
            without: NoLogin::Awaited,
        }));
        self.metrics.own_logins.stands(&self.host, true);
        if had_none {
            let (host, cloud) = (&self.host, self.registry.cloud());
            tracing::info!(%host, %cloud, "cotter has a login of its own");
        }
        life / 2
    }

    /// Notes that there is no new login; the one before is used to its end.
    fn fail(&self, said: &str) {
        let cloud = self.registry.cloud();
        let why = format!(
            "{cloud} makes no login for cotter's own identity: {said}; give cotter's Pods one ({}) with {}",
            cloud.identity(),
            cloud.right()
        );
        let state = State {
            without: NoLogin::Refused(why.clone()),
            ..(**self.state.load()).clone()
        };
        let (host, works) = (&self.host, state.login().is_some());
        self.state.store(Arc::new(state));
        self.metrics.own_logins.failed(host);
        self.metrics.own_logins.stands(host, works);
        let until = if works {
            "the one before still works"
        } else {
            "its tags stay unpinned"
        };
        tracing::warn!(%host, "{why}; {until}");
    }
}

/// The pause after so many failures in a row, and at random up to a quarter of it more, so that replicas part.
fn after(failures: u32) -> Duration {
    let pause = RETRY * 2_u32.saturating_pow(failures.saturating_sub(1).min(DOUBLINGS));
    let random = RandomState::new().build_hasher().finish();
    pause + pause / 4 * u32::from(random.to_le_bytes()[0]) / u32::from(u8::MAX)
}

#[cfg(test)]
#[path = "keeper/tests.rs"]
mod tests;
