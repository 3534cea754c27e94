//! One revision, one digest: which digest the siblings of a Pod run.

use std::sync::Arc;

use crate::domain::{
    digest::Digest,
    revision::{OwnerRevision, SlotPin},
};

/// The index of what siblings run.
pub trait Siblings: Send + Sync + 'static {
    /// The digest that the oldest sibling runs in the slot where the template writes `text`.
    fn digest(&self, revision: &OwnerRevision, slot: &str, text: &str) -> Option<Digest>;

    /// A Pod of this revision was answered with these pins, and the watch has not shown it yet.
    fn remember(&self, revision: OwnerRevision, pins: Vec<SlotPin>);

    /// Whether it knows nobody, so that no revision need be named to ask it.
    fn is_empty(&self) -> bool {
        false
    }

    /// Whether it keeps what it is told to remember.
    fn remembers(&self) -> bool {
        true
    }
}

impl<T: Siblings + ?Sized> Siblings for Arc<T> {
    fn digest(&self, revision: &OwnerRevision, slot: &str, text: &str) -> Option<Digest> {
        (**self).digest(revision, slot, text)
    }

    fn remember(&self, revision: OwnerRevision, pins: Vec<SlotPin>) {
        (**self).remember(revision, pins);
    }

    fn is_empty(&self) -> bool {
        (**self).is_empty()
    }

    fn remembers(&self) -> bool {
        (**self).remembers()
    }
}

/// An index that knows nobody: every first Pod of a revision is resolved anew.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSiblings;

impl Siblings for NoSiblings {
    fn digest(&self, _: &OwnerRevision, _: &str, _: &str) -> Option<Digest> {
        None
    }

    fn remember(&self, _: OwnerRevision, _: Vec<SlotPin>) {}

    fn is_empty(&self) -> bool {
        true
    }

    fn remembers(&self) -> bool {
        false
    }
}
