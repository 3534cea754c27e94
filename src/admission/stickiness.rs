//! One revision, one digest: which digest the siblings of a Pod run.

use std::sync::Arc;

use smol_str::SmolStr;

use crate::domain::digest::Digest;

/// What tells one slot of one owner revision from every other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SiblingKey {
    /// The namespace of the Pod.
    pub namespace: SmolStr,
    /// The uid of the controlling ReplicaSet, ReplicationController, Job, DaemonSet or StatefulSet.
    pub owner: SmolStr,
    /// `controller-revision-hash`, for the last two.
    pub revision: Option<SmolStr>,
    /// The slot, as `cotter.dev/images` names it.
    pub slot: SmolStr,
    /// The reference as the owner's template writes it.
    pub text: SmolStr,
}

/// The index of what siblings run.
pub trait Siblings: Send + Sync + 'static {
    /// The digest that the oldest sibling runs in this slot.
    fn digest(&self, key: &SiblingKey) -> Option<Digest>;

    /// Whether it knows nobody, so that no key need be made to ask it.
    fn is_empty(&self) -> bool {
        false
    }
}

impl<T: Siblings + ?Sized> Siblings for Arc<T> {
    fn digest(&self, key: &SiblingKey) -> Option<Digest> {
        (**self).digest(key)
    }

    fn is_empty(&self) -> bool {
        (**self).is_empty()
    }
}

/// An index that knows nobody: every first Pod of a revision is resolved anew.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSiblings;

impl Siblings for NoSiblings {
    fn digest(&self, _: &SiblingKey) -> Option<Digest> {
        None
    }

    fn is_empty(&self) -> bool {
        true
    }
}
