//! A map that forgets: whoever creates Pods chooses hosts, repositories and tags, so nothing keyed by them may grow.

use std::{
    collections::HashMap,
    hash::Hash,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Two generations of entries. When the young one is full it becomes the old one, and the old one goes. A read keeps
/// an entry young, so what is used stays: close to least-recently-used, at constant cost and without links.
#[derive(Debug)]
pub(super) struct Bounded<K, V> {
    half: usize,
    generations: Mutex<Generations<K, V>>,
}

#[derive(Debug)]
struct Generations<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

// === impl Bounded ===

impl<K: Eq + Hash, V> Bounded<K, V> {
    /// An empty map of at most `capacity` entries.
    pub(super) fn new(capacity: usize) -> Self {
        let (young, old) = (HashMap::new(), HashMap::new());
        Self {
            half: (capacity / 2).max(1),
            generations: Mutex::new(Generations { young, old }),
        }
    }

    /// What `read` makes of the entry of `key`.
    pub(super) fn read<T>(&self, key: &K, read: impl FnOnce(&V) -> T) -> Option<T> {
        let mut generations = self.lock();
        if let Some(value) = generations.young.get(key) {
            return Some(read(value));
        }
        let (key, value) = generations.old.remove_entry(key)?;
        let answer = read(&value);
        generations.put(key, value, self.half);
        Some(answer)
    }

    /// Sets the entry of `key`.
    pub(super) fn insert(&self, key: K, value: V) {
        let mut generations = self.lock();
        generations.old.remove(&key);
        generations.put(key, value, self.half);
    }

    /// Sets the entry of `key` if there is none, or one that `replaces` agrees to lose.
    pub(super) fn insert_if(&self, key: K, value: V, replaces: impl Fn(&V) -> bool) {
        let mut generations = self.lock();
        let Generations { young, old } = &*generations;
        let kept = young.get(&key).or_else(|| old.get(&key));
        if kept.is_none_or(replaces) {
            generations.old.remove(&key);
            generations.put(key, value, self.half);
        }
    }

    /// The entry of `key`, made by `make` if there is none.
    pub(super) fn get_or_insert(&self, key: &K, make: impl FnOnce() -> V) -> V
    where
        K: Clone,
        V: Clone,
    {
        let mut generations = self.lock();
        if let Some(value) = generations.young.get(key) {
            return value.clone();
        }
        let value = generations.old.remove(key).unwrap_or_else(make);
        generations.put(key.clone(), value.clone(), self.half);
        value
    }

    /// Forgets the entry of `key` if `unwanted` says so of it.
    pub(super) fn remove_if(&self, key: &K, unwanted: impl Fn(&V) -> bool) {
        let mut generations = self.lock();
        let Generations { young, old } = &mut *generations;
        for entries in [young, old] {
            if entries.get(key).is_some_and(&unwanted) {
                entries.remove(key);
            }
        }
    }

    /// Forgets all entries but those that `keep` wants.
    pub(super) fn retain(&self, mut keep: impl FnMut(&K, &V) -> bool) {
        let mut generations = self.lock();
        generations.young.retain(|key, value| keep(key, value));
        generations.old.retain(|key, value| keep(key, value));
    }

    fn lock(&self) -> MutexGuard<'_, Generations<K, V>> {
        let locked = self.generations.lock();
        locked.unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Generations ===

impl<K: Eq + Hash, V> Generations<K, V> {
    fn put(&mut self, key: K, value: V, half: usize) {
        if self.young.len() >= half && !self.young.contains_key(&key) {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_holds_more_than_its_capacity() {
        let map = Bounded::new(10);
        for n in 0..1_000 {
            map.insert(n, n);
        }
        let held = (0..1_000).filter(|n| map.read(n, |_| ()).is_some()).count();
        assert!((5..=10).contains(&held), "{held}");
    }

    #[test]
    fn what_is_read_stays() {
        let map = Bounded::new(10);
        map.insert(-1, ());
        for n in 0..1_000 {
            map.insert(n, ());
            assert_eq!(map.read(&-1, |()| ()), Some(()), "after {n}");
        }
    }

    #[test]
    fn an_entry_is_replaced_wherever_it_was() {
        let map = Bounded::new(2);
        map.insert("a", 1);
        map.insert("b", 1);
        map.insert("a", 2);
        assert_eq!(map.read(&"a", |n| *n), Some(2));
        map.remove_if(&"a", |n| *n == 1);
        assert_eq!(map.read(&"a", |n| *n), Some(2));
        map.remove_if(&"a", |n| *n == 2);
        assert_eq!(map.read(&"a", |n| *n), None);
    }
}
