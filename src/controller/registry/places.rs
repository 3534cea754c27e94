//! The namespaces that a `Registry` wants its pull secrets in, as far as cotter may look at them.

use std::collections::{BTreeMap, HashMap};

use kube::Resource as _;
use smol_str::SmolStr;

use super::{
    board::{Board, What},
    watches::KnownNamespaces,
};
use crate::{api::registry::Registry, controller::trouble::Trouble, domain::selector::Labels};

/// Where pull secrets are wanted.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// The namespaces that can be looked after, with their labels.
    pub(super) wanted: BTreeMap<String, Labels>,
    /// Those wanted by name that are not among the ones that cotter is to look after.
    pub(super) outside: Vec<String>,
    /// Those that cotter cannot look at, and why. Which of these a selector wants is not known.
    pub(super) hidden: Vec<Trouble>,
    /// How many namespaces are wanted, as far as that is known.
    pub(super) desired: usize,
    /// The watches that have never listed, and so which namespaces may be wanted.
    pub(super) unknown: HashMap<Option<SmolStr>, Trouble>,
}

// === impl Places ===

impl Places {
    /// Where `registry` wants them. `parts`: the namespaces that cotter looks after, each alone; `None` stands for all.
    pub(super) fn of(
        registry: &Registry,
        namespaces: &KnownNamespaces,
        board: &Board,
        parts: &[Option<SmolStr>],
    ) -> Self {
        let mut places = Self {
            unknown: board.unread(What::Namespaces),
            ..Self::default()
        };
        let secrets = board.unread(What::PullSecrets);
        let mut hidden = BTreeMap::new();
        for namespace in namespaces.all() {
            let meta = namespace.meta();
            let (name, labels) = (meta.name.clone().unwrap_or_default(), meta.labels.clone());
            let labels = labels.unwrap_or_default();
            let is_going = meta.deletion_timestamp.is_some();
            if is_going || !registry.spec.namespaces.matches(&name, &labels) {
                continue;
            }
            places.desired += 1;
            match of(&secrets, &name) {
                Some((part, trouble)) => drop(hidden.insert(part.clone(), trouble.clone())),
                None => drop(places.wanted.insert(name, labels)),
            }
        }
        let spec = &registry.spec.namespaces;
        for (part, trouble) in &places.unknown {
            let is_named = |part: &SmolStr| spec.names.iter().any(|name| name == part);
            let named = part.as_ref().is_some_and(is_named);
            places.desired += usize::from(named);
            let is_wanted = part.is_none() && !spec.names.is_empty();
            if named || is_wanted || spec.selector.is_some() {
                hidden.insert(part.clone(), trouble.clone());
            }
        }
        let is_inside = |name: &&String| {
            let is_it = |part: &Option<SmolStr>| part.as_ref().is_none_or(|part| part == *name);
            parts.iter().any(is_it)
        };
        places.outside = spec
            .names
            .iter()
            .filter(|name| !is_inside(name))
            .cloned()
            .collect();
        places.desired += places.outside.len();
        places.hidden = hidden.into_values().collect();
        places
    }

    /// Whether a namespace gets the pull secret no more; `false` where that is not known.
    pub(super) fn is_left(&self, namespace: &str) -> bool {
        !self.wanted.contains_key(namespace) && of(&self.unknown, namespace).is_none()
    }
}

fn of<'a>(
    parts: &'a HashMap<Option<SmolStr>, Trouble>,
    namespace: &str,
) -> Option<(&'a Option<SmolStr>, &'a Trouble)> {
    let is_it = |part: &Option<SmolStr>| part.as_ref().is_none_or(|part| part == namespace);
    parts.iter().find(|(part, _)| is_it(part))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use kube::runtime::{reflector, watcher::Event};
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    /// A board on which these watches have listed, and the others have not.
    fn board(all: &[(What, Option<&str>)], listed: &[(What, Option<&str>)]) -> Arc<Board> {
        let board = Arc::new(Board::new(Arc::default()));
        for watch in all {
            let (what, part) = *watch;
            let mut report = board.add(what, part.map(SmolStr::new).as_ref());
            if listed.contains(watch) {
                report.heard(&Ok(Event::<()>::InitDone));
            }
        }
        board
    }

    fn namespaces(names: &[&str]) -> KnownNamespaces {
        let (store, mut writer) = reflector::store();
        for name in names {
            let namespace =
                json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
            writer.apply_watcher_event(&Event::Apply(serde_json::from_value(namespace).unwrap()));
        }
        KnownNamespaces::of(vec![store])
    }

    fn registry(names: &[&str]) -> Registry {
        let registry = json!({"apiVersion": "cotter.dev/v1alpha1", "kind": "Registry", "metadata": {"name": "my-ghcr"},
            "spec": {"type": "GHCR", "namespaces": {"names": names}}});
        serde_json::from_value(registry).unwrap()
    }

    const IN_SHOP: (What, Option<&str>) = (What::Namespaces, Some("shop"));
    const SECRETS: (What, Option<&str>) = (What::PullSecrets, Some("shop"));
    const ALL: (What, Option<&str>) = (What::Namespaces, None);
    const ALL_SECRETS: (What, Option<&str>) = (What::PullSecrets, None);

    #[rstest]
    #[case::both_are_read(&[IN_SHOP, SECRETS], &["shop"], true, 0)]
    #[case::its_secrets_are_not(&[IN_SHOP], &["shop"], false, 1)]
    #[case::it_is_not_itself(&[SECRETS], &[], false, 1)]
    fn a_listed_namespace_is_looked_after_where_it_can_be_read(
        #[case] listed: &[(What, Option<&str>)],
        #[case] seen: &[&str],
        #[case] wanted: bool,
        #[case] hidden: usize,
    ) {
        let board = board(&[IN_SHOP, SECRETS], listed);
        let parts = [Some("shop".into())];
        let registry = registry(&["shop", "bank"]);
        let places = Places::of(&registry, &namespaces(seen), &board, &parts);
        assert_eq!(places.wanted.contains_key("shop"), wanted);
        assert_eq!(places.hidden.len(), hidden, "{:?}", places.hidden);
        assert_eq!(
            (&*places.outside, places.desired),
            (&["bank".to_owned()][..], 2)
        );
    }

    #[rstest]
    #[case::of_all_namespaces(&[ALL, ALL_SECRETS], &[ALL_SECRETS], None)]
    #[case::of_this_one(&[IN_SHOP, SECRETS], &[SECRETS], Some("shop".into()))]
    fn nothing_is_taken_away_while_the_namespaces_are_not_known(
        #[case] all: &[(What, Option<&str>)],
        #[case] listed: &[(What, Option<&str>)],
        #[case] part: Option<SmolStr>,
    ) {
        let parts = [part];
        let of = |board: &Board| Places::of(&registry(&[]), &namespaces(&[]), board, &parts);
        assert!(!of(&board(all, listed)).is_left("shop"));
        assert!(of(&board(all, all)).is_left("shop"));
    }
}
