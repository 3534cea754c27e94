//! What the API server's answers mean to a person.

use std::{error::Error, fmt};

use kube::{core::Status, runtime::watcher};
use smol_str::SmolStr;

use crate::api::refusal;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target {
    /// Plural, with its group where it has one: `secrets`, `events.events.k8s.io`.
    pub resource: &'static str,
    /// One object of it; `None` for all.
    pub name: Option<SmolStr>,
    /// Where; `None` for the whole cluster, and for what is in no namespace.
    pub namespace: Option<SmolStr>,
}

/// A right that the API server did not grant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Permission {
    /// `list`.
    pub verb: &'static str,
    /// On what.
    pub target: Target,
}

/// Why a request failed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// One line for a person, with what to do.
    pub(super) text: String,
    /// The right that is missing, where that is the cause.
    pub(super) missing: Option<Permission>,
}

/// What a watch of `target` failed with.
pub(super) fn of_watch(error: &watcher::Error, target: &Target) -> Failure {
    match error {
        watcher::Error::InitialListFailed(error) => of_request(error, "list", target),
        watcher::Error::WatchStartFailed(error) | watcher::Error::WatchFailed(error) => {
            of_request(error, "watch", target)
        }
        watcher::Error::WatchError(status) => of_status(status, "watch", target),
        watcher::Error::NoResourceVersion => Failure::of_text(format!(
            "cannot watch {target}: the answer has no resourceVersion"
        )),
    }
}

/// What a request for `target` failed with.
pub(super) fn of_request(error: &kube::Error, verb: &'static str, target: &Target) -> Failure {
    match error {
        kube::Error::Api(status) => of_status(status, verb, target),
        // The text of what does not decode may hold a Secret.
        kube::Error::SerdeError(error) => Failure::of_text(format!(
            "cannot {verb} {target}: the answer cannot be read (line {}, column {})",
            error.line(),
            error.column()
        )),
        other => Failure::of_text(format!("cannot {verb} {target}: {}", chain(other))),
    }
}

fn of_status(status: &Status, verb: &'static str, target: &Target) -> Failure {
    match status.code {
        401 => Failure::of_text(format!(
            "cannot {verb} {target}: the API server does not know this client; check its token or certificate"
        )),
        403 if refusal::is_of_a_right(status) => Failure {
            text: format!(
                "may not {verb} {target}: grant the verb {verb} on {target} to cotter (RBAC); the API server says: {}",
                status.message
            ),
            missing: Some(Permission {
                verb,
                target: target.clone(),
            }),
        },
        code => Failure::of_text(format!("cannot {verb} {target}: {code} {}", status.message)),
    }
}

impl Failure {
    pub(super) fn of_text(text: String) -> Self {
        Self {
            text,
            missing: None,
        }
    }
}

impl Target {
    /// All of them, in one namespace or everywhere.
    pub(super) fn all(resource: &'static str, namespace: Option<&SmolStr>) -> Self {
        Self {
            resource,
            name: None,
            namespace: namespace.cloned(),
        }
    }

    /// One of them; `namespace` is `None` where it is in none.
    pub(super) fn one(resource: &'static str, name: &str, namespace: Option<&str>) -> Self {
        Self {
            resource,
            name: Some(name.into()),
            namespace: namespace.map(SmolStr::new),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.resource)?;
        if let Some(name) = &self.name {
            write!(f, "/{name}")?;
        }
        match &self.namespace {
            Some(namespace) => write!(f, " in namespace {namespace}"),
            None => Ok(()),
        }
    }
}

/// An error and its sources, each said once although kube's errors repeat theirs.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let said = error.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::everywhere(Target::all("secrets", None), "secrets")]
    #[case::in_one_namespace(Target::all("secrets", Some(&"shop".into())), "secrets in namespace shop")]
    #[case::one(
        Target::one("configmaps", "cotter", Some("own")),
        "configmaps/cotter in namespace own"
    )]
    fn a_missing_permission_is_named(#[case] target: Target, #[case] named: &str) {
        let status = Status::failure("secrets is forbidden", "Forbidden").with_code(403);
        let error = watcher::Error::InitialListFailed(kube::Error::Api(status.boxed()));
        let Failure { text, missing } = of_watch(&error, &target);
        assert_eq!(
            text,
            format!(
                "may not list {named}: grant the verb list on {named} to cotter (RBAC); the API server says: \
                 secrets is forbidden"
            )
        );
        let missing = missing.unwrap();
        assert_eq!((missing.verb, missing.target), ("list", target));
    }

    #[test]
    fn an_answer_that_does_not_decode_is_not_shown() {
        let error = serde_json::from_str::<bool>("\"hunter2\"").unwrap_err();
        let target = Target::all("secrets", None);
        let failure = of_request(&kube::Error::SerdeError(error), "list", &target);
        assert_eq!(
            failure.text,
            "cannot list secrets: the answer cannot be read (line 1, column 9)"
        );
    }
}
