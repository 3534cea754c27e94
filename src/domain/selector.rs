//! Label selectors, as the API server evaluates them.

use std::collections::BTreeMap;

/// Labels of an object.
pub type Labels = BTreeMap<String, String>;

/// What labels have to be; all of it has to hold, and nothing always does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector(pub Vec<Requirement>);

/// A condition on one label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// The label.
    pub key: String,
    /// What its value has to be.
    pub wanted: Wanted,
}

/// What the value of a label has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// One of these.
    In(Vec<String>),
    /// None of these; the label may be missing.
    NotIn(Vec<String>),
    /// Anything.
    Exists,
    /// The label has to be missing.
    DoesNotExist,
}

// === impl Selector ===

impl Selector {
    /// Whether an object with these labels is meant.
    #[must_use]
    pub fn matches(&self, labels: &Labels) -> bool {
        self.0.iter().all(|requirement| {
            let value = labels.get(&requirement.key);
            match &requirement.wanted {
                Wanted::In(values) => value.is_some_and(|value| values.contains(value)),
                Wanted::NotIn(values) => value.is_none_or(|value| !values.contains(value)),
                Wanted::Exists => value.is_some(),
                Wanted::DoesNotExist => value.is_none(),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn values(values: &[&str]) -> Vec<String> {
        values.iter().map(ToString::to_string).collect()
    }

    #[rstest]
    #[case::one_of_them(Wanted::In(values(&["a", "b"])), Some("b"), true)]
    #[case::another(Wanted::In(values(&["a"])), Some("b"), false)]
    #[case::missing(Wanted::In(values(&["a"])), None, false)]
    #[case::not_another(Wanted::NotIn(values(&["a"])), Some("b"), true)]
    #[case::not_missing(Wanted::NotIn(values(&["a"])), None, true)]
    #[case::not_it(Wanted::NotIn(values(&["a"])), Some("a"), false)]
    #[case::there(Wanted::Exists, Some(""), true)]
    #[case::not_there(Wanted::Exists, None, false)]
    #[case::unwanted(Wanted::DoesNotExist, Some("a"), false)]
    #[case::rightly_missing(Wanted::DoesNotExist, None, true)]
    fn conditions(#[case] wanted: Wanted, #[case] value: Option<&str>, #[case] expected: bool) {
        let labels: Labels = value
            .map(|value| ("team".to_owned(), value.to_owned()))
            .into_iter()
            .collect();
        let requirement = Requirement {
            key: "team".to_owned(),
            wanted,
        };
        assert_eq!(Selector(vec![requirement]).matches(&labels), expected);
    }

    #[test]
    fn an_empty_selector_means_all() {
        assert!(Selector::default().matches(&Labels::new()));
    }
}
