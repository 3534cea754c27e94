//! Which slots of a review are looked at, and which objects ask to be left alone.

use crate::domain::{
    object::Object,
    policy::Policy,
    scope::{Reach, Request as ScopeRequest, Scope, scope},
    slots::{Kind, Slot},
    warning::{Warnings, Weight},
};

use super::review::Request;

/// The slots of a case that are looked at.
pub(super) struct Looked<'o> {
    /// Those that are judged.
    pub(super) slots: Vec<Slot<'o>>,
    /// Those that get an earlier text back.
    pub(super) restored: Vec<(Slot<'o>, String)>,
    /// What else may be changed; `None` for a template.
    pub(super) reach: Option<Reach>,
}

impl<'r> Looked<'r> {
    /// The slots to look at; `None` where the object is left alone.
    pub(super) fn of(kind: Kind, request: &'r Request<'r>, object: &'r Object<'r>) -> Option<Self> {
        let asked = ScopeRequest {
            operation: request.operation(),
            kind,
            subresource: request.subresource(),
        };
        match scope(&asked, object, request.old_object.as_ref()) {
            Scope::LeftAlone => None,
            Scope::Template(slots) => Some(Self {
                slots,
                restored: Vec::new(),
                reach: None,
            }),
            Scope::Pod {
                slots,
                restored,
                reach,
            } => Some(Self {
                slots,
                restored,
                reach: Some(reach),
            }),
        }
    }
}

/// Whether the Pod, or the one that a template makes, asks to be left alone and may.
pub(super) fn is_skipped(
    kind: Kind,
    object: &Object<'_>,
    policy: &Policy,
    notes: &mut Warnings,
) -> bool {
    let metadata = kind.pod_metadata(object);
    let asks = metadata.is_some_and(|m| m.annotations.skip.as_deref() == Some("true"));
    if asks && !policy.allow_skip.0 {
        notes.push(
            Weight::Note,
            "cotter.dev/skip has no effect: the policy of this namespace forbids it",
        );
    }
    asks && policy.allow_skip.0
}
