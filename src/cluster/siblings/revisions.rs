//! The owner revisions that have Pods or a `RevisionPin`, and what these say.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use smol_str::SmolStr;

use crate::{
    api::revision_pin::{Learned, Workload},
    domain::{
        digest::Digest,
        revision::{OwnerRevision, SlotPin},
    },
};

/// What the slots of a Pod were pinned to, in the order of the slots' names. Siblings that agree share one.
pub(in crate::cluster) type Slots = Arc<[SlotPin]>;

/// The namespace and the name of a `RevisionPin`.
pub(in crate::cluster) type PinName = (SmolStr, SmolStr);

/// A pinned Pod.
#[derive(Clone, Debug)]
pub(in crate::cluster) struct PodSeen {
    pub(in crate::cluster) uid: u128,
    /// When it was created, in seconds since 1970.
    pub(in crate::cluster) created: i64,
    pub(in crate::cluster) revision: OwnerRevision,
    pub(in crate::cluster) workload: Workload,
    pub(in crate::cluster) slots: Slots,
}

/// What a list covers: one namespace, or all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cluster) enum Scope {
    All,
    Namespace(SmolStr),
}

/// One of the lists that have to be in before a record can be judged missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cluster) enum List {
    Pods(Scope),
    Pins(Scope),
}

#[derive(Debug, Default)]
pub(in crate::cluster) struct Revisions {
    known: HashMap<Arc<OwnerRevision>, Known>,
    pods: HashMap<u128, Place>,
    pins: HashMap<PinName, Arc<OwnerRevision>>,
    /// Revisions whose Pods run what is not recorded, and that nobody has taken to record it.
    unrecorded: HashSet<Arc<OwnerRevision>>,
    awaited: Vec<List>,
}

/// Where a Pod stands.
#[derive(Debug)]
struct Place {
    revision: Arc<OwnerRevision>,
    created: i64,
}

/// One revision.
#[derive(Debug, Default)]
struct Known {
    workload: Option<Workload>,
    /// Its Pods, the oldest first; of those that were created in the same second, the one of the lowest uid.
    members: Vec<Member>,
    pin: Option<(SmolStr, Slots)>,
}

#[derive(Debug)]
struct Member {
    age: (i64, u128),
    slots: Slots,
}

// === impl Revisions ===

impl Revisions {
    /// What the oldest Pod runs that has this slot.
    pub(super) fn of_pods(
        &self,
        revision: &OwnerRevision,
        slot: &str,
        text: &str,
    ) -> Option<Digest> {
        let known = self.known.get(revision)?;
        let mut seen = None;
        for member in &known.members {
            // What one of those that share their slots lacks, they all lack.
            if seen.is_some_and(|seen| Arc::ptr_eq(seen, &member.slots)) {
                continue;
            }
            seen = Some(&member.slots);
            if let Some(digest) = find(&member.slots, slot, text) {
                return Some(digest);
            }
        }
        None
    }

    /// What is recorded of this slot.
    pub(super) fn of_pin(
        &self,
        revision: &OwnerRevision,
        slot: &str,
        text: &str,
    ) -> Option<Digest> {
        let (_, slots) = self.known.get(revision)?.pin.as_ref()?;
        find(slots, slot, text)
    }

    /// How many Pods and how many pins are known.
    pub(super) fn numbers(&self) -> (usize, usize) {
        (self.pods.len(), self.pins.len())
    }

    // === Pods ===

    /// A Pod is new or changed.
    pub(in crate::cluster) fn apply_pod(&mut self, pod: PodSeen) {
        // Most news of a Pod are of its status.
        if self.is_known(&pod) {
            return;
        }
        self.delete_pod(pod.uid);
        let (revision, created) = (self.enter(pod.revision), pod.created);
        let place = Place {
            revision: revision.clone(),
            created,
        };
        self.pods.insert(pod.uid, place);
        if let Some(known) = self.known.get_mut(&revision) {
            known.workload = Some(pod.workload);
            known.put((created, pod.uid), pod.slots);
        }
        self.compare(&revision);
    }

    /// A Pod is gone, or is no sibling any more.
    pub(in crate::cluster) fn delete_pod(&mut self, uid: u128) {
        let Some(Place { revision, created }) = self.pods.remove(&uid) else {
            return;
        };
        if let Some(known) = self.known.get_mut(&revision) {
            known.take((created, uid));
        }
        self.leave(&revision);
    }

    /// A list of this scope is in: the Pods that it does not hold are gone.
    pub(in crate::cluster) fn retain_pods(&mut self, scope: &Scope, listed: &HashSet<u128>) {
        let is_gone = |(uid, place): &(&u128, &Place)| {
            scope.covers(&place.revision.namespace) && !listed.contains(uid)
        };
        let gone: Vec<_> = self
            .pods
            .iter()
            .filter(is_gone)
            .map(|(uid, _)| *uid)
            .collect();
        for uid in gone {
            self.delete_pod(uid);
        }
        let list = List::Pods(scope.clone());
        self.awaited.retain(|awaited| *awaited != list);
    }

    // === Pins ===

    /// A pin is new or changed.
    pub(in crate::cluster) fn apply_pin(
        &mut self,
        name: PinName,
        revision: OwnerRevision,
        slots: Slots,
    ) {
        if self.pins.get(&name).is_some_and(|old| **old != revision) {
            self.delete_pin(&name);
        }
        let revision = self.enter(revision);
        if let Some(known) = self.known.get_mut(&revision) {
            known.pin = Some((name.1.clone(), slots));
        }
        self.pins.insert(name, revision.clone());
        self.compare(&revision);
    }

    /// A pin is gone.
    pub(in crate::cluster) fn delete_pin(&mut self, name: &PinName) {
        let Some(revision) = self.pins.remove(name) else {
            return;
        };
        if let Some(known) = self.known.get_mut(&revision) {
            known.pin.take_if(|(of, _)| *of == name.1);
        }
        self.leave(&revision);
    }

    /// A list of this scope is in: the pins that it does not hold are gone.
    pub(in crate::cluster) fn retain_pins(&mut self, scope: &Scope, listed: &HashSet<PinName>) {
        let is_gone = |name: &&PinName| scope.covers(&name.0) && !listed.contains(*name);
        let gone: Vec<_> = self.pins.keys().filter(is_gone).cloned().collect();
        for name in gone {
            self.delete_pin(&name);
        }
        let list = List::Pins(scope.clone());
        self.awaited.retain(|awaited| *awaited != list);
    }

    // === What is to be recorded ===

    /// Nothing has to be recorded before these lists are in.
    pub(super) fn wait_for(&mut self, lists: Vec<List>) {
        self.awaited = lists;
    }

    pub(super) fn has_unrecorded(&self) -> bool {
        // Looked at with each Pod of the first list, where it would be walked in vain.
        let waits_for_all = |list: &List| *list.scope() == Scope::All;
        !self.awaited.iter().any(waits_for_all)
            && self.unrecorded.iter().any(|one| self.is_listed(one))
    }

    /// Whether both lists that cover a revision are in. One of another namespace may never be.
    fn is_listed(&self, revision: &OwnerRevision) -> bool {
        let covers = |list: &List| list.scope().covers(&revision.namespace);
        !self.awaited.iter().any(covers)
    }

    /// Takes revisions that have to be recorded. They come again with news of them, or by [`Self::look_again`].
    pub(super) fn take_unrecorded(&mut self, most: usize) -> Vec<Learned> {
        let listed = self.unrecorded.iter().filter(|one| self.is_listed(one));
        let taken: Vec<_> = listed.take(most).cloned().collect();
        for revision in &taken {
            self.unrecorded.remove(revision);
        }
        let learned = |revision: Arc<OwnerRevision>| {
            let known = self.known.get(&revision)?;
            Some(Learned {
                revision: (*revision).clone(),
                workload: known.workload.clone()?,
                slots: known.wanted(),
            })
        };
        taken.into_iter().filter_map(learned).collect()
    }

    /// Finds all revisions that are not recorded, also those that were taken.
    pub(super) fn look_again(&mut self) {
        let open = self.known.iter().filter(|(_, known)| !known.is_recorded());
        self.unrecorded = open.map(|(revision, _)| revision.clone()).collect();
    }

    fn is_known(&self, pod: &PodSeen) -> bool {
        let Some(place) = self.pods.get(&pod.uid) else {
            return false;
        };
        let known = self.known.get(&place.revision);
        *place.revision == pod.revision
            && place.created == pod.created
            && known.is_some_and(|known| known.holds((pod.created, pod.uid), &pod.slots))
    }

    /// The shared name of a revision, which is known from now on.
    fn enter(&mut self, revision: OwnerRevision) -> Arc<OwnerRevision> {
        if let Some((known, _)) = self.known.get_key_value(&revision) {
            return known.clone();
        }
        let revision = Arc::new(revision);
        self.known.insert(revision.clone(), Known::default());
        revision
    }

    /// A Pod or a pin of this revision has gone.
    fn leave(&mut self, revision: &Arc<OwnerRevision>) {
        let is_over = |known: &Known| known.members.is_empty() && known.pin.is_none();
        if self.known.get(revision).is_some_and(is_over) {
            self.known.remove(revision);
        }
        self.compare(revision);
    }

    fn compare(&mut self, revision: &Arc<OwnerRevision>) {
        let known = self.known.get(revision);
        if known.is_some_and(|known| !known.is_recorded()) {
            self.unrecorded.insert(revision.clone());
        } else {
            self.unrecorded.remove(revision);
        }
    }
}

// === impl Known ===

impl Known {
    fn put(&mut self, age: (i64, u128), slots: Slots) {
        let place = self.members.partition_point(|member| member.age < age);
        let mut members = self.members.iter();
        let shared = members.find(|member| member.slots == slots);
        let slots = shared.map_or(slots, |member| member.slots.clone());
        self.members.insert(place, Member { age, slots });
    }

    fn holds(&self, age: (i64, u128), slots: &Slots) -> bool {
        let place = self.members.binary_search_by_key(&age, |member| member.age);
        let member = place.ok().and_then(|place| self.members.get(place));
        member.is_some_and(|member| member.slots == *slots)
    }

    fn take(&mut self, age: (i64, u128)) {
        if let Ok(place) = self.members.binary_search_by_key(&age, |member| member.age) {
            self.members.remove(place);
        }
    }

    fn is_recorded(&self) -> bool {
        let Some(oldest) = self.members.first() else {
            return true;
        };
        let Some((_, pin)) = &self.pin else {
            return false;
        };
        let is_same = |own: &SlotPin| find(pin, &own.slot, &own.text).as_ref() == Some(&own.digest);
        oldest.slots.iter().all(is_same)
    }

    /// What the oldest Pod runs, and what is recorded of slots that it does not have.
    fn wanted(&self) -> Vec<SlotPin> {
        let oldest = self.members.first();
        let oldest = oldest.into_iter().flat_map(|member| &*member.slots);
        let mut slots: Vec<_> = oldest.cloned().collect();
        for pin in self.pin.iter().flat_map(|(_, slots)| &**slots) {
            if !slots.iter().any(|own| own.slot == pin.slot) {
                slots.push(pin.clone());
            }
        }
        slots
    }
}

// === impl List ===

impl List {
    fn scope(&self) -> &Scope {
        match self {
            Self::Pods(scope) | Self::Pins(scope) => scope,
        }
    }
}

// === impl Scope ===

impl Scope {
    fn covers(&self, namespace: &str) -> bool {
        match self {
            Self::All => true,
            Self::Namespace(own) => own == namespace,
        }
    }
}

fn find(slots: &[SlotPin], slot: &str, text: &str) -> Option<Digest> {
    let start = slots.partition_point(|pin| *pin.slot < *slot);
    let pin = slots.get(start)?;
    (pin.slot == slot && pin.text == text).then(|| pin.digest.clone())
}

#[cfg(test)]
#[path = "revisions/tests.rs"]
mod tests;
