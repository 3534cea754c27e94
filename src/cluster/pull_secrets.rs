//! The watch of one type of pull secret. Those of namespaces that are not opted in are dropped unread.

use std::sync::Arc;

use super::{
    ledger::Item,
    objects::{SecretObject, identity},
    state::State,
    watch::Sink,
};
use crate::domain::docker_config::SecretType;

#[derive(Debug)]
pub(super) struct PullSecrets {
    state: Arc<State>,
    kind: SecretType,
}

impl PullSecrets {
    pub(super) fn new(state: Arc<State>, kind: SecretType) -> Self {
        Self { state, kind }
    }
}

/// The field selector of a type, also what a live list asks for.
pub(super) fn selector(kind: SecretType) -> &'static str {
    match kind {
        SecretType::DockerConfigJson => "type=kubernetes.io/dockerconfigjson",
        SecretType::DockerCfg => "type=kubernetes.io/dockercfg",
    }
}

fn with_item(object: &SecretObject, kind: SecretType, take: impl FnOnce(&Item<'_>)) {
    // The selector lets no other type through; an API server that ignores it must not confuse the two watches.
    if object.kind != Some(kind) {
        return;
    }
    let (namespace, name, revision) = identity(object);
    take(&Item {
        namespace,
        name,
        revision,
        kind,
        data: &object.data,
    });
}

impl Sink for PullSecrets {
    type Object = SecretObject;

    fn begin(&mut self) {
        self.state.secrets_list_begun(self.kind);
    }

    fn listed(&mut self, object: SecretObject) {
        with_item(&object, self.kind, |item| {
            self.state.secrets_list_item(item);
        });
    }

    fn done(&mut self) {
        self.state.secrets_list_done(self.kind);
    }

    fn applied(&mut self, object: SecretObject) {
        with_item(&object, self.kind, |item| self.state.apply_secret(item));
    }

    fn deleted(&mut self, object: SecretObject) {
        with_item(&object, self.kind, |item| {
            let Item {
                namespace,
                name,
                revision,
                kind,
                ..
            } = item;
            self.state.delete_secret(*kind, namespace, name, *revision);
        });
    }
}
