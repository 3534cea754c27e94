//! Asks the registry what the tags of one Pod mean: all slots at once, each with its credentials in order.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use smol_str::SmolStr;

use crate::domain::{
    assess::{Assessed, Verdict},
    credential::Credential,
    credentials::PodCredentials,
    digest::Digest,
    git_sha,
    policy::{Cause, PinStyle},
    question::{Answer, Failure, Resolution, Resolved, ends_search},
    reference::{Canonical, DEFAULT_TAG},
};

use super::{
    deadline::within,
    ports::{Ask, Registry},
};

/// A digest means the same image for ever; how long ago its registry was seen to have it (design §2.3).
const DIGEST_AGE: Duration = Duration::from_mins(10);

/// What all questions of one admission share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    /// What is written in place of a tag.
    style: PinStyle,
    /// How old an answer may be that tells what a tag means.
    began_after: Instant,
    /// How old one may be that tells whether a digest exists.
    digest_began_after: Instant,
    /// When all answers have to be there.
    deadline: Instant,
}

impl Terms {
    /// An answer may be as old as `age` when the review arrives.
    #[must_use]
    pub(super) fn new(style: PinStyle, arrived: Instant, age: Duration, deadline: Instant) -> Self {
        // An Instant has no date, so the subtraction may have nowhere to go on a machine that has just started.
        let before = |age| arrived.checked_sub(age).unwrap_or(arrived);
        Self {
            style,
            began_after: before(age),
            digest_began_after: before(age.max(DIGEST_AGE)),
            deadline,
        }
    }

    /// Asks for `digest` if there is one, else for the reference's tag.
    fn ask(
        &self,
        canonical: &Canonical,
        digest: Option<&Digest>,
        credential: Option<Arc<Credential>>,
    ) -> Ask {
        let reference = &canonical.reference;
        let (host, repository) = reference.endpoint();
        let tag = reference.tag().unwrap_or(DEFAULT_TAG);
        Ask {
            host: host.into(),
            repository: repository.into(),
            tag: digest.map_or(tag, Digest::as_str).into(),
            credential,
            // A tag that is a git SHA already is the best of its kind.
            style: if git_sha::is_git_sha(tag) {
                PinStyle::Digest
            } else {
                self.style
            },
            began_after: match digest {
                Some(_) => self.digest_began_after,
                None => self.began_after,
            },
            deadline: self.deadline,
        }
    }
}

/// Asks for all slots that want it. `start` gives what is known of a slot before anybody is asked: the ways to ask,
/// and the digest that siblings run. What an `earlier` round of this admission was told is not asked again. The
/// answers stand in the order of the slots; those that need none have no attempts.
pub(super) async fn ask_all<R: Registry>(
    registry: &R,
    terms: &Terms,
    assessed: &[Assessed<'_>],
    earlier: &[Answer],
    start: impl Fn(&Assessed<'_>, &Canonical) -> Answer,
) -> Vec<Answer> {
    let mut answers: Vec<Answer> = Vec::with_capacity(assessed.len());
    let mut waiting = Vec::new();
    for (index, assessed) in assessed.iter().enumerate() {
        let mut answer = Answer::default();
        if let Some(canonical) = assessed.canonical() {
            answer = start(assessed, canonical);
            if matches!(assessed.verdict, Verdict::Ask(_)) {
                let told = earlier.get(index);
                if !take_known(registry, terms, canonical, &mut answer, told) {
                    waiting.push((index, canonical));
                }
            }
        }
        answers.push(answer);
    }
    let asking = waiting.into_iter().filter_map(|(index, canonical)| {
        let answer = std::mem::take(answers.get_mut(index)?);
        let told = earlier.get(index);
        Some(async move {
            let answer = ask_one(registry, terms, canonical, answer, told).await;
            (index, answer)
        })
    });
    for (index, answer) in join_all(asking.collect::<Vec<_>>()).await {
        if let Some(place) = answers.get_mut(index) {
            *place = answer;
        }
    }
    answers
}

/// Asks once more for images that all their ways were turned away from, with the injected secrets that the kubelet
/// will try for them too.
pub(super) async fn ask_with_injected<R: Registry>(
    registry: &R,
    terms: &Terms,
    assessed: &[Assessed<'_>],
    answers: &mut [Answer],
    credentials: &PodCredentials,
    injected: &[SmolStr],
) {
    let asking = assessed
        .iter()
        .zip(answers)
        .filter_map(|(assessed, answer)| {
            let Verdict::Ask(canonical) = &assessed.verdict else {
                return None;
            };
            let turned_away = answer.resolved().is_none()
                && answer
                    .attempts
                    .iter()
                    .all(|(_, resolution)| !ends_search(resolution));
            if !turned_away {
                return None;
            }
            let more = credentials.added_by(injected, canonical.reference.lookup_name());
            let before = answer.candidates.list.len();
            for candidate in more {
                if !answer.candidates.list.contains(&candidate) {
                    answer.candidates.list.push(candidate);
                }
            }
            (answer.candidates.list.len() > before).then_some(async move {
                *answer = ask_one(registry, terms, canonical, std::mem::take(answer), None).await;
            })
        });
    join_all(asking.collect::<Vec<_>>()).await;
}

/// Whether an image can be read with one pull secret; asked where an injected secret would meet it.
pub(super) async fn probe<R: Registry>(
    registry: &R,
    terms: &Terms,
    canonical: &Canonical,
    answer: &Answer,
    credential: Option<Arc<Credential>>,
) -> Resolution {
    let digest = canonical.reference.digest().or(answer.kept.as_ref());
    let mut ask = terms.ask(canonical, digest, credential);
    ask.style = PinStyle::Digest;
    match registry.known(&ask) {
        Some(resolution) => resolution,
        None => resolve(registry, ask).await,
    }
}

/// Takes the answers that are at hand; false if one has to be waited for.
fn take_known<R: Registry>(
    registry: &R,
    terms: &Terms,
    canonical: &Canonical,
    answer: &mut Answer,
    told: Option<&Answer>,
) -> bool {
    loop {
        for index in answer.attempts.len()..answer.candidates.list.len() {
            let known = told_before(answer, index, told).or_else(|| {
                let candidate = answer.candidates.list.get(index)?;
                let credential = candidate.credential.clone();
                registry.known(&terms.ask(canonical, answer.kept.as_ref(), credential))
            });
            let Some(resolution) = known else {
                return false;
            };
            if note(answer, index, resolution) {
                break;
            }
        }
        if !forget_gone(answer) {
            return true;
        }
    }
}

async fn ask_one<R: Registry>(
    registry: &R,
    terms: &Terms,
    canonical: &Canonical,
    mut answer: Answer,
    told: Option<&Answer>,
) -> Answer {
    loop {
        for index in answer.attempts.len()..answer.candidates.list.len() {
            let resolution = if let Some(told) = told_before(&answer, index, told) {
                told
            } else {
                let candidate = answer.candidates.list.get(index);
                let credential = candidate.and_then(|c| c.credential.clone());
                let ask = terms.ask(canonical, answer.kept.as_ref(), credential);
                resolve(registry, ask).await
            };
            if note(&mut answer, index, resolution) {
                break;
            }
        }
        if !forget_gone(&mut answer) {
            return answer;
        }
    }
}

/// What this candidate was answered in an earlier round.
fn told_before(answer: &Answer, index: usize, told: Option<&Answer>) -> Option<Resolution> {
    let told = told.filter(|told| told.kept == answer.kept)?;
    let candidate = answer.candidates.list.get(index)?;
    let same = |(index, _): &&(usize, Resolution)| {
        let earlier = told.candidates.list.get(*index);
        earlier.is_some_and(|earlier| earlier.credential == candidate.credential)
    };
    let (_, resolution) = told.attempts.iter().find(same)?;
    Some(resolution.clone())
}

/// Notes what a candidate was answered; true if nobody else needs to be asked.
fn note(answer: &mut Answer, index: usize, resolution: Resolution) -> bool {
    let is_last = ends_search(&resolution);
    let resolution = match (&answer.kept, resolution) {
        // However old the answer: it is the siblings' digest that is written.
        (Some(kept), Ok(found)) => Ok(Resolved {
            digest: kept.clone(),
            stale: None,
            ..found
        }),
        (_, resolution) => resolution,
    };
    answer.attempts.push((index, resolution));
    is_last
}

/// Drops the siblings' digest if the registry has it no longer; true if the tag has to be resolved instead.
fn forget_gone(answer: &mut Answer) -> bool {
    let is_gone = answer.kept.is_some()
        && answer.resolved().is_none()
        && answer
            .failure()
            .is_some_and(|failure| failure.cause == Cause::NotFound);
    if is_gone {
        answer.kept = None;
        answer.gone = true;
        answer.attempts.clear();
    }
    is_gone
}

async fn resolve<R: Registry>(registry: &R, ask: Ask) -> Resolution {
    let deadline = ask.deadline;
    let answer = within(deadline, registry.resolve(ask)).await;
    let late = || Failure::new(Cause::Unavailable, "no answer by the admission's deadline");
    answer.unwrap_or_else(|| Err(late()))
}
