//! Events of cotter's own, written beside the admissions and never in their way.
//!
//! kube's recorder takes two Events with one reason for the same, whatever they say, so the second of two refused
//! configurations would be told with the first one's text; what repeats is counted here instead.

mod book;
mod refused;

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use k8s_openapi::{
    api::{core::v1::ObjectReference, events::v1::Event},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
};
use kube::{
    Api, Client,
    api::{Patch, PatchParams, PostParams},
};
use serde_json::json;
use smol_str::SmolStr;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};

use self::{
    book::{Book, Step},
    refused::Refused,
};
use super::errors::{Failure, Permission, Target, of_request};
use crate::telemetry::metrics::Metrics;

/// Who reports, in the form of a label's key as the API wants it.
const CONTROLLER: &str = "cotter.dev/cotter";

/// The API's own limits, bytes: `note` and `reportingInstance`.
const LONGEST_NOTE: usize = 1024;
const LONGEST_INSTANCE: usize = 128;

/// An object's name is at most 253 bytes; the rest is for the time that makes an Event's name its own.
const LONGEST_NAME: usize = 220;

/// Events that wait to be written. Beyond it they are dropped and counted.
const QUEUE: usize = 256;

/// So many at once, and then one in this time: an API server keeps each for an hour.
const BURST: u32 = 25;
const PERIOD: Duration = Duration::from_millis(500);

/// How long one may take to write.
const PATIENCE: Duration = Duration::from_secs(10);

/// Failures are logged once in this time.
const LOG_PAUSE: Duration = Duration::from_mins(1);

/// The object that an Event is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct About {
    /// `v1`, `apps/v1`.
    pub api_version: SmolStr,
    /// `Pod`, `Deployment`.
    pub kind: SmolStr,
    /// Its namespace; empty where it has none, and the Event is in `default` then.
    pub namespace: SmolStr,
    /// Its name.
    pub name: SmolStr,
    /// Its uid; empty where it is not known, and `kubectl describe` does not show the Event then.
    pub uid: SmolStr,
}

/// What kind of Event: its type, its reason and what cotter was doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct What {
    /// Whether a person has to look at it.
    pub warning: bool,
    /// One word in upper camel case, the same for all Events of the kind.
    pub reason: &'static str,
    /// One word in upper camel case.
    pub action: &'static str,
}

/// Where Events are handed in; clones share one queue and one rate.
#[derive(Clone, Debug)]
pub struct Events {
    queue: mpsc::Sender<Entry>,
    metrics: Arc<Metrics>,
    denied: watch::Receiver<Option<Denied>>,
}

/// A right that Events lack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// The right.
    pub right: Permission,
    /// One line for a person, with what to do.
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Entry {
    about: About,
    what: What,
    note: String,
}

/// Writes what is handed in.
struct Writer {
    client: Client,
    instance: String,
    metrics: Arc<Metrics>,
    book: Book,
    logged: Option<Instant>,
    refused: Refused,
    denied: watch::Sender<Option<Denied>>,
}

// === impl What ===

impl What {
    /// Something that a person has to look at.
    #[must_use]
    pub const fn warning(reason: &'static str, action: &'static str) -> Self {
        Self {
            warning: true,
            reason,
            action,
        }
    }

    /// Something that a person may want to know.
    #[must_use]
    pub const fn normal(reason: &'static str, action: &'static str) -> Self {
        Self {
            warning: false,
            reason,
            action,
        }
    }
}

// === impl Events ===

impl Events {
    /// Events of this replica (`instance`, its Pod's name), and in `tasks` what writes them. Needs a tokio runtime.
    ///
    /// Permissions: `create` and `patch` on events in `events.k8s.io`, in the namespaces of what they are about.
    #[must_use]
    pub fn open(
        client: Client,
        instance: Option<&str>,
        metrics: Arc<Metrics>,
        tasks: &mut JoinSet<()>,
    ) -> Self {
        let (queue, entries) = mpsc::channel(QUEUE);
        let (sender, denied) = watch::channel(None);
        let writer = Writer {
            client,
            instance: cut(instance.unwrap_or(CONTROLLER), LONGEST_INSTANCE),
            metrics: metrics.clone(),
            book: Book::default(),
            logged: None,
            refused: Refused::default(),
            denied: sender,
        };
        tasks.spawn(writer.run(entries));
        Self {
            queue,
            metrics,
            denied,
        }
    }

    /// The right that an Event was refused for, until such Events are written. Of several, the first.
    #[must_use]
    pub fn denied(&self) -> watch::Receiver<Option<Denied>> {
        self.denied.clone()
    }

    /// Hands in an Event and returns at once. It is best effort: written when its turn comes, shortened to 1,024
    /// bytes, dropped and counted where too many wait. The same one again within 5 min only counts.
    pub fn send(&self, about: &About, what: What, note: &str) {
        let entry = Entry {
            about: about.clone(),
            what,
            note: cut(&printable(note), LONGEST_NOTE),
        };
        if self.queue.try_send(entry).is_err() {
            self.metrics.event(false);
        }
    }
}

/// One line without control characters: terminals print Events.
fn printable(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for part in text.lines().filter(|part| !part.trim().is_empty()) {
        if !line.is_empty() {
            line.push_str("; ");
        }
        line.extend(part.chars().map(|c| if c.is_control() { ' ' } else { c }));
    }
    line
}

/// At most `most` bytes, with an ellipsis where something was left out.
fn cut(text: &str, most: usize) -> String {
    const ELLIPSIS: char = '…';
    if text.len() <= most {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(most.saturating_sub(ELLIPSIS.len_utf8()));
    let mut kept = text.get(..end).unwrap_or_default().to_owned();
    kept.push(ELLIPSIS);
    kept
}

// === impl Writer ===

impl Writer {
    async fn run(mut self, mut entries: mpsc::Receiver<Entry>) {
        let mut spent_until = Instant::now();
        loop {
            let (entry, step, is_again) = tokio::select! {
                entry = entries.recv() => {
                    let Some(entry) = entry else { return };
                    let step = self.book.step(&entry, Instant::now());
                    (entry, step, false)
                }
                (entry, step) = self.refused.due() => (entry, step, true),
            };
            if step == Step::Hold {
                continue;
            }
            let now = Instant::now();
            sleep_until((spent_until + PERIOD).max(now + PERIOD * BURST) - PERIOD * BURST).await;
            spent_until = spent_until.max(now) + PERIOD;
            let written = timeout(PATIENCE, self.write(entry.clone(), step.clone())).await;
            let silent = || Failure::of_text("cannot create events: no answer in time".to_owned());
            let failure = written.unwrap_or_else(|_| Err(silent())).err();
            self.metrics.event(failure.is_none());
            if let Some(failure) = &failure {
                self.failed(&failure.text);
            }
            self.note(entry, step, failure, is_again);
        }
    }

    /// Keeps what was refused for a right, and tells what is missing.
    fn note(&mut self, entry: Entry, step: Step, failure: Option<Failure>, is_again: bool) {
        let now = Instant::now();
        match failure {
            Some(Failure {
                text,
                missing: Some(right),
            }) => {
                let denied = Denied { right, text };
                if is_again {
                    self.refused.keep_on(entry, step, denied, now);
                } else {
                    self.refused.keep(entry, step, denied, now);
                }
            }
            _ if is_again => self.refused.go_on(now),
            _ => return,
        }
        self.denied.send_if_modified(|told| {
            let news = self.refused.denied(told.as_ref());
            let is_news = news != told.as_ref();
            if is_news {
                *told = news.cloned();
            }
            is_news
        });
    }

    async fn write(&mut self, entry: Entry, step: Step) -> Result<(), Failure> {
        let namespace = entry.about.event_namespace().to_owned();
        let target = Target::all("events.events.k8s.io", Some(&namespace.as_str().into()));
        let api: Api<Event> = Api::namespaced(self.client.clone(), &namespace);
        let now = Timestamp::now();
        if let Step::Repeat(name, count) = step {
            let series = json!({"series": {"count": count, "lastObservedTime": MicroTime(now)}});
            let (params, patch) = (PatchParams::default(), Patch::Merge(series));
            match api.patch(&name, &params, &patch).await {
                Ok(_) => return Ok(()),
                // Somebody has deleted it.
                Err(kube::Error::Api(status)) if status.code == 404 => {}
                Err(error) => {
                    return Err(of_request(&error, "patch", &target));
                }
            }
        }
        let event = self.event(&entry, namespace, now);
        let name = event.metadata.name.clone().unwrap_or_default();
        let made = api.create(&PostParams::default(), &event).await;
        made.map_err(|error| of_request(&error, "create", &target))?;
        self.book.written(entry, name, Instant::now());
        Ok(())
    }

    fn event(&self, entry: &Entry, namespace: String, now: Timestamp) -> Event {
        let Entry { about, what, note } = entry;
        let given = |text: &SmolStr| (!text.is_empty()).then(|| text.to_string());
        let start = cut(&about.name, LONGEST_NAME).replace('…', "");
        let kind = if what.warning { "Warning" } else { "Normal" };
        Event {
            metadata: ObjectMeta {
                name: Some(format!("{start}.{:x}", now.as_nanosecond())),
                namespace: Some(namespace),
                ..ObjectMeta::default()
            },
            type_: Some(kind.to_owned()),
            reason: Some(what.reason.to_owned()),
            action: Some(what.action.to_owned()),
            note: Some(note.clone()),
            event_time: Some(MicroTime(now)),
            regarding: Some(ObjectReference {
                api_version: given(&about.api_version),
                kind: given(&about.kind),
                namespace: given(&about.namespace),
                name: given(&about.name),
                uid: given(&about.uid),
                ..ObjectReference::default()
            }),
            reporting_controller: Some(CONTROLLER.to_owned()),
            reporting_instance: Some(self.instance.clone()),
            ..Event::default()
        }
    }

    fn failed(&mut self, error: &str) {
        if self.logged.is_none_or(|at| at.elapsed() >= LOG_PAUSE) {
            self.logged = Some(Instant::now());
            tracing::warn!(error, "an Event could not be written");
        }
    }
}

// === impl About ===

impl About {
    /// Where the API wants an Event about it.
    fn event_namespace(&self) -> &str {
        if self.namespace.is_empty() {
            "default"
        } else {
            &self.namespace
        }
    }
}

#[cfg(test)]
#[path = "events/tests.rs"]
mod tests;
