//! Asks the index of siblings what a Pod's owner revision runs.

use crate::domain::{
    digest::Digest,
    object::Metadata,
    policy::{Pin, Stickiness},
    revision::Revision,
    scope::{Operation, Reach},
    slots::Slot,
};

use super::stickiness::{SiblingKey, Siblings};

/// The siblings of one Pod that is being created.
pub(super) struct Kin<'a, S> {
    siblings: &'a S,
    namespace: &'a str,
    revision: Revision<'a>,
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
            && !siblings.is_empty()
            && operation == Operation::Create
            && reach == Some(Reach::Whole);
        let revision = Revision::of(metadata).filter(|_| wanted)?;
        Some(Self {
            siblings,
            namespace,
            revision,
        })
    }

    /// The digest that they run in this slot.
    pub(super) fn digest(&self, slot: &Slot<'_>) -> Option<Digest> {
        self.siblings.digest(&SiblingKey {
            namespace: self.namespace.into(),
            owner: self.revision.owner.into(),
            revision: self.revision.hash.map(Into::into),
            slot: slot.key().into(),
            text: slot.image.into(),
        })
    }
}
