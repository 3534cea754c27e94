//! What is to be done with one slot before anybody is asked (design §2.2, §2.3).

use super::{
    policy::{Policy, ShortNames},
    reference::{self, Canonical, DEFAULT_TAG, ReferenceError},
    slots::Slot,
};

/// A slot and what is to be done with it.
#[derive(Clone, Debug)]
pub struct Assessed<'o> {
    /// The slot.
    pub slot: Slot<'o>,
    /// What is to be done.
    pub verdict: Verdict,
}

/// What is to be done with a slot.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// The reference cannot be parsed, even in lower case.
    Invalid(ReferenceError),
    /// It is canonicalised and not pinned.
    Left(Canonical, Left),
    /// The registry is asked what the tag means.
    Ask(Canonical),
}

/// Why a slot is not pinned although nothing failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// It has a digest.
    Digest,
    /// Its tag never moves.
    ImmutableTag,
    /// The policy leaves this repository unpinned.
    Skipped,
    /// It is never pulled, so it has only its tag.
    NeverPulled,
    /// It has no host, and the policy leaves such references as they are.
    ShortName,
    /// It has no host, and the policy denies such references.
    ShortNameDenied,
    /// No registry is asked by this cotter.
    Offline,
}

/// Assesses one slot. `offline`: no registry is asked.
#[must_use]
pub fn assess<'o>(slot: Slot<'o>, policy: &Policy, offline: bool) -> Assessed<'o> {
    let verdict = match reference::canonicalise(slot.image, policy.canonicalise.qualify) {
        Err(error) => Verdict::Invalid(error),
        Ok(canonical) => match left(&slot, &canonical, policy, offline) {
            Some(left) => Verdict::Left(canonical, left),
            None => Verdict::Ask(canonical),
        },
    };
    Assessed { slot, verdict }
}

fn left(slot: &Slot<'_>, canonical: &Canonical, policy: &Policy, offline: bool) -> Option<Left> {
    if canonical.short {
        match policy.canonicalise.short_names {
            ShortNames::Hub => {}
            ShortNames::Leave => return Some(Left::ShortName),
            ShortNames::Deny => return Some(Left::ShortNameDenied),
        }
    }
    let tag = canonical.reference.tag().unwrap_or(DEFAULT_TAG);
    if canonical.reference.digest().is_some() {
        Some(Left::Digest)
    } else if slot.never_pulled {
        Some(Left::NeverPulled)
    } else if policy.pin.skips(canonical.repository()) {
        Some(Left::Skipped)
    } else if !policy.pin.pin_immutable && policy.pin.is_immutable(tag) {
        Some(Left::ImmutableTag)
    } else if offline {
        Some(Left::Offline)
    } else {
        None
    }
}

impl Assessed<'_> {
    /// The canonical reference, unless there is none.
    #[must_use]
    pub fn canonical(&self) -> Option<&Canonical> {
        match &self.verdict {
            Verdict::Invalid(_) => None,
            Verdict::Left(canonical, _) | Verdict::Ask(canonical) => Some(canonical),
        }
    }

    /// The text that the slot has without a pin: canonical, or as written where the policy leaves it.
    #[must_use]
    pub fn text(&self) -> &str {
        match &self.verdict {
            Verdict::Invalid(_) | Verdict::Left(_, Left::ShortName | Left::ShortNameDenied) => {
                self.slot.image
            }
            Verdict::Left(canonical, _) | Verdict::Ask(canonical) => &canonical.text,
        }
    }
}
