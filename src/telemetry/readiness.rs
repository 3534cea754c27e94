//! What a replica waits for before it wants traffic. Each part that must come first registers a check by name and
//! keeps its state; whoever serves `/readyz` reads them all. This module serves nothing itself.

use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

/// All checks of the process; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Readiness {
    checks: Arc<Mutex<Vec<Check>>>,
}

/// The owner's side of one check; clones set the same check.
#[derive(Clone, Debug)]
pub struct Handle {
    checks: Arc<Mutex<Vec<Check>>>,
    index: usize,
}

/// One check as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What is checked, a few words.
    pub name: Cow<'static, str>,
    /// What is still missing, one line; `None` once the check has passed.
    pub waits_for: Option<Cow<'static, str>>,
    /// What is wrong although the check has passed, one line.
    pub flaw: Option<Cow<'static, str>>,
}

// === impl Readiness ===

impl Readiness {
    /// Adds a check, which has not passed until its handle says so.
    #[must_use]
    pub fn check(&self, name: impl Into<Cow<'static, str>>) -> Handle {
        let mut checks = self.checks.lock().unwrap_or_else(PoisonError::into_inner);
        checks.push(Check {
            name: name.into(),
            waits_for: Some(Cow::Borrowed("has not started")),
            flaw: None,
        });
        Handle {
            checks: Arc::clone(&self.checks),
            index: checks.len() - 1,
        }
    }

    /// Every check as it stands, in the order of registration.
    #[must_use]
    pub fn checks(&self) -> Vec<Check> {
        self.checks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Whether every check has passed.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.checks().iter().all(|check| check.waits_for.is_none())
    }
}

// === impl Handle ===

impl Handle {
    /// The check has passed.
    pub fn pass(&self) {
        self.set(Ok(()));
    }

    /// The check has passed, and something is wrong all the same; `flaw` is one line for a person.
    pub fn pass_with(&self, flaw: impl Into<Cow<'static, str>>) {
        self.replace(None, Some(flaw.into()));
    }

    /// The check has not passed, or no longer passes; `reason` is one line for a person.
    pub fn wait_for(&self, reason: impl Into<Cow<'static, str>>) {
        self.set(Err(reason.into()));
    }

    /// Sets the state of the check: passed, or the reason why not.
    pub fn set(&self, state: Result<(), Cow<'static, str>>) {
        self.replace(state.err(), None);
    }

    fn replace(&self, waits_for: Option<Cow<'static, str>>, flaw: Option<Cow<'static, str>>) {
        let mut checks = self.checks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(check) = checks.get_mut(self.index) {
            check.waits_for = waits_for;
            check.flaw = flaw;
        }
    }
}

// === impl Check ===

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.waits_for, &self.flaw) {
            (None, None) => write!(f, "[+] {}", self.name),
            (None, Some(flaw)) => write!(f, "[!] {}: {flaw}", self.name),
            (Some(reason), _) => write!(f, "[-] {}: {reason}", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_means_every_check_passed() {
        let readiness = Readiness::default();
        let (one, two) = (readiness.check("certificate"), readiness.check("watches"));
        one.pass();
        assert!(!readiness.is_ready());
        two.clone().pass();
        assert!(readiness.is_ready());
        two.wait_for("namespaces not listed");
        let lines = || -> Vec<_> { readiness.checks().iter().map(Check::to_string).collect() };
        assert_eq!(
            lines(),
            ["[+] certificate", "[-] watches: namespaces not listed"]
        );
        two.pass_with("may not watch namespaces");
        assert!(readiness.is_ready());
        assert_eq!(
            lines(),
            ["[+] certificate", "[!] watches: may not watch namespaces"]
        );
    }
}
