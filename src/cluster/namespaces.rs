//! The watch of namespaces: which are opted in, and with which policy.

use std::{collections::HashMap, sync::Arc};

use smol_str::SmolStr;

use super::{
    objects::{NamespaceObject, identity},
    state::State,
    watch::Sink,
};
use crate::admission::ports::Namespace;

#[derive(Debug)]
pub(super) struct Namespaces {
    state: Arc<State>,
    staged: HashMap<SmolStr, (u64, Namespace)>,
}

impl Namespaces {
    pub(super) fn new(state: Arc<State>) -> Self {
        Self {
            state,
            staged: HashMap::new(),
        }
    }
}

impl Sink for Namespaces {
    type Object = NamespaceObject;

    fn begin(&mut self) {
        self.staged = HashMap::new();
    }

    fn listed(&mut self, object: NamespaceObject) {
        let (_, name, revision) = identity(&object);
        self.staged.insert(name, (revision, object.choice));
    }

    fn done(&mut self) {
        self.state
            .replace_namespaces(std::mem::take(&mut self.staged));
    }

    fn applied(&mut self, object: NamespaceObject) {
        let (_, name, revision) = identity(&object);
        if let Some(labels) = object.newborn {
            self.state.promises.born(&name, labels);
        }
        self.state.apply_namespace(&name, revision, object.choice);
    }

    fn deleted(&mut self, object: NamespaceObject) {
        let (_, name, _) = identity(&object);
        self.state.delete_namespace(&name);
    }
}
