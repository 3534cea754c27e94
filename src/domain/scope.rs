//! Which slots of a review are looked at, and which reviews are left alone (design §2.1).

use super::{
    images::Changes,
    object::Object,
    slots::{Kind, List, Slot},
};

/// What the API server is doing with the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `CREATE`.
    Create,
    /// `UPDATE`.
    Update,
    /// `DELETE`, `CONNECT` and whatever may come.
    Other,
}

/// What is asked of cotter.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The operation.
    pub operation: Operation,
    /// The kind of object.
    pub kind: Kind,
    /// The subresource, empty for the object itself.
    pub subresource: &'a str,
}

/// What is to be done with a review.
#[derive(Clone, Debug)]
pub enum Scope<'o> {
    /// Nothing.
    LeftAlone,
    /// The Pod's slots are canonicalised and pinned.
    Pod {
        /// The slots that are looked at.
        slots: Vec<Slot<'o>>,
        /// Slots that get the text back that cotter gave them before, without asking anyone.
        restored: Vec<(Slot<'o>, String)>,
        /// What else of the Pod may be changed.
        reach: Reach,
    },
    /// The template's slots are analysed; nothing is changed.
    Template(Vec<Slot<'o>>),
}

/// What of a Pod may be changed besides the looked-at images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Pull secrets and metadata: only on CREATE.
    Whole,
    /// Metadata: on UPDATE, where the API server refuses other pull secrets.
    Metadata,
    /// Nothing: `pods/ephemeralcontainers` silently drops all else.
    ImagesOnly,
}

/// Decides what is looked at.
#[must_use]
pub fn scope<'o>(
    request: &Request<'_>,
    object: &'o Object<'_>,
    old: Option<&'o Object<'_>>,
) -> Scope<'o> {
    if object.metadata.deletion_timestamp.is_some() {
        return Scope::LeftAlone;
    }
    match request.kind {
        Kind::Pod if object.metadata.annotations.mirror => Scope::LeftAlone,
        Kind::Pod => pod_scope(request, object, old),
        _ => template_scope(request, object, old),
    }
}

fn pod_scope<'o>(
    request: &Request<'_>,
    object: &'o Object<'_>,
    old: Option<&'o Object<'_>>,
) -> Scope<'o> {
    let slots = Slot::all(&object.spec);
    match (request.operation, request.subresource, old) {
        (Operation::Create, "", _) => Scope::Pod {
            slots: slots.collect(),
            restored: Vec::new(),
            reach: Reach::Whole,
        },
        (Operation::Update, "", Some(old)) => changed_slots(slots, old),
        (Operation::Update, "ephemeralcontainers", Some(old)) => {
            let before: Vec<_> = Slot::all(&old.spec).collect();
            let is_new = |slot: &Slot<'_>| {
                slot.list == List::EphemeralContainers
                    && !before.iter().any(|b| b.is_same_place(slot))
            };
            pod_unless_empty(
                slots.filter(is_new).collect(),
                Vec::new(),
                Reach::ImagesOnly,
            )
        }
        _ => Scope::LeftAlone,
    }
}

/// The slots whose text an UPDATE changed; those that got their old source text again are restored.
fn changed_slots<'o>(slots: impl Iterator<Item = Slot<'o>>, old: &'o Object<'_>) -> Scope<'o> {
    let before: Vec<_> = Slot::all(&old.spec).collect();
    let mut changes = None;
    let (mut looked_at, mut restored) = (Vec::new(), Vec::new());
    for slot in slots {
        let earlier = before.iter().find(|b| b.is_same_place(&slot));
        if earlier.is_some_and(|b| b.image == slot.image) {
            continue;
        }
        let changes = changes
            .get_or_insert_with(|| Changes::read(old.metadata.annotations.images.as_deref()));
        match changes.get(&slot.key()) {
            Some(change) if change.from == slot.image => restored.push((slot, change.to.clone())),
            _ => looked_at.push(slot),
        }
    }
    pod_unless_empty(looked_at, restored, Reach::Metadata)
}

fn pod_unless_empty<'o>(
    slots: Vec<Slot<'o>>,
    restored: Vec<(Slot<'o>, String)>,
    reach: Reach,
) -> Scope<'o> {
    if slots.is_empty() && restored.is_empty() {
        return Scope::LeftAlone;
    }
    Scope::Pod {
        slots,
        restored,
        reach,
    }
}

fn template_scope<'o>(
    request: &Request<'_>,
    object: &'o Object<'_>,
    old: Option<&'o Object<'_>>,
) -> Scope<'o> {
    let own = request.subresource.is_empty() && object.metadata.controller().is_none();
    let Some(spec) = request.kind.pod_spec(object).filter(|_| own) else {
        return Scope::LeftAlone;
    };
    let slots: Vec<_> = Slot::all(spec).collect();
    match request.operation {
        Operation::Create => Scope::Template(slots),
        Operation::Update => {
            let before = old.and_then(|old| request.kind.pod_spec(old));
            let same = before.is_some_and(|before| {
                Slot::all(before)
                    .map(|s| s.image)
                    .eq(slots.iter().map(|s| s.image))
                    && names(before).eq(names(spec))
            });
            if same {
                Scope::LeftAlone
            } else {
                Scope::Template(slots)
            }
        }
        Operation::Other => Scope::LeftAlone,
    }
}

fn names<'o>(spec: &'o super::object::Spec<'_>) -> impl Iterator<Item = &'o str> {
    spec.image_pull_secrets.iter().flatten().map(|s| &*s.name)
}
