//! Which pull secrets are added to a Pod, judged by the keyring that the kubelet will have in the end (design §2.4).

use std::cmp::Reverse;

use smol_str::SmolStr;

use super::{
    credentials::{Candidate, Candidates, PodCredentials},
    keyring::{Keyring, Match},
};

/// One image of the Pod, as far as credentials go.
#[derive(Clone, Debug)]
pub struct Need<'a> {
    /// The normalised repository name.
    pub lookup_name: &'a str,
    /// The ways to ask for it.
    pub candidates: &'a Candidates,
    /// The candidate that resolved it, where one did.
    pub resolved_by: Option<usize>,
    /// Whether the registry was asked for it at all.
    pub asked: bool,
    /// Whether an earlier call has chosen for it.
    pub settled: bool,
}

/// Whether a secret serves an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serves {
    /// The registry answered it.
    Yes,
    /// The registry turned it away.
    No,
    /// Nobody has asked.
    Unasked,
}

/// What is injected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Injection {
    /// The secrets to add, in the order of the images that want them.
    pub secrets: Vec<SmolStr>,
    /// Images that want a secret which would break another image: (index, secret, index of the other).
    pub conflicts: Vec<(usize, SmolStr, usize)>,
    /// Images that want a secret which the ServiceAccount does not list: (index, secret).
    pub not_mountable: Vec<(usize, SmolStr)>,
    /// What has to be asked before this is final: (index, secret).
    pub unasked: Vec<(usize, SmolStr)>,
}

/// The secrets that may be injected for one image, the wanted one first, and which of them is chosen.
struct Choice {
    options: Vec<SmolStr>,
    chosen: usize,
}

/// What the final keyring does to the images.
enum Fit {
    Fits,
    Breaks { secret: SmolStr, image: usize },
    Unasked(Vec<(usize, SmolStr)>),
}

/// What is known of the images and secrets of one Pod.
struct Judge<'a> {
    needs: &'a [Need<'a>],
    credentials: &'a PodCredentials,
    serves: &'a dyn Fn(usize, &str) -> Serves,
}

/// Decides what to inject. `serves(image, secret)` tells what is known of a secret that an image did not choose.
#[must_use]
pub fn decide(
    needs: &[Need<'_>],
    credentials: &PodCredentials,
    serves: &dyn Fn(usize, &str) -> Serves,
) -> Injection {
    let judge = Judge {
        needs,
        credentials,
        serves,
    };
    let mut injection = Injection {
        not_mountable: judge.not_mountable(),
        ..Injection::default()
    };
    let mut choices: Vec<_> = needs.iter().map(Need::choice).collect();
    // Where two secrets have the same key, the first in the Pod's list comes first.
    let mut last: Vec<SmolStr> = Vec::new();
    // Each turn but the last moves a secret back, once, or takes an option from at least one image.
    loop {
        injection.secrets = distinct(&choices, &last);
        match judge.fit(&injection.secrets, &choices) {
            Fit::Fits => return injection,
            Fit::Unasked(unasked) => {
                injection.unasked = unasked;
                return injection;
            }
            Fit::Breaks { secret, .. } if !last.contains(&secret) => last.push(secret),
            Fit::Breaks { secret, image } => {
                judge.replace(&secret, image, &mut choices, &mut injection);
                if !injection.unasked.is_empty() {
                    return injection;
                }
            }
        }
    }
}

/// The chosen secrets, in the order of the images, but for those that come `last`.
fn distinct(choices: &[Choice], last: &[SmolStr]) -> Vec<SmolStr> {
    let mut secrets: Vec<SmolStr> = Vec::new();
    for secret in choices.iter().filter_map(Choice::secret) {
        if !secrets.contains(secret) {
            secrets.push(secret.clone());
        }
    }
    let place = |secret: &SmolStr| last.iter().position(|l| l == secret).map_or(0, |at| at + 1);
    secrets.sort_by_key(place);
    secrets
}

// === impl Judge ===

impl Judge<'_> {
    fn not_mountable(&self) -> Vec<(usize, SmolStr)> {
        let wants = |(_, need): &(usize, &Need<'_>)| {
            !need.candidates.covered && !need.settled && need.resolved_by.is_none()
        };
        let unlisted = |(index, need): (usize, &Need<'_>)| {
            Some((index, self.credentials.unlisted(need.lookup_name)?))
        };
        let needs = self.needs.iter().enumerate();
        needs.filter(wants).filter_map(unlisted).collect()
    }

    /// Whether every image is served by the injected secret that it meets first, or newly.
    fn fit(&self, secrets: &[SmolStr], choices: &[Choice]) -> Fit {
        let wanted_by_all = |secret| choices.iter().all(|c| c.secret() == Some(secret));
        match secrets {
            [] => return Fit::Fits,
            [one] if wanted_by_all(one) => return Fit::Fits,
            _ => {}
        }
        let keyring = self.credentials.keyring_with(secrets);
        let mut unasked = Vec::new();
        for (image, (need, choice)) in self.needs.iter().zip(choices).enumerate() {
            if !need.can_break(choice) {
                continue;
            }
            for secret in met(need, &keyring, secrets) {
                if choice.secret() == Some(secret) {
                    continue;
                }
                match (self.serves)(image, secret) {
                    Serves::Yes => {}
                    Serves::Unasked => unasked.push((image, secret.clone())),
                    Serves::No => {
                        let secret = secret.clone();
                        return Fit::Breaks { secret, image };
                    }
                }
            }
        }
        if unasked.is_empty() {
            Fit::Fits
        } else {
            Fit::Unasked(unasked)
        }
    }

    /// Takes a secret that breaks image `broken` from all images that chose it, and gives each the narrowest other
    /// one that serves it.
    fn replace(
        &self,
        secret: &SmolStr,
        broken: usize,
        choices: &mut [Choice],
        injection: &mut Injection,
    ) {
        for (image, choice) in choices.iter_mut().enumerate() {
            if choice.secret() != Some(secret) {
                continue;
            }
            loop {
                choice.chosen += 1;
                let Some(other) = choice.secret() else {
                    let wanted = choice.options.first().cloned().unwrap_or_default();
                    injection.conflicts.push((image, wanted, broken));
                    break;
                };
                match (self.serves)(image, other) {
                    Serves::Yes => break,
                    Serves::No => {}
                    Serves::Unasked => {
                        injection.unasked.push((image, other.clone()));
                        break;
                    }
                }
            }
        }
    }
}

/// The injected secrets that an image meets: the one that the kubelet tries first, and where no credential was to
/// match, each that does.
fn met<'k>(
    need: &Need<'_>,
    keyring: &'k Keyring,
    injected: &[SmolStr],
) -> impl Iterator<Item = &'k SmolStr> {
    let count = if need.is_anonymous() { usize::MAX } else { 1 };
    let matches: Vec<Match<'k>> = keyring.lookup(need.lookup_name);
    let mut met: Vec<&'k SmolStr> = Vec::new();
    for found in matches.into_iter().take(count) {
        if injected.contains(found.secret) && !met.contains(&found.secret) {
            met.push(found.secret);
        }
    }
    met.into_iter()
}

// === impl Choice ===

impl Choice {
    fn secret(&self) -> Option<&SmolStr> {
        self.options.get(self.chosen)
    }
}

// === impl Need ===

impl Need<'_> {
    /// The secret that is to be injected for this image: the one that resolved it, else the kubelet's first choice.
    #[must_use]
    pub fn wanted(&self) -> Option<&SmolStr> {
        if self.candidates.covered {
            return None;
        }
        let index = self.resolved_by.unwrap_or_default();
        self.candidates.list.get(index)?.secret.as_ref()
    }

    fn is_anonymous(&self) -> bool {
        !self.candidates.covered && self.wanted().is_none()
    }

    /// Whether a further secret could take something from this image: not if the registry turned all its ways away,
    /// nor if it lost its own secret.
    fn can_break(&self, choice: &Choice) -> bool {
        let lost = !choice.options.is_empty() && choice.secret().is_none();
        !lost && (self.resolved_by.is_some() || !self.asked)
    }

    /// The wanted secret, and behind it the others that match, narrowest key first.
    fn choice(&self) -> Choice {
        let mut options: Vec<SmolStr> = self.wanted().cloned().into_iter().collect();
        if !options.is_empty() {
            let mut others: Vec<&Candidate> = self.candidates.list.iter().collect();
            let width = |c: &&Candidate| c.key.as_ref().map_or(0, |key| key.as_str().len());
            others.sort_by_key(|c| Reverse(width(c)));
            for secret in others.into_iter().filter_map(|c| c.secret.as_ref()) {
                if !options.contains(secret) {
                    options.push(secret.clone());
                }
            }
        }
        Choice { options, chosen: 0 }
    }
}
