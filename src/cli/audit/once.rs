//! Asks each image once with each credential, whoever wants to know, and so many at a time.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use smol_str::SmolStr;
use tokio::sync::Semaphore;

use crate::{
    admission::ports::{Ask, Registry},
    domain::{
        credential::{Credential, Fingerprint},
        digest::Digest,
        policy::PinStyle,
        question::{Failure, Resolution},
    },
    registry::{client::Client, members::Members, reading::Place},
};

/// What an image is made of, or why nobody can tell.
pub(super) type Made = Result<Arc<Members>, Failure>;

/// Registries that tell what tags mean, and what images are made of.
pub(super) trait Images: Registry + Clone {
    /// What the image of `digest` is made of.
    fn members(&self, place: Place, digest: Digest) -> BoxFuture<'static, Made>;
}

/// A source that is asked each question once. Clones share what was answered.
#[derive(Clone)]
pub(super) struct Once<S>(Arc<Inner<S>>);

struct Inner<S> {
    source: S,
    /// The longest that one question may take, from when its turn has come.
    timeout: Duration,
    turns: Arc<Semaphore>,
    meanings: Memory<Question, Resolution>,
    made: Memory<(SmolStr, SmolStr, Digest, Fingerprint), Made>,
}

/// What an answer is the answer to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Question {
    host: SmolStr,
    repository: SmolStr,
    tag: SmolStr,
    git_sha: bool,
    who: Fingerprint,
}

struct Memory<K, V: Clone>(Mutex<HashMap<K, Shared<BoxFuture<'static, V>>>>);

// === impl Once ===

impl<S: Images> Once<S> {
    /// Asks `source`, `at_once` questions at a time.
    pub(super) fn new(source: S, timeout: Duration, at_once: usize) -> Self {
        Self(Arc::new(Inner {
            source,
            timeout,
            turns: Arc::new(Semaphore::new(at_once.clamp(1, Semaphore::MAX_PERMITS))),
            meanings: Memory::new(),
            made: Memory::new(),
        }))
    }

    /// What the image of `digest` is made of.
    pub(super) async fn members(&self, place: Place, digest: &Digest) -> Made {
        let inner = &self.0;
        let key = (
            place.host.clone(),
            place.repository.clone(),
            digest.clone(),
            fingerprint(place.credential.as_ref()),
        );
        let asked = inner.made.ask(key, || {
            let (source, turns) = (inner.source.clone(), Arc::clone(&inner.turns));
            let digest = digest.clone();
            async move {
                let _turn = turns.acquire_owned().await;
                source.members(place, digest).await
            }
            .boxed()
        });
        asked.await
    }
}

impl<S: Images> Registry for Once<S> {
    fn known(&self, ask: &Ask) -> Option<Resolution> {
        self.0.meanings.known(&Question::of(ask))
    }

    fn resolve(&self, mut ask: Ask) -> BoxFuture<'_, Resolution> {
        let inner = &self.0;
        let asked = inner.meanings.ask(Question::of(&ask), || {
            let (source, turns) = (inner.source.clone(), Arc::clone(&inner.turns));
            let timeout = inner.timeout;
            async move {
                let _turn = turns.acquire_owned().await;
                ask.deadline = Instant::now() + timeout;
                source.resolve(ask).await
            }
            .boxed()
        });
        asked.boxed()
    }
}

// === impl Question ===

impl Question {
    fn of(ask: &Ask) -> Self {
        Self {
            host: ask.host.clone(),
            repository: ask.repository.clone(),
            tag: ask.tag.clone(),
            git_sha: ask.style == PinStyle::GitSha,
            who: fingerprint(ask.credential.as_ref()),
        }
    }
}

fn fingerprint(credential: Option<&Arc<Credential>>) -> Fingerprint {
    credential.map_or(Fingerprint::ANONYMOUS, |credential| {
        credential.fingerprint()
    })
}

// === impl Memory ===

impl<K: Eq + Hash, V: Clone> Memory<K, V> {
    fn new() -> Self {
        Self(Mutex::new(HashMap::new()))
    }

    fn known(&self, key: &K) -> Option<V> {
        let answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        answers.get(key)?.peek().cloned()
    }

    fn ask(
        &self,
        key: K,
        ask: impl FnOnce() -> BoxFuture<'static, V>,
    ) -> Shared<BoxFuture<'static, V>> {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        answers.entry(key).or_insert_with(|| ask().shared()).clone()
    }
}

// === impl Client ===

impl Images for Client {
    fn members(&self, place: Place, digest: Digest) -> BoxFuture<'static, Made> {
        let client = self.clone();
        async move { client.members(place, &digest).await.map(Arc::new) }.boxed()
    }
}
