//! How many lines of the log a namespace's Pods may make: who creates Pods decides how often that is.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use smol_str::SmolStr;

/// Lines of one namespace in one [`WINDOW`].
const MOST: u32 = 60;

const WINDOW: Duration = Duration::from_mins(1);

/// Namespaces counted at once; the lines of all others share one count.
const NAMESPACES: usize = 1024;

/// Whether a line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It is.
    Yes,
    /// It is not, and is the first of this window.
    Over,
    /// It is not.
    No,
}

/// Counts the lines of each namespace.
#[derive(Debug, Default)]
pub(super) struct Quota(Mutex<HashMap<SmolStr, Window>>);

#[derive(Debug)]
struct Window {
    began: Instant,
    lines: u32,
}

impl Quota {
    /// Takes the turn of one line.
    pub(super) fn take(&self, namespace: &str, now: Instant) -> Turn {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = |window: &Window| now.duration_since(window.began) >= WINDOW;
        let mut name = namespace;
        if !windows.contains_key(namespace) && windows.len() >= NAMESPACES {
            windows.retain(|_, window| !is_over(window));
            if windows.len() >= NAMESPACES {
                name = "";
            }
        }
        let fresh = Window {
            began: now,
            lines: 0,
        };
        let window = windows.entry(name.into()).or_insert(fresh);
        if is_over(window) {
            *window = Window {
                began: now,
                lines: 0,
            };
        }
        window.lines = window.lines.saturating_add(1);
        match window.lines {
            ..=MOST => Turn::Yes,
            lines if lines == MOST + 1 => Turn::Over,
            _ => Turn::No,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixty_lines_a_minute_and_one_that_says_so() {
        let (quota, now) = (Quota::default(), Instant::now());
        let turns: Vec<_> = (0..62).map(|_| quota.take("a", now)).collect();
        assert!(turns.iter().take(60).all(|turn| *turn == Turn::Yes));
        assert_eq!(turns.get(60..), Some(&[Turn::Over, Turn::No][..]));
        assert_eq!(quota.take("b", now), Turn::Yes, "namespaces do not share");
        assert_eq!(quota.take("a", now + WINDOW), Turn::Yes);
    }

    #[test]
    fn the_table_is_bounded() {
        let (quota, now) = (Quota::default(), Instant::now());
        for n in 0..NAMESPACES + 100 {
            let turn = quota.take(&format!("ns-{n}"), now);
            let shares = n >= NAMESPACES + 60;
            assert_eq!(turn == Turn::Yes, !shares, "{n}");
        }
        assert_eq!(quota.0.lock().unwrap().len(), NAMESPACES + 1);
        quota.take("late", now + WINDOW);
        assert_eq!(quota.0.lock().unwrap().len(), 1);
    }
}
