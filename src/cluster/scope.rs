//! Which namespaces are watched: all, by one watch of each kind, or listed ones, by a watch of each kind in each.

use kube::{Api, Client, Resource, core::NamespaceResourceScope};
use smol_str::SmolStr;

/// The namespaces to watch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum WatchScope {
    /// All; needs rights in the whole cluster.
    #[default]
    All,
    /// These; needs rights in each of them, and none beyond.
    Listed(Vec<SmolStr>),
}

// === impl WatchScope ===

impl WatchScope {
    /// The listed ones, each once; all where none is listed.
    #[must_use]
    pub fn of(namespaces: &[String]) -> Self {
        let mut listed: Vec<SmolStr> = namespaces.iter().map(SmolStr::new).collect();
        listed.retain(|name| !name.is_empty());
        listed.sort();
        listed.dedup();
        if listed.is_empty() {
            Self::All
        } else {
            Self::Listed(listed)
        }
    }

    /// One entry for each watch of a kind: `None` for all namespaces at once, or else the namespace.
    #[must_use]
    pub fn parts(&self) -> Vec<Option<SmolStr>> {
        match self {
            Self::All => vec![None],
            Self::Listed(listed) => listed.iter().cloned().map(Some).collect(),
        }
    }
}

/// The API of a namespaced kind for one of [`WatchScope::parts`].
pub(super) fn api<K>(client: Client, part: Option<&str>) -> Api<K>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
{
    match part {
        None => Api::all(client),
        Some(namespace) => Api::namespaced(client, namespace),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_each_namespace_once_and_an_empty_one_means_all() {
        let names = ["b", "a", "", "b"].map(str::to_owned);
        let scope = WatchScope::of(&names);
        assert_eq!(scope.parts(), [Some("a".into()), Some("b".into())]);
        assert_eq!(WatchScope::of(&[String::new()]), WatchScope::All);
        assert_eq!(WatchScope::All.parts(), [None]);
    }
}
