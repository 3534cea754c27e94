//! One counter for each value of a closed set of labels.

use std::{hash::Hash, marker::PhantomData};

use prometheus_client::metrics::{counter::Counter, family::Family};

use crate::telemetry::labels::Closed;

/// Counters that are made once, so that counting is one addition and no look-up. All of them are exposed from the
/// start: a counter that appears with its first event hides that event from `increase()`.
#[derive(Debug)]
pub(super) struct Each<L> {
    counters: Vec<Counter>,
    of: PhantomData<L>,
}

impl<L: Closed> Each<L> {
    /// The counters of a family with this one label.
    pub(super) fn of<S>(family: &Family<S, Counter>, label: impl Fn(L) -> S) -> Self
    where
        S: Clone + Hash + Eq,
    {
        Self::new(|value| family.get_or_create_owned(&label(value)))
    }

    /// A counter for each value.
    pub(super) fn new(counter: impl FnMut(L) -> Counter) -> Self {
        Self {
            counters: L::ALL.iter().copied().map(counter).collect(),
            of: PhantomData,
        }
    }

    /// Counts one.
    pub(super) fn inc(&self, value: L) {
        if let Some(counter) = self.counters.get(value.number()) {
            counter.inc();
        }
    }
}
