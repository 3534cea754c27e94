//! Waiting for something that another process does.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// Asks until there is an answer; panics with `what` after `limit`.
pub fn until<T>(what: &str, limit: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(started.elapsed() < limit, "waited {limit:?} for {what}");
        sleep(Duration::from_millis(20));
    }
}
