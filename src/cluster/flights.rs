//! One request at a time for each key, shared by those who want the same.
//!
//! Whoever comes while a request is on its way does not share that one, since it may have been answered before what
//! the newcomer wants to see existed; it shares the next one, which starts when the first has ended.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use smol_str::SmolStr;

/// An answer to come; `None` if the request broke off.
pub(super) type Flight<T> = Shared<BoxFuture<'static, Option<T>>>;

#[derive(Debug)]
pub(super) struct Flights<T: Clone> {
    lines: Mutex<HashMap<SmolStr, Line<T>>>,
}

#[derive(Debug)]
struct Line<T: Clone> {
    turn: Arc<tokio::sync::Mutex<()>>,
    waiting: Option<Flight<T>>,
    unfinished: usize,
}

/// Ends a flight, also where its request panics.
struct Ending<T: Clone> {
    flights: Arc<Flights<T>>,
    key: SmolStr,
}

impl<T: Clone> Default for Flights<T> {
    fn default() -> Self {
        Self {
            lines: Mutex::default(),
        }
    }
}

impl<T: Clone + Send + Sync + 'static> Flights<T> {
    /// Joins the flight of `key` that has not started, or queues `request` if `may` allows one more.
    pub(super) fn join(
        self: &Arc<Self>,
        key: &str,
        request: BoxFuture<'static, T>,
        may: impl FnOnce() -> bool,
    ) -> Option<Flight<T>> {
        let mut lines = self.lines();
        if let Some(waiting) = lines.get(key).and_then(|line| line.waiting.clone()) {
            return Some(waiting);
        }
        if !may() {
            return None;
        }
        let key = SmolStr::new(key);
        let line = lines.entry(key.clone()).or_insert_with(|| Line {
            turn: Arc::default(),
            waiting: None,
            unfinished: 0,
        });
        line.unfinished += 1;
        let turn = line.turn.clone();
        let ending = Ending {
            flights: self.clone(),
            key,
        };
        // A task of its own: it goes on when the one who asked first gives up.
        let task = tokio::spawn(async move {
            let _turn = turn.lock_owned().await;
            ending.starts();
            request.await
        });
        let flight = task.map(Result::ok).boxed().shared();
        line.waiting = Some(flight.clone());
        Some(flight)
    }
}

impl<T: Clone> Flights<T> {
    fn lines(&self) -> MutexGuard<'_, HashMap<SmolStr, Line<T>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Clone> Ending<T> {
    fn starts(&self) {
        let mut lines = self.flights.lines();
        if let Some(line) = lines.get_mut(&self.key) {
            line.waiting = None;
        }
    }
}

impl<T: Clone> Drop for Ending<T> {
    fn drop(&mut self) {
        let mut lines = self.flights.lines();
        if let Some(line) = lines.get_mut(&self.key) {
            line.unfinished = line.unfinished.saturating_sub(1);
            if line.unfinished == 0 {
                lines.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        time::Duration,
    };

    #[tokio::test(start_paused = true)]
    async fn those_who_come_during_a_flight_share_the_next_one() {
        let flights: Arc<Flights<usize>> = Arc::default();
        let started = Arc::new(AtomicUsize::new(0));
        let join = || {
            let started = started.clone();
            let request = async move {
                let nth = started.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_secs(1)).await;
                nth
            };
            flights.join("a", request.boxed(), || true).unwrap()
        };
        let first = join();
        let same = join();
        tokio::time::sleep(Duration::from_millis(500)).await;
        let next = join();
        let also_next = join();
        assert_eq!(
            (first.await, same.await, next.await, also_next.await),
            (Some(0), Some(0), Some(1), Some(1))
        );
        assert!(flights.lines().is_empty());
    }

    #[tokio::test]
    async fn a_request_that_panics_leaves_no_line() {
        let flights: Arc<Flights<()>> = Arc::default();
        let request = async { panic!("on purpose") };
        let flight = flights.join("a", request.boxed(), || true).unwrap();
        assert_eq!(flight.await, None);
        assert!(flights.lines().is_empty());
    }
}
