//! A registry, a cluster and siblings that do what a test says.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use cotter::{
    admission::{
        findings::{Finding, Findings},
        ports::{Ask, Cluster, Namespace, Registry, ServiceAccount},
        stickiness::Siblings,
    },
    domain::{
        digest::Digest,
        policy::Cause,
        pull_secret::NamespaceSecrets,
        question::{Failure, Resolution, Resolved},
        revision::{OwnerRevision, SlotPin},
    },
};
use futures_util::future::BoxFuture;

/// What a registry answers to whoever asks for what; `*` means any.
struct Rule {
    image: String,
    who: String,
    delay: Duration,
    hangs: bool,
    answer: Resolution,
}

#[derive(Default)]
pub(crate) struct FakeRegistry {
    rules: Mutex<Vec<Rule>>,
    asks: Mutex<Vec<Ask>>,
    pub(crate) is_warm: Mutex<bool>,
}

#[derive(Debug, Default)]
pub(crate) struct FakeFindings(pub(crate) Mutex<Vec<Finding>>);

#[derive(Default)]
pub(crate) struct FakeCluster {
    pub(crate) namespace: Mutex<Option<Namespace>>,
    pub(crate) secrets: Mutex<Option<Arc<NamespaceSecrets>>>,
    pub(crate) accounts: Mutex<HashMap<String, ServiceAccount>>,
    pub(crate) live_namespace: Mutex<Option<Namespace>>,
    pub(crate) live_secrets: Mutex<Option<Arc<NamespaceSecrets>>>,
    pub(crate) hangs: Mutex<bool>,
    look_ups: Mutex<Vec<&'static str>>,
}

/// A slot of a revision, and its text.
pub(crate) type SiblingKey = (OwnerRevision, String, String);

#[derive(Default)]
pub(crate) struct FakeSiblings {
    pub(crate) digests: Mutex<HashMap<SiblingKey, Digest>>,
    pub(crate) asked: Mutex<Vec<SiblingKey>>,
    pub(crate) remembered: Mutex<Vec<(OwnerRevision, Vec<SlotPin>)>>,
}

pub(crate) fn digest_of(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

fn resolved(digest: Digest) -> Resolved {
    Resolved {
        digest,
        sha_tag: None,
        stale: None,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "a script holds either")]
pub(crate) fn found(text: &str) -> Resolution {
    Ok(resolved(digest_of(text)))
}

pub(crate) fn failed(cause: Cause) -> Resolution {
    Err(Failure::new(
        cause,
        "dial 10.1.2.3:443: refused after 880ms, user alice, password hunter2",
    ))
}

fn who(ask: &Ask) -> String {
    let user = ask.credential.as_ref().map(|c| c.username().to_vec());
    String::from_utf8(user.unwrap_or_default()).unwrap()
}

fn image(ask: &Ask) -> String {
    let at = if ask.tag.contains(':') { '@' } else { ':' };
    format!("{}/{}{at}{}", ask.host, ask.repository, ask.tag)
}

impl FakeRegistry {
    /// `image` is `host/repository:tag`, its start with a `*`, or `*`; `who` a user name, empty for nobody, or `*`.
    pub(crate) fn answers(&self, image: &str, who: &str, answer: Resolution) -> &Self {
        self.rule(image, who, Duration::ZERO, false, answer)
    }

    pub(crate) fn delays(&self, image: &str, delay: Duration) -> &Self {
        let answer = Ok(resolved(digest_of(image)));
        self.rule(image, "*", delay, false, answer)
    }

    pub(crate) fn hangs(&self, image: &str) -> &Self {
        self.rule(image, "*", Duration::ZERO, true, failed(Cause::Unavailable))
    }

    fn rule(
        &self,
        image: &str,
        who: &str,
        delay: Duration,
        hangs: bool,
        answer: Resolution,
    ) -> &Self {
        self.rules.lock().unwrap().push(Rule {
            image: image.to_owned(),
            who: who.to_owned(),
            delay,
            hangs,
            answer,
        });
        self
    }

    fn script(&self, ask: &Ask) -> (Duration, bool, Resolution) {
        let matches = |pattern: &str, text: &str| match pattern.strip_suffix('*') {
            Some(start) => text.starts_with(start),
            None => pattern == text,
        };
        let rules = self.rules.lock().unwrap();
        let rule = rules
            .iter()
            .find(|r| matches(&r.image, &image(ask)) && matches(&r.who, &who(ask)));
        if let Some(rule) = rule {
            return (rule.delay, rule.hangs, rule.answer.clone());
        }
        let digest = Digest::parse(&ask.tag).unwrap_or_else(|_| digest_of(&image(ask)));
        (Duration::ZERO, false, Ok(resolved(digest)))
    }

    pub(crate) fn asks(&self) -> Vec<Ask> {
        self.asks.lock().unwrap().clone()
    }

    /// `user host/repository:tag` of each ask, in order.
    pub(crate) fn log(&self) -> Vec<String> {
        self.asks()
            .iter()
            .map(|ask| format!("{} {}", who(ask), image(ask)))
            .collect()
    }
}

impl Registry for FakeRegistry {
    fn known(&self, ask: &Ask) -> Option<Resolution> {
        let is_warm = *self.is_warm.lock().unwrap();
        is_warm.then(|| self.script(ask).2)
    }

    fn resolve(&self, ask: Ask) -> BoxFuture<'_, Resolution> {
        self.asks.lock().unwrap().push(ask.clone());
        let (delay, hangs, answer) = self.script(&ask);
        Box::pin(async move {
            if hangs {
                return std::future::pending().await;
            }
            match tokio::time::timeout_at(ask.deadline.into(), tokio::time::sleep(delay)).await {
                Ok(()) => answer,
                Err(_) => failed(Cause::Unavailable),
            }
        })
    }
}

impl FakeCluster {
    pub(crate) fn look_ups(&self) -> Vec<&'static str> {
        self.look_ups.lock().unwrap().clone()
    }

    async fn live<T: Clone>(&self, what: &'static str, answer: &Mutex<Option<T>>) -> Option<T> {
        self.look_ups.lock().unwrap().push(what);
        let hangs = *self.hangs.lock().unwrap();
        if hangs {
            return std::future::pending().await;
        }
        answer.lock().unwrap().clone()
    }
}

impl Cluster for FakeCluster {
    fn namespace(&self, _: &str) -> Option<Namespace> {
        self.namespace.lock().unwrap().clone()
    }

    fn pull_secrets(&self, _: &str) -> Option<Arc<NamespaceSecrets>> {
        self.secrets.lock().unwrap().clone()
    }

    fn service_account(&self, _: &str, name: &str) -> Option<Arc<ServiceAccount>> {
        let accounts = self.accounts.lock().unwrap();
        accounts.get(name).cloned().map(Arc::new)
    }

    fn look_up_namespace<'a>(&'a self, _: &'a str, _: Instant) -> BoxFuture<'a, Option<Namespace>> {
        Box::pin(self.live("namespace", &self.live_namespace))
    }

    fn look_up_pull_secrets<'a>(
        &'a self,
        _: &'a str,
        _: Instant,
    ) -> BoxFuture<'a, Option<Arc<NamespaceSecrets>>> {
        Box::pin(self.live("secrets", &self.live_secrets))
    }
}

impl Siblings for FakeSiblings {
    fn digest(&self, revision: &OwnerRevision, slot: &str, text: &str) -> Option<Digest> {
        let key = key(revision, slot, text);
        self.asked.lock().unwrap().push(key.clone());
        self.digests.lock().unwrap().get(&key).cloned()
    }

    fn remember(&self, revision: OwnerRevision, pins: Vec<SlotPin>) {
        self.remembered.lock().unwrap().push((revision, pins));
    }
}

impl Findings for FakeFindings {
    fn tell(&self, finding: Finding) {
        self.0.lock().unwrap().push(finding);
    }
}

/// A slot of a revision.
pub(crate) fn key(revision: &OwnerRevision, slot: &str, text: &str) -> SiblingKey {
    (revision.clone(), slot.to_owned(), text.to_owned())
}
