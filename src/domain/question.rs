//! What the registry is asked for a slot, and what it answered.

use std::time::Duration;

use smol_str::SmolStr;

use super::{
    cloud::Cloud, credentials::Candidates, digest::Digest, injection::Serves, policy::Cause,
};

/// What one tag means to one credential.
pub type Resolution = Result<Resolved, Failure>;

/// A tag's meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The digest of the manifest or index that the tag names.
    pub digest: Digest,
    /// A git-SHA tag of the same digest, where one was asked for and exists.
    pub sha_tag: Option<SmolStr>,
    /// How old the answer is, where the registry is unavailable and the last known good one is given.
    pub stale: Option<Duration>,
}

/// Why a tag has no meaning to this credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", cause.as_str())]
pub struct Failure {
    /// What the policy decides by.
    pub cause: Cause,
    /// What happened, for the log: it may name addresses and states, and is never shown to the Pod's author.
    pub detail: String,
    /// Set where cotter's own identity was to ask, as the nodes hold the credential.
    pub own: Option<OwnIdentity>,
}

/// How far cotter's own identity came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnIdentity {
    /// Its cloud has not answered yet.
    Awaited(Cloud),
    /// Its cloud makes no login for it.
    Refused(Cloud),
    /// The registry turned its login away, or has no such tag.
    TurnedAway(Cloud),
}

impl Failure {
    /// A failure of this cause.
    pub fn new(cause: Cause, detail: impl Into<String>) -> Self {
        Self {
            cause,
            detail: detail.into(),
            own: None,
        }
    }
}

/// Whether nobody else needs to be asked: another credential can only help where this one was turned away; a registry
/// that cannot be asked stays so.
#[must_use]
pub fn ends_search(resolution: &Resolution) -> bool {
    match resolution {
        Ok(_) => true,
        Err(failure) => !matches!(failure.cause, Cause::NotFound | Cause::Unauthorized),
    }
}

/// What is known of a slot's image after the registry was asked.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The ways to ask, in order.
    pub candidates: Candidates,
    /// The ways that were tried, and what came of them.
    pub attempts: Vec<(usize, Resolution)>,
    /// The digest that the siblings of the Pod run; what is written unless the registry says that it is gone.
    pub kept: Option<Digest>,
    /// An earlier call of this admission pinned it, and chose its secret with what the registry answered then.
    pub settled: bool,
    /// There was such a digest, and the registry has it no longer.
    pub gone: bool,
}

impl Answer {
    /// The candidate that resolved the tag, and its meaning.
    #[must_use]
    pub fn resolved<'a>(&'a self) -> Option<(usize, &'a Resolved)> {
        let ok = |(index, resolution): &'a (usize, Resolution)| {
            Some((*index, resolution.as_ref().ok()?))
        };
        self.attempts.iter().find_map(ok)
    }

    /// The failure that tells most: a registry that could not be asked, then what a credential was answered, then
    /// what an anonymous request was. A plain 401 gives way to any of them.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.telling(|_| true)
    }

    /// The failure that the kubelet would meet: that of the secrets which the Pod will carry, where it will carry
    /// one that was tried; else as [`failure`](Self::failure).
    #[must_use]
    pub fn failure_of(&self, carried: impl Fn(&str) -> bool) -> Option<&Failure> {
        let is_carried = |index: usize| self.secret(index).is_some_and(&carried);
        self.telling(is_carried).or_else(|| self.failure())
    }

    /// Whether no pull secret matches the image, neither on the Pod nor among those that may be injected.
    #[must_use]
    pub fn no_secret_matches(&self) -> bool {
        !self.candidates.covered && self.candidates.list.iter().all(|c| c.secret.is_none())
    }

    fn secret(&self, index: usize) -> Option<&str> {
        self.candidates.list.get(index)?.secret.as_deref()
    }

    fn telling(&self, counts: impl Fn(usize) -> bool) -> Option<&Failure> {
        let failures = || {
            self.attempts
                .iter()
                .filter(|(index, _)| counts(*index))
                .filter_map(|(i, r)| Some((*i, r.as_ref().err()?)))
        };
        let is_anonymous = |index: usize| self.secret(index).is_none();
        let cannot_ask = |f: &Failure| matches!(f.cause, Cause::Unavailable | Cause::Refused);
        let tells = |index, f: &Failure| f.cause != Cause::Unauthorized && !is_anonymous(index);
        failures()
            .find(|(_, f)| cannot_ask(f))
            .or_else(|| failures().find(|(index, f)| tells(*index, f)))
            .or_else(|| failures().next())
            .map(|(_, failure)| failure)
    }

    /// What is known of asking with this pull secret.
    #[must_use]
    pub fn serves(&self, secret: &str) -> Serves {
        let uses = |index: &usize| self.secret(*index) == Some(secret);
        let mut known = Serves::Unasked;
        for (_, resolution) in self.attempts.iter().filter(|(index, _)| uses(index)) {
            match resolution {
                Ok(_) => return Serves::Yes,
                Err(_) => known = Serves::No,
            }
        }
        known
    }
}
