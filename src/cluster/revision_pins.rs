//! The watch of `RevisionPin`s. A cluster without that kind, or one that does not let cotter read it, loses the
//! memory of revisions without Pods and nothing else.

use std::{collections::HashSet, sync::Arc};

use super::{
    siblings::{PinName, Scope, SiblingIndex},
    watch::Sink,
};
use crate::api::revision_pin::RevisionPin;

/// Feeds the index with the pins of one scope.
#[derive(Debug)]
pub(super) struct RevisionPins {
    index: Arc<SiblingIndex>,
    scope: Scope,
    listed: HashSet<PinName>,
}

impl RevisionPins {
    pub(super) fn new(index: Arc<SiblingIndex>, scope: Scope) -> Self {
        Self {
            index,
            scope,
            listed: HashSet::new(),
        }
    }
}

impl Sink for RevisionPins {
    type Object = RevisionPin;

    fn begin(&mut self) {
        self.listed = HashSet::new();
    }

    fn listed(&mut self, pin: RevisionPin) {
        self.listed.insert(name(&pin));
        self.applied(pin);
    }

    fn done(&mut self) {
        let listed = std::mem::take(&mut self.listed);
        self.index.update(|r| r.retain_pins(&self.scope, &listed));
    }

    fn applied(&mut self, pin: RevisionPin) {
        let (name, revision) = (name(&pin), pin.revision());
        let slots = pin.slots().into();
        self.index.update(|r| r.apply_pin(name, revision, slots));
    }

    fn deleted(&mut self, pin: RevisionPin) {
        self.index.update(|r| r.delete_pin(&name(&pin)));
    }
}

fn name(pin: &RevisionPin) -> PinName {
    let text = |text: &Option<String>| text.as_deref().unwrap_or_default().into();
    (text(&pin.metadata.namespace), text(&pin.metadata.name))
}
