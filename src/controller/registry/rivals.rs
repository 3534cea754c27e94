//! Whose a pull secret is where several `Registry` objects want one of the same name.

use std::sync::Arc;

use kube::runtime::reflector::{ObjectRef, Store};

use crate::{
    api::registry::{Kind, Registry},
    domain::selector::Labels,
};

/// The other `Registry` objects that want pull secrets of the same name as one of them.
pub(super) struct Rivals<'a> {
    known: &'a Store<Registry>,
    /// Made before it.
    elders: Vec<Arc<Registry>>,
}

impl<'a> Rivals<'a> {
    pub(super) fn of(registry: &Registry, known: &'a Store<Registry>) -> Self {
        let age = |registry: &Registry| {
            let made = registry.metadata.creation_timestamp.as_ref();
            (made.map(|made| made.0), registry.metadata.name.clone())
        };
        let is_elder = |other: &Arc<Registry>| {
            other.pull_secret_name() == registry.pull_secret_name()
                && other.spec.kind != Kind::Public
                && other.metadata.deletion_timestamp.is_none()
                && age(other) < age(registry)
        };
        let mut elders: Vec<_> = known.state().into_iter().filter(is_elder).collect();
        elders.sort_by_key(|elder| age(elder));
        Self { known, elders }
    }

    /// Whether there is a `Registry` of this name.
    pub(super) fn is_there(&self, name: &str) -> bool {
        self.known.get(&ObjectRef::new(name)).is_some()
    }

    /// Who comes first in a namespace in which nobody has one yet.
    pub(super) fn first(&self, namespace: &str, labels: &Labels) -> Option<&str> {
        let wants = |elder: &&Arc<Registry>| elder.spec.namespaces.matches(namespace, labels);
        self.elders.iter().find(wants)?.metadata.name.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use kube::runtime::{reflector, watcher::Event};
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn registry(name: &str, made: u32, secret: &str, namespaces: &[&str]) -> Registry {
        let registry = json!({"apiVersion": "cotter.dev/v1alpha1", "kind": "Registry",
            "metadata": {"name": name, "creationTimestamp": format!("2026-01-01T00:00:{made:02}Z")},
            "spec": {"type": "GHCR", "pullSecret": {"name": secret}, "namespaces": {"names": namespaces}}});
        serde_json::from_value(registry).unwrap()
    }

    #[rstest]
    #[case::the_older("shop", Some("old"))]
    #[case::of_two_of_one_age_the_first_by_name("bank", Some("a"))]
    #[case::nobody_else_wants_it("alone", None)]
    fn a_free_namespace_is_the_oldest_ones(#[case] namespace: &str, #[case] first: Option<&str>) {
        let (known, mut writer) = reflector::store();
        let own = registry("own", 5, "regcred", &["shop", "bank", "alone"]);
        for one in [
            own.clone(),
            registry("old", 1, "regcred", &["shop"]),
            registry("newer", 9, "regcred", &["shop", "bank", "alone"]),
            registry("a", 5, "regcred", &["shop", "bank"]),
            registry("b", 0, "other", &["shop", "bank", "alone"]),
        ] {
            writer.apply_watcher_event(&Event::Apply(one));
        }
        let rivals = Rivals::of(&own, &known);
        assert_eq!(rivals.first(namespace, &Labels::new()), first);
        assert!(rivals.is_there("newer") && !rivals.is_there("gone"));
    }
}
