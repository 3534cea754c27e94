//! What the API server's refusals mean to a person.

use std::{error::Error as _, fmt};

use crate::api::refusal;

/// What a request failed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// One line for a person.
    pub text: String,
    /// The right that is missing, where that is the cause.
    pub missing: Option<Right>,
}

/// A right that the API server did not grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Right {
    /// `get`.
    pub verb: &'static str,
    /// On what: plural, with its group where it has one.
    pub resource: &'static str,
    /// Where.
    pub namespace: String,
}

// === impl Trouble ===

impl From<String> for Trouble {
    fn from(text: String) -> Self {
        Self {
            text,
            missing: None,
        }
    }
}

impl std::error::Error for Trouble {}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What a request for `resource` (plural) in `namespace` failed with, the missing permission by name where it is one.
pub(super) fn of(
    error: &kube::Error,
    verb: &'static str,
    resource: &'static str,
    namespace: &str,
) -> Trouble {
    let is_denied = matches!(error, kube::Error::Api(status) if refusal::is_of_a_right(status));
    Trouble {
        text: text(error, verb, resource, namespace),
        missing: is_denied.then(|| Right {
            verb,
            resource,
            namespace: namespace.to_owned(),
        }),
    }
}

fn text(error: &kube::Error, verb: &str, resource: &str, namespace: &str) -> String {
    match error {
        kube::Error::Api(status) if refusal::is_of_a_right(status) => format!(
            "may not {verb} {resource} in namespace {namespace}: grant it to cotter (RBAC); the API server says: {}",
            status.message
        ),
        kube::Error::Api(status) => format!(
            "cannot {verb} {resource} in namespace {namespace}: {} {}",
            status.code, status.message
        ),
        other => {
            let mut text = format!("cannot {verb} {resource} in namespace {namespace}: {other}");
            let mut source = other.source();
            while let Some(error) = source {
                let said = error.to_string();
                // kube's errors repeat their sources.
                if !text.contains(&said) {
                    text = format!("{text}: {said}");
                }
                source = error.source();
            }
            text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::core::Status;

    #[test]
    fn a_missing_permission_is_named() {
        let status = Status::failure("leases is forbidden", "Forbidden").with_code(403);
        let error = kube::Error::Api(status.boxed());
        let Trouble { text, missing } = of(&error, "get", "leases", "cotter-system");
        assert_eq!(
            text,
            "may not get leases in namespace cotter-system: grant it to cotter (RBAC); the API server says: \
             leases is forbidden"
        );
        let missing = missing.unwrap();
        let named = (missing.verb, missing.resource, &*missing.namespace);
        assert_eq!(named, ("get", "leases", "cotter-system"));
    }
}
