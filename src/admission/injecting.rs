//! Decides what is injected, and asks the registry where that depends on what a secret is good for.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use smol_str::SmolStr;

use crate::domain::{
    assess::Assessed,
    credentials::PodCredentials,
    injection::{self, Injection, Need, Serves},
    policy::Cause,
    question::Answer,
    reference::Canonical,
};

use super::{
    ports::Registry,
    questions::{Terms, ask_with_injected, probe},
};

/// An image that somebody will pull, and where its slot stands.
struct Image<'a> {
    slot: usize,
    canonical: &'a Canonical,
    answer: &'a Answer,
}

/// Decides what to inject, and asks once more what the injected secrets may open. `offline` as in [`decide`].
pub(super) async fn inject<R: Registry>(
    registry: &R,
    terms: &Terms,
    assessed: &[Assessed<'_>],
    answers: &mut [Answer],
    credentials: &PodCredentials,
    offline: bool,
) -> Injection {
    let injection = decide(registry, terms, assessed, answers, credentials, offline).await;
    let injected = &injection.secrets;
    if !injected.is_empty() {
        ask_with_injected(registry, terms, assessed, answers, credentials, injected).await;
    }
    injection
}

/// The injection for these slots. `offline`: no registry is asked, and each secret is taken to be good.
async fn decide<R: Registry>(
    registry: &R,
    terms: &Terms,
    assessed: &[Assessed<'_>],
    answers: &[Answer],
    credentials: &PodCredentials,
    offline: bool,
) -> Injection {
    let images = images(assessed, answers);
    let needs: Vec<_> = images.iter().map(Image::need).collect();
    let mut probed: BTreeMap<(usize, SmolStr), Serves> = BTreeMap::new();
    // Each turn but the last learns of at least one image and secret, and none is asked after the deadline.
    loop {
        let serves = |index: usize, secret: &str| {
            let known = images
                .get(index)
                .map_or(Serves::No, |image| image.answer.serves(secret));
            match known {
                Serves::Unasked if offline => Serves::Yes,
                Serves::Unasked => *probed.get(&(index, secret.into())).unwrap_or(&known),
                _ => known,
            }
        };
        let injection = injection::decide(&needs, credentials, &serves);
        if injection.unasked.is_empty() {
            return by_slot(injection, &images);
        }
        let asking = injection.unasked.iter().filter_map(|(index, secret)| {
            let image = images.get(*index)?;
            let serves = image.probe(registry, terms, credentials, secret);
            Some(async move { ((*index, secret.clone()), serves.await) })
        });
        probed.extend(join_all(asking.collect::<Vec<_>>()).await);
    }
}

/// Slots without a reference that can be parsed are pulled by nobody.
fn images<'a>(assessed: &'a [Assessed<'_>], answers: &'a [Answer]) -> Vec<Image<'a>> {
    let image = |(slot, (assessed, answer)): (usize, (&'a Assessed<'_>, &'a Answer))| {
        let canonical = assessed.canonical()?;
        Some(Image {
            slot,
            canonical,
            answer,
        })
    };
    let slots = assessed.iter().zip(answers).enumerate();
    slots.filter_map(image).collect()
}

/// The same injection, with the indices of the slots in place of those of the images.
fn by_slot(mut injection: Injection, images: &[Image<'_>]) -> Injection {
    let slot = |index: usize| images.get(index).map_or(index, |image| image.slot);
    for (image, _, other) in &mut injection.conflicts {
        (*image, *other) = (slot(*image), slot(*other));
    }
    for (image, _) in &mut injection.not_mountable {
        *image = slot(*image);
    }
    injection
}

impl Image<'_> {
    fn need(&self) -> Need<'_> {
        Need {
            lookup_name: self.canonical.reference.lookup_name(),
            candidates: &self.answer.candidates,
            resolved_by: self.answer.resolved().map(|(index, _)| index),
            asked: !self.answer.attempts.is_empty(),
            settled: self.answer.settled,
        }
    }

    async fn probe<R: Registry>(
        &self,
        registry: &R,
        terms: &Terms,
        credentials: &PodCredentials,
        secret: &str,
    ) -> Serves {
        let lookup_name = self.canonical.reference.lookup_name();
        let credential = credentials.credential_of(secret, lookup_name);
        match probe(registry, terms, self.canonical, self.answer, credential).await {
            Ok(_) => Serves::Yes,
            // Nothing can be told; what is not pulled yet cannot be made worse.
            Err(f) if f.cause == Cause::Unavailable && self.answer.resolved().is_none() => {
                Serves::Yes
            }
            Err(_) => Serves::No,
        }
    }
}
