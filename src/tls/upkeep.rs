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
    path::SecretPath,
    ports::{Observed, StoreError, TrustStore, Write},
    replica::{Look, Replica, Task},
    resolver,
    rotation::Step,
};
use crate::telemetry::{metrics::Metrics, readiness::Handle};

/// Replicas that see the same trouble at once spread their writes over this time; the first one mends it for all.
const SPREAD: Duration = Duration::from_millis(400);

/// How long a write may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest wait before a write that failed, or was undone again and again, is tried again.
const LONGEST: Duration = Duration::from_secs(30);

/// Trouble is logged this often at most.
const COMPLAIN_EVERY: Duration = Duration::from_mins(1);

/// A written complaint comes only after trouble has lasted: at a start everything is missing for a moment.
const LASTING: Duration = Duration::from_secs(10);

/// Conflicts in a row after which it is no longer somebody else who was faster.
const MANY_CONFLICTS: u32 = 5;

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
    /// The webhook configuration, for a person.
    pub configuration: String,
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
    paths: Vec<SecretPath>,
    /// What the last write failed with.
    trouble: Option<String>,
    complained: Option<(String, Instant)>,
    /// Since when something is wrong that no write of this replica mends.
    stuck: Option<Instant>,
}

/// When the next write is due.
#[derive(Debug, Default)]
struct Pace {
    due: Option<Instant>,
    failures: u32,
    /// Writes in a row with less than a minute between them, the last of them when.
    writes: u32,
    last: Option<Instant>,
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
                () = sleep_until(self.pace.due.map_or(tick, |due| due.min(tick))) => {}
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
                self.pace.written();
                self.count(step, &write);
            }
            Err(StoreError::Conflict) => {
                debug!("somebody else wrote first");
                self.pace.conflicted();
                if self.pace.failures > MANY_CONFLICTS {
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

    /// What was written, for the log and the counters.
    fn count(&self, step: Option<Step>, write: &Write) {
        let metrics = &self.signs.metrics.trust;
        match (step, write) {
            (Some(step), _) => {
                let what = &self.signs.secret;
                match step {
                    Step::Create if !self.was_trusted => info!("made {what}"),
                    Step::Create | Step::Thaw | Step::Mend | Step::Replace => {
                        metrics.repaired("secret");
                        warn!(?step, "repaired {what}");
                    }
                    Step::Adopt | Step::Retain => info!(?step, "updated {what}"),
                    Step::Prepare | Step::Promote | Step::Forget => {
                        info!(?step, "rotation: updated {what}");
                    }
                }
            }
            (None, Write::Hooks(_, hooks)) => {
                let what = &self.signs.configuration;
                let bundle = hooks.iter().any(|hook| hook.bundle.is_some());
                let path = hooks.iter().any(|hook| hook.path.is_some());
                // What is written for a rotation breaks no call.
                let broken = self.was_trusted && !self.is_trusted;
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
            }
            (None, _) => {}
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
        match certificate.and(trusted) {
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

async fn changed(given: &mut Option<watch::Receiver<Vec<Ca>>>) {
    if let Some(given) = given
        && given.changed().await.is_ok()
    {
        return;
    }
    pending::<()>().await;
}

// === impl Pace ===

impl Pace {
    /// Nothing is to be written.
    fn rest(&mut self) {
        self.due = None;
        self.failures = 0;
    }

    /// Whether a write that is wanted should be done now; sets when, if nothing was wanted before.
    fn is_due(&mut self) -> bool {
        let now = Instant::now();
        if self.last.is_some_and(|last| now - last > COMPLAIN_EVERY) {
            self.writes = 0;
        }
        // The first few repairs come at once; who undoes them again and again is asked more and more seldom.
        let patience = SPREAD * 2_u32.saturating_pow(self.writes.saturating_sub(4).min(10));
        let due = *self
            .due
            .get_or_insert_with(|| now + jitter(patience.min(LONGEST)));
        now >= due
    }

    fn written(&mut self) {
        self.failures = 0;
        self.writes = self.writes.saturating_add(1);
        self.last = Some(Instant::now());
        // The watch tells of it within milliseconds, and then nothing is wanted any more.
        self.due = Some(Instant::now() + Duration::from_secs(1));
    }

    fn conflicted(&mut self) {
        self.failures = self.failures.saturating_add(1);
        let wait = SPREAD * 2_u32.saturating_pow(self.failures.saturating_sub(1).min(10));
        self.due = Some(Instant::now() + jitter(wait.min(LONGEST)));
    }

    fn failed(&mut self) {
        let wait = Duration::from_millis(500) * 2_u32.saturating_pow(self.failures.min(10));
        self.failures = self.failures.saturating_add(1);
        self.due = Some(Instant::now() + wait.min(LONGEST) + jitter(SPREAD));
    }
}

/// A random part of `length`.
fn jitter(length: Duration) -> Duration {
    let mut random = [0; 1];
    // Without a random number, the longest.
    let filled = resolver::provider().secure_random.fill(&mut random);
    let [part] = if filled.is_ok() { random } else { [u8::MAX] };
    length * u32::from(part) / 255
}
