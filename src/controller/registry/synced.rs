//! What a pass over the namespaces of a `Registry` came to, and how that reads.

use super::{conditions::Side, places::Places};
use crate::{api::registry::Registry, controller::trouble::Trouble};

/// How many namespaces or troubles a message names.
const NAMED: usize = 5;

/// What a pass came to.
#[derive(Debug, Default)]
pub(super) struct Synced {
    /// Namespaces whose pull secret is as it should be.
    pub(super) in_sync: usize,
    /// Namespaces in which somebody else keeps a Secret of that name, and which Registry, where it is one.
    pub(super) conflicts: Vec<(String, Option<String>)>,
    /// Namespaces in which somebody keeps changing it, and who, where that is known.
    pub(super) contested: Vec<(String, Option<String>)>,
    /// Namespaces that are left and whose Pods still name the pull secret.
    pub(super) still_named: Vec<String>,
    /// What failed.
    pub(super) troubles: Vec<Trouble>,
}

// === impl Synced ===

impl Synced {
    /// How the pull secrets stand. `is_proven`: it is known what they are to hold.
    pub(super) fn side(&self, registry: &Registry, places: &Places, is_proven: bool) -> Side {
        let name = registry.pull_secret_name();
        let mut wrong = self.wrong(name, places);
        if let Some((reason, _)) = wrong.first() {
            let reason = *reason;
            let mut said = vec![self.count(name, places)];
            said.extend(wrong.drain(..).map(|(_, said)| said));
            return Side::bad(reason, said.join(". "));
        }
        if !is_proven && self.in_sync < places.desired {
            return Side::unknown("Waiting", "waits for a credential that works");
        }
        let mut said = self.count(name, places);
        if !self.still_named.is_empty() {
            said = format!(
                "{said}; it stays in {}, which get it no more, until no Pod names it",
                named(&self.still_named)
            );
        }
        Side::good("Synced", said)
    }

    fn count(&self, name: &str, places: &Places) -> String {
        let (in_sync, desired) = (self.in_sync, places.desired);
        format!("{name} is in {in_sync} of {desired} namespaces")
    }

    /// All that is wrong, each with its reason, most important first.
    fn wrong(&self, name: &str, places: &Places) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        let troubles: Vec<&Trouble> = places.hidden.iter().chain(&self.troubles).collect();
        if !troubles.is_empty() {
            let is_denied = troubles.iter().any(|trouble| trouble.missing.is_some());
            let reason = if is_denied { "Forbidden" } else { "Failed" };
            let texts: Vec<_> = troubles
                .iter()
                .map(|trouble| trouble.text.clone())
                .collect();
            wrong.push((reason, listed(&texts, "; ")));
        }
        let by = self.conflicts.iter().map(|(_, by)| by.as_deref());
        let mut keepers: Vec<Option<&str>> = by.collect();
        keepers.sort();
        keepers.dedup();
        for keeper in keepers {
            let there = named(&those(&self.conflicts, keeper));
            let said = match keeper {
                Some(other) => format!(
                    "Registry {other} keeps the Secret {name} in {there}: choose another spec.pullSecret.name for one of the \
                     two, or take these namespaces out of one"
                ),
                None => format!(
                    "a Secret {name} that is not this Registry's stands in {there}: delete it, or choose another \
                     spec.pullSecret.name"
                ),
            };
            wrong.push(("Conflict", said));
        }
        for (namespace, by) in self.contested.iter().take(NAMED) {
            let by = match by {
                Some(by) => format!("{by} keeps"),
                None => "somebody keeps".to_owned(),
            };
            wrong.push((
                "Contested",
                format!(
                    "{by} changing or deleting {name} in {namespace}: cotter puts it back less and less often; take the \
                     Secret out of what it looks after, or choose another spec.pullSecret.name"
                ),
            ));
        }
        if !places.outside.is_empty() {
            let there = named(&places.outside);
            let said = format!(
                "{there}: not among the namespaces that cotter looks after; add them there (rbac.namespaces of the chart, \
                 --watch-namespaces), or take them out of spec.namespaces"
            );
            wrong.push(("NotWatched", said));
        }
        wrong
    }
}

fn those(conflicts: &[(String, Option<String>)], keeper: Option<&str>) -> Vec<String> {
    let of_it = conflicts.iter().filter(|(_, by)| by.as_deref() == keeper);
    of_it.map(|(namespace, _)| namespace.clone()).collect()
}

fn named(namespaces: &[String]) -> String {
    listed(namespaces, ", ")
}

/// The first few, and how many more.
fn listed(all: &[String], between: &str) -> String {
    let first: Vec<_> = all.iter().take(NAMED).map(String::as_str).collect();
    match all.len().saturating_sub(NAMED) {
        0 => first.join(between),
        more => format!("{} and {more} more", first.join(between)),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::{api::registry::RegistrySpec, controller::trouble::Right};

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn trouble(is_denied: bool) -> Trouble {
        Trouble {
            text: "may not patch secrets in namespace bank: …".to_owned(),
            missing: is_denied.then(|| Right {
                verb: "patch",
                resource: "secrets",
                namespace: "bank".to_owned(),
            }),
        }
    }

    fn conflict(by: Option<&str>) -> Synced {
        let by = by.map(str::to_owned);
        Synced {
            in_sync: 1,
            conflicts: vec![("bank".to_owned(), by)],
            ..Synced::default()
        }
    }

    #[rstest]
    #[case::a_right(Synced { troubles: vec![trouble(true)], ..Synced::default() }, "Forbidden", "may not patch secrets in namespace bank")]
    #[case::another_failure(Synced { troubles: vec![trouble(false)], ..Synced::default() }, "Failed", "regcred is in 0 of 2 namespaces. may")]
    #[case::somebody_elses(
        conflict(None),
        "Conflict",
        "that is not this Registry's stands in bank: delete it"
    )]
    #[case::another_registrys(
        conflict(Some("old")),
        "Conflict",
        "Registry old keeps the Secret regcred in bank: choose"
    )]
    #[case::contested(Synced { contested: vec![("bank".to_owned(), Some("argocd".to_owned()))], ..Synced::default() }, "Contested", "argocd keeps changing or deleting regcred in bank")]
    fn what_is_wrong_is_told_with_what_to_do(
        #[case] synced: Synced,
        #[case] reason: &str,
        #[case] said: &str,
    ) {
        let mut registry = Registry::new("my-ghcr", RegistrySpec::default());
        registry.spec.pull_secret.name = Some("regcred".to_owned());
        let places = Places {
            desired: 2,
            ..Places::default()
        };
        let side = synced.side(&registry, &places, true);
        assert_eq!((side.holds, side.reason), (Some(false), reason));
        assert!(side.message.contains(said), "{}", side.message);
    }

    #[test]
    fn namespaces_that_cotter_was_not_told_of_are_named() {
        let registry = Registry::new("my-ghcr", RegistrySpec::default());
        let places = Places {
            outside: names(&["a", "b", "c", "d", "e", "f", "g"]),
            desired: 7,
            ..Places::default()
        };
        let side = Synced::default().side(&registry, &places, true);
        assert_eq!(side.reason, "NotWatched");
        let start = "my-ghcr is in 0 of 7 namespaces. a, b, c, d, e and 2 more: not among";
        assert!(side.message.starts_with(start), "{}", side.message);
    }
}
