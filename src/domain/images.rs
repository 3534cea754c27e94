//! The annotations in which cotter records what it did: `cotter.dev/images` and `cotter.dev/unpinned`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{digest::Digest, policy::Cause, slots::Slot};

/// What a slot's text was and what it became.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// As it was written.
    pub from: String,
    /// As cotter wrote it.
    pub to: String,
}

/// `cotter.dev/images`: slot to change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Changes(BTreeMap<String, Change>);

/// `cotter.dev/unpinned`: slot to cause.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Unpinned(BTreeMap<String, String>);

// === impl Change ===

impl Change {
    /// The digest that cotter wrote; `None` if it wrote none, or somebody scribbled there.
    #[must_use]
    pub fn digest(&self) -> Option<Digest> {
        let (_, digest) = self.to.rsplit_once('@')?;
        Digest::parse(digest).ok()
    }
}

// === impl Changes ===

impl Changes {
    /// Reads the annotation; what cannot be read counts as empty, since anybody may write it.
    #[must_use]
    pub fn read(annotation: Option<&str>) -> Self {
        read(annotation)
    }

    /// The change of a slot.
    #[must_use]
    pub fn get(&self, slot: &str) -> Option<&Change> {
        self.0.get(slot)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether any slot was given a digest.
    #[must_use]
    pub fn pinned_any(&self) -> bool {
        self.0.values().any(|change| change.to.contains('@'))
    }

    /// Whether this slot has the digest that it was given.
    #[must_use]
    pub fn pinned(&self, slot: &Slot<'_>) -> bool {
        let change = self.get(&slot.key());
        change.is_some_and(|change| change.to == slot.image && change.to.contains('@'))
    }

    /// All changes, by slot.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Change)> {
        self.0.iter().map(|(slot, change)| (&**slot, change))
    }

    /// Keeps the changes for which `keep` holds.
    pub fn retain(&mut self, keep: impl Fn(&str, &Change) -> bool) {
        self.0.retain(|slot, change| keep(slot, change));
    }

    /// Records a change. A slot that was changed before into `from` keeps its first source text.
    pub fn record(&mut self, slot: String, from: &str, to: String) {
        let earlier = self.0.remove(&slot).filter(|change| change.to == from);
        let from = earlier.map_or_else(|| from.to_owned(), |change| change.from);
        self.0.insert(slot, Change { from, to });
    }

    /// The annotation's text.
    #[must_use]
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

// === impl Unpinned ===

impl Unpinned {
    /// Reads the annotation; what cannot be read counts as empty.
    #[must_use]
    pub fn read(annotation: Option<&str>) -> Self {
        read(annotation)
    }

    /// Whether every slot is pinned.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets a slot.
    pub fn forget(&mut self, slot: &str) {
        self.0.remove(slot);
    }

    /// Records that a slot stayed unpinned.
    pub fn record(&mut self, slot: String, cause: Cause) {
        self.0.insert(slot, cause.as_str().to_owned());
    }

    /// Adds what another knows.
    pub fn merge(&mut self, other: &Self) {
        let entries = other
            .0
            .iter()
            .map(|(slot, cause)| (slot.clone(), cause.clone()));
        self.0.extend(entries);
    }

    /// The annotation's text.
    #[must_use]
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

fn read<T: Default + for<'de> Deserialize<'de>>(annotation: Option<&str>) -> T {
    annotation
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_change_keeps_the_first_source() {
        let mut changes = Changes::default();
        changes.record("a".into(), "App:dev", "app:dev".into());
        changes.record("a".into(), "app:dev", "app:dev@sha256:1".into());
        assert_eq!(changes.get("a").unwrap().from, "App:dev");
        changes.record("a".into(), "other", "other@sha256:2".into());
        assert_eq!(changes.get("a").unwrap().from, "other");
    }

    #[test]
    fn what_a_caller_scribbled_counts_as_empty() {
        assert!(Changes::read(Some("{nonsense")).is_empty());
        assert!(Changes::read(Some(r#"{"a":5}"#)).is_empty());
        assert!(Changes::read(None).is_empty());
    }
}
