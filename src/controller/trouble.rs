//! What the API server's refusals mean to a person.

use std::{error::Error as _, fmt};

use kube::runtime::watcher;

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
    /// Where; empty for the whole cluster, and for what is in no namespace.
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

/// What a watch of `resource` in `namespace` failed with.
pub(super) fn of_watch(error: &watcher::Error, resource: &'static str, namespace: &str) -> Trouble {
    let of = |error: &kube::Error, verb| of(error, verb, resource, namespace);
    match error {
        watcher::Error::InitialListFailed(error) => of(error, "list"),
        watcher::Error::WatchStartFailed(error) | watcher::Error::WatchFailed(error) => {
            of(error, "watch")
        }
        watcher::Error::WatchError(status) => of(&kube::Error::Api(status.clone()), "watch"),
        watcher::Error::NoResourceVersion => Trouble::from(format!(
            "cannot watch {}: the answer has no resourceVersion",
            target(resource, namespace)
        )),
    }
}

fn target(resource: &str, namespace: &str) -> String {
    match namespace {
        "" => resource.to_owned(),
        _ => format!("{resource} in namespace {namespace}"),
    }
}

fn text(error: &kube::Error, verb: &str, resource: &str, namespace: &str) -> String {
    let target = target(resource, namespace);
    match error {
        kube::Error::Api(status) if refusal::is_of_a_right(status) => format!(
            "may not {verb} {target}: grant it to cotter (RBAC); the API server says: {}",
            status.message
        ),
        kube::Error::Api(status) => {
            format!("cannot {verb} {target}: {} {}", status.code, status.message)
        }
        // The text of what does not decode may hold a Secret.
        kube::Error::SerdeError(error) => format!(
            "cannot {verb} {target}: the answer cannot be read (line {}, column {})",
            error.line(),
            error.column()
        ),
        other => {
            let mut text = format!("cannot {verb} {target}: {other}");
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
    use kube::core::Status;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::in_a_namespace("cotter-system", "leases in namespace cotter-system")]
    #[case::in_the_cluster("", "leases")]
    fn a_missing_permission_is_named(#[case] namespace: &str, #[case] said: &str) {
        let status = Status::failure("leases is forbidden", "Forbidden").with_code(403);
        let error = kube::Error::Api(status.boxed());
        let Trouble { text, missing } = of(&error, "get", "leases", namespace);
        assert_eq!(
            text,
            format!(
                "may not get {said}: grant it to cotter (RBAC); the API server says: leases is forbidden"
            )
        );
        let missing = missing.unwrap();
        let named = (missing.verb, missing.resource, &*missing.namespace);
        assert_eq!(named, ("get", "leases", namespace));
    }

    #[test]
    fn an_answer_that_does_not_decode_is_not_shown() {
        let error = serde_json::from_str::<bool>("\"hunter2\"").unwrap_err();
        let error = watcher::Error::InitialListFailed(kube::Error::SerdeError(error));
        let trouble = of_watch(&error, "secrets", "");
        assert_eq!(
            trouble.text,
            "cannot list secrets: the answer cannot be read (line 1, column 9)"
        );
    }
}
