//! What the API server's refusals mean to a person.

use std::error::Error as _;

/// What a request for `resource` (plural) in `namespace` failed with, the missing permission by name where it is one.
pub(super) fn of(error: &kube::Error, verb: &str, resource: &str, namespace: &str) -> String {
    match error {
        kube::Error::Api(status) if status.code == 403 => format!(
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
        assert_eq!(
            of(
                &kube::Error::Api(status.boxed()),
                "get",
                "leases",
                "cotter-system"
            ),
            "may not get leases in namespace cotter-system: grant it to cotter (RBAC); the API server says: \
             leases is forbidden"
        );
    }
}
