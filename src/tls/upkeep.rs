//! Keeps a replica's part in the shared trust: waits for changes, writes what is to be written, and tells how it is.

use std::{future::pending, sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::{
    select,
    sync::watch,
    time::{Instant, sleep_until, timeout},
};
use tracing::{debug, info, warn};

use super::{
    bundle::Ca,
    life::Moment,
    pace::Pace,
    path::SecretPath,
    ports::{Observed, StoreError, TrustStore, Write},
    replica::{Look, Replica, Task},
    rotation::Step,
};
use crate::telemetry::{metrics::Metrics, readiness::Handle};

/// How long a write may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Trouble is logged this often at most.
const COMPLAIN_EVERY: Duration = Duration::from_mins(1);

/// A written complaint comes only after trouble has lasted: at a start everything is missing for a moment.
const LASTING: Duration = Duration::from_secs(10);

/// Takes the paths that are accepted from now on.
pub type Accept = Box<dyn Fn(&[SecretPath]) + Send>;

/// What the upkeep tells others.
pub struct Signs {
    /// The check that there is a certificate; `None` where that comes from elsewhere.
    pub certificate: Option<Handle>,
    /// The check that the API server could call, which passes once and for all.
    pub trusted: Handle,
    /// The counters.
    pub metrics: Arc<Metrics>,
    /// Takes the paths that are accepted from now on.
    pub accept: Accept,
    /// The shared Secret, for a person.
    pub secret: String,
    /// The webhook configuration that readiness waits for, for a person; others are of the same kind.
    pub configuration: String,
}

/// Whether the API server could call, and whether it ever could.
#[derive(Clone, Copy, Default)]
struct Standing {
    was: bool,
    is: bool,
}

/// Keeps one replica.
pub struct Upkeep<S> {
    replica: Replica,
    store: S,
    leader: watch::Receiver<bool>,
    signs: Signs,
    pace: Pace,
    was_trusted: bool,
    is_trusted: bool,
    /// The same of the further configurations.
    further: Standing,
    paths: Vec<SecretPath>,
    /// What the last write failed with.
    trouble: Option<String>,
    complained: Option<(String, Instant)>,
    /// Since when something is wrong that no write of this replica mends.
    stuck: Option<Instant>,
}

// === impl Upkeep ===

impl<S: TrustStore> Upkeep<S> {
    /// The upkeep of `replica`. While `leader` says so, it does what one replica does for all.
    #[must_use]
    pub fn new(replica: Replica, store: S, leader: watch::Receiver<bool>, signs: Signs) -> Self {
        Self {
            replica,
            store,
            leader,
            signs,
            pace: Pace::default(),
            was_trusted: false,
            is_trusted: false,
            further: Standing::default(),
            paths: Vec::new(),
            trouble: None,
            complained: None,
            stuck: None,
        }
    }

    /// Goes on for ever. `given`: what callers are to trust where that is not the shared authority.
    pub async fn keep(mut self, mut given: Option<watch::Receiver<Vec<Ca>>>) {
        let begun = Instant::now();
        let mut observed = self.store.observe();
        let mut leader = self.leader.clone();
        loop {
            if let Some(given) = &mut given {
                self.replica.give(given.borrow_and_update().clone());
            }
            let known = observed.borrow_and_update().clone();
            let leads = *leader.borrow_and_update();
            let now = || Moment {
                wall: Timestamp::now(),
                ticks: begun.elapsed(),
            };
            let look = self.replica.look(&known, leads, now());
            self.tell(&look);
            match look.task {
                None => {
                    self.pace.rest();
                    self.store.rest();
                    self.trouble = None;
                }
                Some(task) if self.pace.is_due() => self.work(task, &known, leads, now()).await,
                Some(_) => {}
            }
            let tick = Instant::now() + self.replica.timing().tick;
            select! {
                Ok(()) = observed.changed() => {}
                Ok(()) = leader.changed() => {}
                () = changed(&mut given) => {}
                () = sleep_until(self.pace.due().map_or(tick, |due| due.min(tick))) => {}
            }
        }
    }

    async fn work(&mut self, task: Task, known: &Observed, leads: bool, now: Moment) {
        let step = match &task {
            Task::Secret(step) => Some(*step),
            Task::Hooks(..) => None,
        };
        let write = match self.replica.write(task, known, leads, now) {
            Ok(Some(write)) => write,
            Ok(None) => return self.pace.failed(),
            Err(error) => return self.failed(error.to_string()),
        };
        let written = timeout(PATIENCE, self.store.write(&write)).await;
        let silent = || StoreError::Failed(format!("no answer for {} s", PATIENCE.as_secs()));
        match written.unwrap_or_else(|_| Err(silent())) {
            Ok(()) => {
                self.trouble = None;
                let repaired = self.count(step, &write);
                self.pace.written(repaired);
            }
            Err(StoreError::Conflict) => {
                debug!("somebody else wrote first");
                self.pace.conflicted();
                if self.pace.is_refused() {
                    let said = "the API server refuses each write, as if others wrote all the time";
                    self.complain(said);
                    self.trouble = Some(said.to_owned());
                }
            }
            Err(StoreError::Failed(text)) => self.failed(text),
        }
    }

    fn failed(&mut self, text: String) {
        self.pace.failed();
        self.complain(&text);
        self.trouble = Some(text);
    }

    fn complain(&mut self, text: &str) {
        let told = self.complained.as_ref();
        if told.is_some_and(|(last, when)| last == text && when.elapsed() < COMPLAIN_EVERY) {
            return;
        }
        warn!(
            error = text,
            "the webhook's registration is not as it should be"
        );
        self.complained = Some((text.to_owned(), Instant::now()));
    }

    /// Tells the log and the counters what was written; whether that put right what others had broken.
    fn count(&self, step: Option<Step>, write: &Write) -> bool {
        let metrics = &self.signs.metrics.trust;
        match (step, write) {
            (Some(step), _) => {
                let what = &self.signs.secret;
                match step {
                    Step::Create if !self.was_trusted => info!("made {what}"),
                    Step::Create | Step::Thaw | Step::Mend | Step::Replace => {
                        metrics.repaired("secret");
                        warn!(?step, "repaired {what}");
                        return true;
                    }
                    Step::Adopt | Step::Retain => info!(?step, "updated {what}"),
                    Step::Prepare | Step::Promote | Step::Forget => {
                        info!(?step, "rotation: updated {what}");
                    }
                }
                false
            }
            (None, Write::Hooks(of, hooks)) => {
                let (what, standing) = match &of.further {
                    None => {
                        let (was, is) = (self.was_trusted, self.is_trusted);
                        (self.signs.configuration.clone(), Standing { was, is })
                    }
                    Some(name) => (further_named(name), self.further),
                };
                let bundle = hooks.iter().any(|hook| hook.bundle.is_some());
                let path = hooks.iter().any(|hook| hook.path.is_some());
                // What is written for a rotation breaks no call.
                let broken = standing.was && !standing.is;
                if broken && bundle {
                    metrics.repaired("bundle");
                }
                if broken && path {
                    metrics.repaired("path");
                }
                if broken {
                    warn!(bundle, path, "repaired {what}");
                } else {
                    info!(bundle, path, "updated {what}");
                }
                broken
            }
            (None, _) => false,
        }
    }

    fn tell(&mut self, look: &Look) {
        if look.paths != self.paths {
            (self.signs.accept)(&look.paths);
            self.paths.clone_from(&look.paths);
        }
        for (kind, seconds) in self.replica.ends() {
            self.signs.metrics.trust.not_after(kind, seconds);
        }
        let secret = |why: &String| format!("{}: {why}", self.signs.secret);
        let hooks = |why: &String| format!("{}: {why}", self.signs.configuration);
        let certificate = look.certificate.as_ref().map_err(secret);
        let trusted = look.trusted.as_ref().map_err(hooks);
        self.is_trusted = trusted.is_ok();
        self.signs.metrics.trust.trusted(self.is_trusted);
        let with_trouble = |why: String| match &self.trouble {
            Some(trouble) => format!("{why}; {trouble}"),
            None => why,
        };
        let (certificate, trusted) = (
            certificate.map_err(with_trouble),
            trusted.map_err(with_trouble),
        );
        if let Some(check) = &self.signs.certificate {
            check.set(certificate.clone().copied().map_err(Into::into));
        }
        self.further.is = look.further.is_ok();
        self.further.was |= self.further.is;
        if trusted.is_ok() && !self.was_trusted {
            self.was_trusted = true;
            info!("the API server trusts this replica");
        }
        if self.was_trusted {
            self.signs.trusted.pass();
        } else if let Err(why) = &trusted {
            self.signs.trusted.wait_for(why.clone());
        }
        // What is being mended is said when it is mended, and what cannot be mended here is said again and again.
        let further = look.further.clone();
        let further = further.map_err(|(name, why)| format!("{}: {why}", further_named(&name)));
        match certificate.and(trusted).map(drop).and(further) {
            Err(why) if look.task.is_none() => {
                let since = *self.stuck.get_or_insert_with(Instant::now);
                if since.elapsed() >= LASTING {
                    self.complain(&why);
                }
            }
            _ => self.stuck = None,
        }
    }
}

/// A further configuration, for a person.
fn further_named(name: &str) -> String {
    format!("MutatingWebhookConfiguration {name}")
}

async fn changed(given: &mut Option<watch::Receiver<Vec<Ca>>>) {
    if let Some(given) = given
        && given.changed().await.is_ok()
    {
        return;
    }
    pending::<()>().await;
}
