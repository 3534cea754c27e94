//! Whether a `Registry` may be deleted: not while Pods name a pull secret that would go with it.

use std::collections::BTreeSet;

use futures_util::future::BoxFuture;
use thiserror::Error;

use super::review::Old;
use crate::{
    api::{labels::DELETE_IN_USE, registry},
    domain::warning::clean,
};

/// Names of Pods in a refusal: enough to see whose they are, few enough for one line.
const NAMED: usize = 5;

/// Counts who needs a registry.
pub trait Users: Send + Sync + 'static {
    /// The Pods that have not ended and name a pull secret of `registry`, as they are now.
    fn pods<'a>(&'a self, registry: &'a str) -> BoxFuture<'a, Result<Pods, Uncounted>>;
}

/// Pods: how many, and the first of them by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pods {
    count: usize,
    first: BTreeSet<String>,
}

/// Why nobody could count; one line for a person.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{0}")]
pub struct Uncounted(pub String);

/// A registry that somebody wants to delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Deletion {
    pub(super) name: String,
    /// What becomes of the pull secrets.
    pull_secrets: registry::Deletion,
    /// Whether it is to be deleted even if it is in use.
    forced: bool,
}

// === impl Pods ===

impl Pods {
    /// One more Pod.
    pub fn add(&mut self, namespace: &str, name: &str) {
        self.count += 1;
        self.first.insert(format!("{namespace}/{name}"));
        if self.first.len() > NAMED {
            self.first.pop_last();
        }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// The first of them, and that there are more.
    fn names(&self) -> String {
        let names: Vec<&str> = self.first.iter().map(String::as_str).collect();
        let more = self.count.saturating_sub(names.len());
        let names = names.join(", ");
        if more == 0 {
            names
        } else {
            format!("{names} and {more} more")
        }
    }
}

// === impl Deletion ===

impl Deletion {
    pub(super) fn of(old: Old) -> Self {
        let annotations = old.metadata.annotations.unwrap_or_default();
        Self {
            name: old.metadata.name,
            pull_secrets: old.spec.deletion,
            forced: annotations
                .get(DELETE_IN_USE)
                .is_some_and(|said| said == "true"),
        }
    }

    /// Whether pull secrets go with it that somebody may need.
    pub(super) fn takes_pull_secrets(&self) -> bool {
        self.pull_secrets == registry::Deletion::Delete && !self.forced
    }

    /// Why it is not deleted, with what to do; `None` where nobody needs it.
    pub(super) fn judge(&self, counted: &Result<Pods, Uncounted>) -> Option<String> {
        let name = &self.name;
        let anyway = format!(
            "to delete it all the same, annotate it first: kubectl annotate registries.cotter.dev {name} {DELETE_IN_USE}=true"
        );
        match counted {
            Ok(pods) if pods.count == 0 => None,
            Ok(pods) => {
                let many = if pods.count == 1 {
                    "1 Pod names its pull secret".to_owned()
                } else {
                    format!("{} Pods name its pull secret", pods.count)
                };
                let names = pods.names();
                Some(format!(
                    "Registry {name} is in use: {many}, which would go with it ({names}); \
                     end these Pods, or set spec.deletion to Retain, which leaves the pull secrets where they are; {anyway}"
                ))
            }
            Err(Uncounted(why)) => Some(format!(
                "Registry {name} may be in use: cotter cannot count the Pods that name its pull secret: {}; \
                 try again when that is mended; {anyway}",
                clean(why)
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    fn deletion(annotations: &Value, deletion: &str) -> Deletion {
        let old = json!({"metadata": {"name": "hub", "annotations": annotations}, "spec": {"type": "GHCR", "deletion": deletion}});
        Deletion::of(serde_json::from_value(old).unwrap())
    }

    fn pods(names: &[&str]) -> Pods {
        let mut pods = Pods::default();
        for name in names {
            pods.add("shop", name);
        }
        pods
    }

    #[rstest]
    #[case::ordinary(json!({}), "Delete", true)]
    #[case::retain(json!({}), "Retain", false)]
    #[case::forced(json!({"cotter.dev/delete-in-use": "true"}), "Delete", false)]
    #[case::only_true_counts(json!({"cotter.dev/delete-in-use": "yes"}), "Delete", true)]
    #[case::nothing(json!({"cotter.dev/delete-in-use": ""}), "Delete", true)]
    fn is_counted(#[case] annotations: Value, #[case] kind: &str, #[case] expected: bool) {
        assert_eq!(deletion(&annotations, kind).takes_pull_secrets(), expected);
    }

    #[rstest]
    #[case::one(&["web"], "Registry hub is in use: 1 Pod names its pull secret, which would go with it (shop/web);")]
    #[case::two(&["web", "api"], "is in use: 2 Pods name its pull secret, which would go with it (shop/api, shop/web);")]
    #[case::many(&["g", "f", "e", "d", "c", "b", "a"], "7 Pods name its pull secret, which would go with it (shop/a, shop/b, shop/c, shop/d, shop/e and 2 more);")]
    fn a_refusal_says_who_needs_it(#[case] names: &[&str], #[case] said: &str) {
        let refusal = deletion(&json!({}), "Delete")
            .judge(&Ok(pods(names)))
            .unwrap();
        assert!(refusal.contains(said), "{refusal}");
        let ends = "kubectl annotate registries.cotter.dev hub cotter.dev/delete-in-use=true";
        assert!(refusal.ends_with(ends), "{refusal}");
    }

    #[test]
    fn what_nobody_needs_goes_and_what_nobody_could_count_stays() {
        let hub = deletion(&json!({}), "Delete");
        assert_eq!(hub.judge(&Ok(Pods::default())), None);
        let why = Uncounted("may not list pods".to_owned());
        let refusal = hub.judge(&Err(why)).unwrap();
        let said = "Registry hub may be in use: cotter cannot count the Pods that name its pull secret: may not list pods;";
        assert!(refusal.starts_with(said), "{refusal}");
        assert!(
            refusal.contains("cotter.dev/delete-in-use=true"),
            "{refusal}"
        );
    }
}
