//! What the API server's no to a person means.

use kube::core::Status;

use crate::{
    api::refusal,
    cluster::errors::{Target, of_request},
};

/// Why a request came to nothing, with what to do. No text shows a value of a Secret.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    /// No `Registry` has this name.
    #[error("there is no Registry {name}{}; cotter registry list shows those that there are", meant(.nearest.as_deref()))]
    NotFound {
        /// Which one was asked for.
        name: String,
        /// The one that may have been meant.
        nearest: Option<String>,
    },
    /// The API server does not know the kind.
    #[error(
        "the cluster does not know the kind Registry: install cotter there (helm install cotter charts/cotter -n \
         cotter-system --create-namespace), or its definitions alone (cotter crd | kubectl apply --server-side -f -)"
    )]
    NoKind,
    /// What is asked for is not there, or the namespace of it.
    #[error("{0}")]
    Missing(String),
    /// There is one of this name, or somebody has changed it in between.
    #[error("{0}")]
    Conflict(String),
    /// Admission has refused it: the guard of registries, a policy, another webhook. In its own words.
    #[error("{0}")]
    Denied(String),
    /// Anything else: a right that is missing, an API server that does not answer.
    #[error("{0}")]
    Failed(String),
}

fn meant(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; {name} is meant?"))
}

/// What a request for `target` failed with.
pub(super) fn of(error: &kube::Error, verb: &'static str, target: &Target) -> ObjectError {
    let kube::Error::Api(status) = error else {
        return ObjectError::Failed(of_request(error, verb, target).text);
    };
    let said = format!("cannot {verb} {target}: {}", status.message);
    match status.code {
        404 if is_of_kind(status) => ObjectError::NoKind,
        404 => ObjectError::Missing(said),
        409 => ObjectError::Conflict(said),
        403 if refusal::is_of_a_right(status) => ObjectError::Failed(format!(
            "may not {verb} {target}: this needs the verb {verb} on {} (RBAC); the API server says: {}",
            target.resource, status.message
        )),
        403 => ObjectError::Denied(status.message.clone()),
        _ => ObjectError::Failed(of_request(error, verb, target).text),
    }
}

/// Whether it is the kind that is not there, and not one object of it.
fn is_of_kind(status: &Status) -> bool {
    status.message.contains("404 page not found")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const GUARD: &str = "admission webhook \"deletion.registries.cotter.dev\" denied the request: Registry hub is in use";

    #[rstest]
    #[case::no_kind(404, "404 page not found", ObjectError::NoKind)]
    #[case::no_namespace(404, "namespaces \"own\" not found", ObjectError::Missing("cannot get registries.cotter.dev/hub: namespaces \"own\" not found".to_owned()))]
    #[case::the_guard(403, GUARD, ObjectError::Denied(GUARD.to_owned()))]
    #[case::rbac(403, "User \"eve\" cannot get resource \"registries\"", ObjectError::Failed(
        "may not get registries.cotter.dev/hub: this needs the verb get on registries.cotter.dev (RBAC); the API server says: \
         User \"eve\" cannot get resource \"registries\"".to_owned()))]
    fn means(#[case] code: u16, #[case] message: &str, #[case] expected: ObjectError) {
        let status = Status::failure(message, "").with_code(code);
        let target = Target::one("registries.cotter.dev", "hub", None);
        let error = of(&kube::Error::Api(status.boxed()), "get", &target);
        assert_eq!(error, expected);
    }

    #[test]
    fn a_name_that_is_spelled_alike_is_told() {
        let error = |nearest: Option<&str>| ObjectError::NotFound {
            name: "my-ghrc".to_owned(),
            nearest: nearest.map(str::to_owned),
        };
        let said = error(Some("my-ghcr")).to_string();
        assert!(
            said.starts_with("there is no Registry my-ghrc; my-ghcr is meant?;"),
            "{said}"
        );
        let said = error(None).to_string();
        assert!(
            said.starts_with("there is no Registry my-ghrc; cotter registry list"),
            "{said}"
        );
    }
}
