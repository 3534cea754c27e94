//! The pull secrets of the opted-in namespaces, and in what order news of them counts.
//!
//! Three sources tell of the same Secrets: two watches, one for each type, and live lists. Revisions decide which
//! news is newer; a Secret that was deleted while a live list was on its way leaves a mark until the list is in, or
//! the list would bring it back for good.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use smol_str::SmolStr;

use crate::domain::{
    docker_config::SecretType,
    pull_secret::{NamespaceSecrets, PullSecret},
};

/// What the ledger wants published: the pull secrets of a namespace, or `None` where it has none to know.
pub(super) type News = Vec<(SmolStr, Option<Arc<NamespaceSecrets>>)>;

/// News of one Secret.
#[derive(Debug)]
pub(super) struct Item<'a> {
    pub(super) namespace: SmolStr,
    pub(super) name: SmolStr,
    pub(super) revision: u64,
    pub(super) kind: SecretType,
    pub(super) data: &'a [u8],
}

/// All that a live list said of one namespace.
#[derive(Debug, Default)]
pub(super) struct Listed {
    pub(super) secrets: Vec<(u64, SecretType, Arc<PullSecret>)>,
    /// The revision of each list.
    pub(super) revisions: PerType<u64>,
}

/// Which stay of a namespace among the opted-in ones a live list was begun for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stay(u64);

#[derive(Debug, Default)]
pub(super) struct Ledger {
    tracked: HashMap<SmolStr, Tracked>,
    watches: PerType<TypeWatch>,
    stays: u64,
}

/// One value for each type of pull secret.
#[derive(Debug, Default)]
pub(super) struct PerType<T> {
    json: T,
    cfg: T,
}

/// A watch's lists.
#[derive(Debug, Default)]
struct TypeWatch {
    /// How many lists have begun.
    begun: u64,
    staged: HashMap<SmolStr, BTreeMap<SmolStr, Slot>>,
}

/// An opted-in namespace.
#[derive(Debug, Default)]
struct Tracked {
    stay: u64,
    slots: BTreeMap<SmolStr, Slot>,
    /// Whether each type's secrets are known.
    covered: PerType<bool>,
    /// The list of each watch that was the latest when the namespace came; it may have passed it by.
    passed: PerType<u64>,
    /// Live lists on their way.
    listing: u32,
    broken: usize,
}

#[derive(Debug)]
struct Slot {
    revision: u64,
    kind: SecretType,
    /// `None` marks a Secret that was deleted.
    secret: Option<Arc<PullSecret>>,
}

// === impl Ledger ===

impl Ledger {
    /// A namespace is opted in. `true`: the watches have begun without it, so it has to be listed.
    pub(super) fn track(&mut self, namespace: &SmolStr) -> bool {
        if self.tracked.contains_key(namespace) {
            return false;
        }
        let passed = PerType {
            json: self.watches.json.begun,
            cfg: self.watches.cfg.begun,
        };
        self.stays += 1;
        let wants_list = passed.json > 0 || passed.cfg > 0;
        let tracked = Tracked {
            stay: self.stays,
            passed,
            ..Tracked::default()
        };
        self.tracked.insert(namespace.clone(), tracked);
        wants_list
    }

    /// A namespace is not opted in (any more).
    pub(super) fn forget(&mut self, namespace: &str) -> News {
        let gone = self.tracked.remove_entry(namespace);
        gone.map(|(name, _)| (name, None)).into_iter().collect()
    }

    /// The opted-in namespaces.
    pub(super) fn tracked(&self) -> impl Iterator<Item = &SmolStr> {
        self.tracked.keys()
    }

    /// Whether a namespace is opted in and its secrets are not all known.
    pub(super) fn wants_list(&self, namespace: &str) -> bool {
        let tracked = self.tracked.get(namespace);
        tracked.is_some_and(|tracked| !tracked.is_known())
    }

    /// How many secrets of the opted-in namespaces the kubelet could not read.
    pub(super) fn broken(&self) -> usize {
        self.tracked.values().map(|tracked| tracked.broken).sum()
    }

    /// A watch begins a list; what was known stays in use until [`Self::list_done`].
    pub(super) fn list_begun(&mut self, kind: SecretType) {
        let watch = self.watches.of_mut(kind);
        watch.begun += 1;
        watch.staged = HashMap::new();
    }

    /// A watch's list holds this Secret.
    pub(super) fn list_item(&mut self, item: &Item<'_>) {
        let Some(tracked) = self.tracked.get(&item.namespace) else {
            return;
        };
        let slot = tracked.slot_for(item);
        let staged = &mut self.watches.of_mut(item.kind).staged;
        let namespace = staged.entry(item.namespace.clone()).or_default();
        namespace.insert(item.name.clone(), slot);
    }

    /// A watch's list is complete and takes the place of what was known.
    pub(super) fn list_done(&mut self, kind: SecretType) -> News {
        let watch = self.watches.of_mut(kind);
        let mut staged = std::mem::take(&mut watch.staged);
        let begun = watch.begun;
        let mut news = News::new();
        for (name, tracked) in &mut self.tracked {
            if *tracked.passed.of(kind) >= begun {
                continue;
            }
            let listed = staged.remove(name).unwrap_or_default();
            if tracked.replace(kind, listed) {
                news.extend(tracked.build(name));
            }
        }
        news
    }

    /// A watch tells of a new or changed Secret.
    pub(super) fn applied(&mut self, item: &Item<'_>) -> News {
        let Some(tracked) = self.tracked.get_mut(&item.namespace) else {
            return News::new();
        };
        let newer = tracked
            .slots
            .get(&item.name)
            .is_none_or(|slot| slot.is_older_than(item.revision));
        if !newer {
            return News::new();
        }
        let slot = tracked.slot_for(item);
        tracked.slots.insert(item.name.clone(), slot);
        tracked.build(&item.namespace).into_iter().collect()
    }

    /// A watch tells of a deleted Secret.
    pub(super) fn deleted(
        &mut self,
        kind: SecretType,
        namespace: &SmolStr,
        name: &SmolStr,
        revision: u64,
    ) -> News {
        let Some(tracked) = self.tracked.get_mut(namespace) else {
            return News::new();
        };
        // A Secret's type cannot change: one of the other type is a new Secret of the same name, told by the other
        // watch before this one told of the old one's end.
        let is_other = |slot: &Slot| slot.kind != kind || slot.revision > revision;
        if tracked.slots.get(name).is_some_and(is_other) {
            return News::new();
        }
        if tracked.listing == 0 {
            tracked.slots.remove(name);
        } else {
            let mark = Slot {
                revision,
                kind,
                secret: None,
            };
            tracked.slots.insert(name.clone(), mark);
        }
        tracked.build(namespace).into_iter().collect()
    }

    /// A live list of a namespace is about to be asked for. `None` where it is not opted in.
    pub(super) fn live_list_begun(&mut self, namespace: &str) -> Option<Stay> {
        let tracked = self.tracked.get_mut(namespace)?;
        tracked.listing += 1;
        Some(Stay(tracked.stay))
    }

    /// A live list is in, or failed (`None`).
    pub(super) fn live_list_ended(
        &mut self,
        namespace: &SmolStr,
        stay: Option<Stay>,
        listed: Option<&Listed>,
    ) -> News {
        let Some(tracked) = self.tracked.get_mut(namespace) else {
            return News::new();
        };
        // Deletions between two stays were not noted, so the list of the first says nothing certain of the second.
        if stay != Some(Stay(tracked.stay)) {
            return News::new();
        }
        if let Some(listed) = listed {
            tracked.merge(listed);
        }
        tracked.listing = tracked.listing.saturating_sub(1);
        if tracked.listing == 0 {
            tracked.slots.retain(|_, slot| slot.secret.is_some());
        }
        if listed.is_some() {
            tracked.build(namespace).into_iter().collect()
        } else {
            News::new()
        }
    }
}

// === impl Tracked ===

impl Tracked {
    fn is_known(&self) -> bool {
        self.covered.json && self.covered.cfg
    }

    /// The item as a slot; what is known of the same revision already is shared.
    fn slot_for(&self, item: &Item<'_>) -> Slot {
        let known = self.slots.get(&item.name).filter(|slot| {
            slot.revision == item.revision && item.revision > 0 && slot.kind == item.kind
        });
        let secret = known
            .and_then(|slot| slot.secret.clone())
            .unwrap_or_else(|| Arc::new(PullSecret::read(&item.name, item.kind, item.data)));
        Slot {
            revision: item.revision,
            kind: item.kind,
            secret: Some(secret),
        }
    }

    /// Puts a watch's list in the place of what was known of its type. `false`: nothing changed.
    fn replace(&mut self, kind: SecretType, listed: BTreeMap<SmolStr, Slot>) -> bool {
        let was_covered = std::mem::replace(self.covered.of_mut(kind), true);
        let same = |slot: &Slot, other: &Slot| {
            slot.revision == other.revision && slot.revision > 0 && other.secret.is_some()
        };
        let before = self.slots.values().filter(|slot| slot.kind == kind).count();
        let unchanged = before == listed.len()
            && listed
                .iter()
                .all(|(name, slot)| self.slots.get(name).is_some_and(|old| same(slot, old)));
        if was_covered && unchanged {
            return false;
        }
        self.slots
            .retain(|_, slot| slot.kind != kind || slot.secret.is_none());
        self.slots.extend(listed);
        true
    }

    fn merge(&mut self, listed: &Listed) {
        let present: HashSet<(SecretType, &SmolStr)> = listed
            .secrets
            .iter()
            .map(|(_, kind, secret)| (*kind, secret.name()))
            .collect();
        self.slots.retain(|name, slot| {
            slot.secret.is_none()
                || slot.revision > *listed.revisions.of(slot.kind)
                || present.contains(&(slot.kind, name))
        });
        for (revision, kind, secret) in &listed.secrets {
            let known = self.slots.get(secret.name());
            if known.is_none_or(|slot| slot.is_older_than(*revision)) {
                let slot = Slot {
                    revision: *revision,
                    kind: *kind,
                    secret: Some(secret.clone()),
                };
                self.slots.insert(secret.name().clone(), slot);
            }
        }
        self.covered = PerType {
            json: true,
            cfg: true,
        };
    }

    fn build(&mut self, namespace: &SmolStr) -> Option<(SmolStr, Option<Arc<NamespaceSecrets>>)> {
        if !self.is_known() {
            return None;
        }
        let secrets = || self.slots.values().filter_map(|slot| slot.secret.clone());
        self.broken = secrets().filter(|s| s.broken().is_some()).count();
        let built = Arc::new(NamespaceSecrets::new(secrets()));
        Some((namespace.clone(), Some(built)))
    }
}

impl Slot {
    fn is_older_than(&self, revision: u64) -> bool {
        self.revision < revision || revision == 0
    }
}

impl<T> PerType<T> {
    fn of(&self, kind: SecretType) -> &T {
        match kind {
            SecretType::DockerConfigJson => &self.json,
            SecretType::DockerCfg => &self.cfg,
        }
    }

    pub(super) fn of_mut(&mut self, kind: SecretType) -> &mut T {
        match kind {
            SecretType::DockerConfigJson => &mut self.json,
            SecretType::DockerCfg => &mut self.cfg,
        }
    }
}

#[cfg(test)]
#[path = "ledger/tests.rs"]
mod tests;
