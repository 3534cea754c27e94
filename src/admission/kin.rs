//! Asks the index of siblings what a Pod's owner revision runs, and tells it what the Pod will run.

use crate::domain::{
    assess::{Assessed, Verdict},
    digest::Digest,
    images::Changes,
    object::Metadata,
    policy::{Pin, Stickiness},
    revision::{OwnerRevision, Revision, SlotPin},
    scope::{Operation, Reach},
    slots::Slot,
};

use super::stickiness::Siblings;

/// The siblings of one Pod that is being created.
pub(super) struct Kin<'a, S> {
    siblings: &'a S,
    namespace: &'a str,
    revision: Revision<'a>,
}

/// The index, asked for the slots of one Pod.
pub(super) struct Known<'a, S> {
    siblings: &'a S,
    revision: OwnerRevision,
}

impl<'a, S: Siblings> Kin<'a, S> {
    /// The siblings of the Pod with this metadata; `None` where it is not being created, has no owner whose Pods
    /// share a digest, or the policy wants each Pod resolved for itself.
    pub(super) fn of(
        siblings: &'a S,
        namespace: &'a str,
        (operation, reach): (Operation, Option<Reach>),
        metadata: &'a Metadata<'_>,
        pin: &Pin,
    ) -> Option<Self> {
        let wanted = pin.stickiness == Stickiness::Revision
            && operation == Operation::Create
            && reach == Some(Reach::Whole);
        let revision = Revision::of(metadata).filter(|_| wanted)?;
        Some(Self {
            siblings,
            namespace,
            revision,
        })
    }

    /// What is known of them; `None` where the index knows nobody at all.
    pub(super) fn known(&self) -> Option<Known<'a, S>> {
        (!self.siblings.is_empty()).then(|| Known {
            siblings: self.siblings,
            revision: self.owner_revision(),
        })
    }

    /// Tells the index what this Pod was pinned to, for those that come before the watch shows it.
    pub(super) fn remember(&self, assessed: &[Assessed<'_>], changes: &Changes) {
        if !self.siblings.remembers() {
            return;
        }
        let pins: Vec<_> = assessed
            .iter()
            .filter(|assessed| matches!(assessed.verdict, Verdict::Ask(_)))
            .filter_map(|assessed| {
                let slot = assessed.slot.key();
                let digest = changes.get(&slot)?.digest()?;
                Some(SlotPin {
                    slot: slot.into(),
                    text: assessed.slot.image.into(),
                    digest,
                })
            })
            .collect();
        if !pins.is_empty() {
            self.siblings.remember(self.owner_revision(), pins);
        }
    }

    fn owner_revision(&self) -> OwnerRevision {
        OwnerRevision {
            namespace: self.namespace.into(),
            owner: self.revision.owner.into(),
            hash: self.revision.hash.map(Into::into),
        }
    }
}

impl<S: Siblings> Known<'_, S> {
    /// The digest that the siblings run in this slot.
    pub(super) fn digest(&self, slot: &Slot<'_>) -> Option<Digest> {
        let key = slot.key();
        self.siblings.digest(&self.revision, &key, slot.image)
    }
}
