//! From findings to Events: one for each owner and reason, so that a Deployment of fifty replicas is one line of
//! `kubectl get events`.

use std::{collections::HashMap, sync::Arc, time::Duration};

use smol_str::SmolStr;
use tokio::{
    sync::mpsc::{self, error::TrySendError},
    task::JoinSet,
    time::{Instant, sleep_until},
};

use super::events::{About, Events, What};
use crate::{
    admission::findings::{Finding, Findings, Owner, Reason},
    telemetry::metrics::Metrics,
};

/// Findings that wait to be counted. Beyond it they are dropped and counted as such.
const QUEUE: usize = 1024;

/// How long an owner's first finding waits for more: a controller creates the Pods of a rollout within moments.
const SETTLE: Duration = Duration::from_secs(3);

/// An owner is told of again only after this time, if more was found.
const AGAIN: Duration = Duration::from_mins(10);

/// Owners and reasons that are counted at once, of all namespaces and of one.
const MOST: usize = 1024;
const MOST_OF_NAMESPACE: usize = 64;

/// Events in one minute, of all namespaces and of one. An API server keeps each for an hour.
const PER_MINUTE: u32 = 60;
const PER_MINUTE_OF_NAMESPACE: u32 = 10;
const MINUTE: Duration = Duration::from_mins(1);

/// Takes findings in; what becomes of them happens elsewhere.
#[derive(Debug)]
pub struct AuditEvents {
    queue: mpsc::Sender<Finding>,
    metrics: Arc<Metrics>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    namespace: SmolStr,
    owner: Owner,
    reason: Reason,
}

/// What was found about the Pods of one owner.
#[derive(Debug)]
struct Group {
    /// What was found about the first of them.
    found: String,
    /// How many Pods since an Event was last handed in.
    pods: u32,
    /// When the group is looked at next.
    due: Instant,
    /// What was found when an Event was last handed in, and how the Event put it.
    told: Option<(String, String)>,
}

/// All groups, and how many Events they made lately.
#[derive(Debug, Default)]
struct Groups {
    known: HashMap<Key, Group>,
    sizes: HashMap<SmolStr, usize>,
    minute: Option<Instant>,
    told: u32,
    told_of: HashMap<SmolStr, u32>,
}

/// Findings that become Events, through `events`; in `tasks` what gathers them.
#[must_use]
pub fn spawn(events: Events, metrics: Arc<Metrics>, tasks: &mut JoinSet<()>) -> Arc<AuditEvents> {
    let (queue, findings) = mpsc::channel(QUEUE);
    let counted = metrics.clone();
    let tell = move |about: &About, what, note: &str| events.send(about, what, note);
    tasks.spawn(gather(findings, counted, tell));
    Arc::new(AuditEvents { queue, metrics })
}

/// Counts findings and hands in Events until nobody can find anything any more.
async fn gather(
    mut findings: mpsc::Receiver<Finding>,
    metrics: Arc<Metrics>,
    mut tell: impl FnMut(&About, What, &str),
) {
    let mut groups = Groups::default();
    loop {
        let due = groups.due();
        let wait = async {
            match due {
                Some(due) => sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            found = findings.recv() => match found {
                Some(finding) => {
                    if !groups.add(finding, Instant::now()) {
                        metrics.finding_dropped();
                    }
                }
                None => return,
            },
            () = wait => {
                for (key, note) in groups.take_due(Instant::now()) {
                    tell(&key.about(), key.reason.into(), &note);
                }
            }
        }
    }
}

// === impl AuditEvents ===

impl Findings for AuditEvents {
    fn tell(&self, finding: Finding) {
        // Closed means that the process is about to end.
        if let Err(TrySendError::Full(_)) = self.queue.try_send(finding) {
            self.metrics.finding_dropped();
        }
    }
}

// === impl Groups ===

impl Groups {
    /// Counts a finding; `false` where there is no place for its owner.
    fn add(&mut self, finding: Finding, now: Instant) -> bool {
        let Finding {
            namespace,
            owner,
            reason,
            note,
        } = finding;
        let key = Key {
            namespace,
            owner,
            reason,
        };
        if let Some(group) = self.known.get_mut(&key) {
            if group.pods == 0 {
                group.found = note;
            }
            group.pods = group.pods.saturating_add(1);
            return true;
        }
        let size = self.sizes.entry(key.namespace.clone()).or_default();
        if self.known.len() >= MOST || *size >= MOST_OF_NAMESPACE {
            return false;
        }
        *size += 1;
        let group = Group {
            found: note,
            pods: 1,
            due: now + SETTLE,
            told: None,
        };
        self.known.insert(key, group);
        true
    }

    /// When a group is to be looked at next.
    fn due(&self) -> Option<Instant> {
        self.known.values().map(|group| group.due).min()
    }

    /// The Events whose time has come. What is beyond the rate waits for the next minute; a group of which nothing
    /// was found since its last Event is forgotten.
    fn take_due(&mut self, now: Instant) -> Vec<(Key, String)> {
        let is_new_minute = |begun: Instant| now.duration_since(begun) >= MINUTE;
        if self.minute.is_none_or(is_new_minute) {
            (self.minute, self.told) = (Some(now), 0);
            self.told_of.clear();
        }
        let next_minute = self.minute.map_or(now, |begun| begun + MINUTE);
        let mut due: Vec<_> = self
            .known
            .iter_mut()
            .filter(|(_, group)| group.due <= now)
            .collect();
        due.sort_by_key(|(_, group)| group.due);
        let (mut events, mut quiet) = (Vec::new(), Vec::new());
        for (key, group) in due {
            if group.pods == 0 {
                quiet.push(key.clone());
                continue;
            }
            let of_namespace = self.told_of.entry(key.namespace.clone()).or_default();
            if self.told >= PER_MINUTE || *of_namespace >= PER_MINUTE_OF_NAMESPACE {
                group.due = next_minute;
                continue;
            }
            self.told += 1;
            *of_namespace += 1;
            events.push((key.clone(), group.tell(now)));
        }
        for key in quiet {
            self.forget(&key);
        }
        events
    }

    fn forget(&mut self, key: &Key) {
        self.known.remove(key);
        if let Some(size) = self.sizes.get_mut(&key.namespace) {
            *size -= 1;
            if *size == 0 {
                self.sizes.remove(&key.namespace);
            }
        }
    }
}

// === impl Group ===

impl Group {
    /// The note of the next Event. What was found before is put as before, so that the API server shows one Event that
    /// was seen twice.
    fn tell(&mut self, now: Instant) -> String {
        let note = match self.told.take() {
            Some((found, note)) if found == self.found => note,
            _ if self.pods == 1 => self.found.clone(),
            _ => format!("{} Pods: {}", self.pods, self.found),
        };
        self.told = Some((self.found.clone(), note.clone()));
        self.pods = 0;
        self.due = now + AGAIN;
        note
    }
}

// === impl Key ===

impl Key {
    fn about(&self) -> About {
        About {
            api_version: self.owner.api_version.clone(),
            kind: self.owner.kind.clone(),
            namespace: self.namespace.clone(),
            name: self.owner.name.clone(),
            uid: self.owner.uid.clone(),
        }
    }
}

impl From<Reason> for What {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::WouldDeny => Self::warning("WouldDeny", "Audit"),
            Reason::Unpinned => Self::warning("Unpinned", "Pin"),
            Reason::PullSecret => Self::warning("PullSecret", "Inject"),
            Reason::WouldChange => Self::normal("WouldChange", "Audit"),
        }
    }
}

#[cfg(test)]
#[path = "audit_events/tests.rs"]
mod tests;
