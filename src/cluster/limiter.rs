//! How often a namespace may make cotter ask the API server: who creates Pods decides how often that happens.

use std::{collections::HashMap, time::Duration};

use smol_str::SmolStr;
use tokio::time::Instant;

/// Look-ups that a namespace may make at once.
const BURST: u32 = 4;

/// After that, one in this time.
const PERIOD: Duration = Duration::from_millis(250);

/// Namespaces counted at once. One that is not counted gets no look-up until another one has been quiet.
const MOST: usize = 4096;

/// A token bucket for each namespace that asked lately.
#[derive(Debug, Default)]
pub(super) struct Limiter {
    /// When the bucket would be full again.
    full_at: HashMap<SmolStr, Instant>,
}

impl Limiter {
    /// Takes a token; `false` where there is none.
    pub(super) fn take(&mut self, namespace: &str, now: Instant) -> bool {
        let latest = now + PERIOD * BURST;
        if let Some(full_at) = self.full_at.get_mut(namespace) {
            let next = (*full_at).max(now) + PERIOD;
            if next > latest {
                return false;
            }
            *full_at = next;
            return true;
        }
        if self.full_at.len() >= MOST {
            self.full_at.retain(|_, full_at| *full_at > now);
        }
        if self.full_at.len() >= MOST {
            return false;
        }
        self.full_at.insert(namespace.into(), now + PERIOD);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_at_once_then_one_in_a_quarter_of_a_second() {
        let (mut limiter, now) = (Limiter::default(), Instant::now());
        let taken = (0..10).filter(|_| limiter.take("a", now)).count();
        assert_eq!(taken, 4);
        assert!(limiter.take("b", now), "namespaces do not share a bucket");
        assert!(!limiter.take("a", now + Duration::from_millis(249)));
        assert!(limiter.take("a", now + Duration::from_millis(250)));
        assert!(!limiter.take("a", now + Duration::from_millis(250)));
        let later = now + Duration::from_mins(1);
        assert_eq!((0..10).filter(|_| limiter.take("a", later)).count(), 4);
    }

    #[test]
    fn the_table_is_bounded() {
        let (mut limiter, now) = (Limiter::default(), Instant::now());
        let taken = (0..MOST + 100).filter(|n| limiter.take(&format!("ns-{n}"), now));
        assert_eq!(taken.count(), MOST);
        assert!(limiter.take("late", now + PERIOD));
        assert_eq!(limiter.full_at.len(), 1);
    }
}
