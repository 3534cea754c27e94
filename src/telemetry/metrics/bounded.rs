//! Metrics whose label values others choose: a bounded number of them, and one for all the rest.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use smol_str::SmolStr;

/// The label value of all that found no place.
const OTHER: &str = "other";

/// What is counted for each name; first come, first served.
#[derive(Debug)]
pub(super) struct Bounded<T> {
    most: usize,
    named: RwLock<HashMap<SmolStr, Arc<T>>>,
    /// Made when it is first needed, so that it is not exposed for nothing.
    other: RwLock<Option<Arc<T>>>,
}

impl<T> Bounded<T> {
    /// For at most this many names.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            named: RwLock::default(),
            other: RwLock::default(),
        }
    }

    /// What is counted for this name. A new one is made with `make`, which is given the label's value.
    pub(super) fn get(&self, name: &str, make: impl FnOnce(&str) -> T) -> Arc<T> {
        let is_full = {
            let named = self.named.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = named.get(name) {
                return Arc::clone(known);
            }
            named.len() >= self.most
        };
        if is_full {
            return self.other(make);
        }
        let mut named = self.named.write().unwrap_or_else(PoisonError::into_inner);
        // A few may have come at once.
        if named.len() >= self.most && !named.contains_key(name) {
            drop(named);
            return self.other(make);
        }
        let entry = named.entry(name.into());
        Arc::clone(entry.or_insert_with(|| Arc::new(make(name))))
    }

    fn other(&self, make: impl FnOnce(&str) -> T) -> Arc<T> {
        let known = self.other.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*known {
            return Arc::clone(known);
        }
        drop(known);
        let mut other = self.other.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(other.get_or_insert_with(|| Arc::new(make(OTHER))))
    }

    /// Frees a name's place; whether it had one.
    pub(super) fn remove(&self, name: &str) -> bool {
        let mut named = self.named.write().unwrap_or_else(PoisonError::into_inner);
        named.remove(name).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beyond_the_bound_share_one_until_a_place_is_free() {
        let bounded = Bounded::new(2);
        let get = |name: &str| bounded.get(name, str::to_owned).as_str().to_owned();
        assert_eq!(["a", "b", "c", "d"].map(get), ["a", "b", OTHER, OTHER]);
        assert!(bounded.remove("a") && !bounded.remove("c"));
        assert_eq!(["b", "d", "a"].map(get), ["b", "d", OTHER]);
    }
}
