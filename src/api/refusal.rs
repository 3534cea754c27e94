//! What a refusal of the API server is about.

use kube::core::Status;

/// Whether a right is missing: 403 is also what admission answers, for a namespace that is being deleted, a quota or
/// another webhook.
#[must_use]
pub fn is_of_a_right(status: &Status) -> bool {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let mut causes = causes.map(|cause| &*cause.reason);
    let of_admission = causes.any(|reason| reason == "NamespaceTerminating")
        || status.message.contains("exceeded quota")
        || status.message.starts_with("admission webhook")
        || status.message.contains("ValidatingAdmissionPolicy '");
    status.code == 403 && !of_admission
}

/// The verb that an apply lacks: where the object is not there yet, the API server asks for `create`, too.
#[must_use]
pub fn verb_of_apply(status: &Status) -> &'static str {
    if status.message.contains(" cannot create resource ") {
        "create"
    } else {
        "patch"
    }
}

#[cfg(test)]
mod tests {
    use kube::core::response::{StatusCause, StatusDetails};
    use rstest::rstest;

    use super::*;

    const RBAC: &str = "revisionpins.cotter.dev \"u\" is forbidden: User \"system:serviceaccount:own:cotter\" cannot \
                        create resource \"revisionpins\" in API group \"cotter.dev\" in the namespace \"shop\"";

    #[rstest]
    #[case::rbac(403, RBAC, "", true)]
    #[case::gone(404, "not found", "", false)]
    #[case::a_namespace_that_is_being_deleted(
        403,
        "revisionpins.cotter.dev \"u\" is forbidden: unable to create new content in namespace shop because it is \
         being terminated",
        "NamespaceTerminating",
        false
    )]
    #[case::a_quota(
        403,
        "revisionpins.cotter.dev \"u\" is forbidden: exceeded quota: few, requested: count/revisionpins.cotter.dev=1",
        "",
        false
    )]
    #[case::another_webhook(
        403,
        "admission webhook \"x.example.org\" denied the request: no",
        "",
        false
    )]
    #[case::a_policy(
        403,
        "registries.cotter.dev \"hub\" is forbidden: ValidatingAdmissionPolicy 'cotter-registries' with binding \
         'cotter-registries' denied request: bob may not delete the Registry hub",
        "",
        false
    )]
    fn which_refusals_are_of_a_right(
        #[case] code: u16,
        #[case] message: &str,
        #[case] cause: &str,
        #[case] expected: bool,
    ) {
        let cause = StatusCause {
            reason: cause.to_owned(),
            message: String::new(),
            field: String::new(),
        };
        let details = StatusDetails {
            causes: vec![cause],
            name: String::new(),
            group: String::new(),
            kind: String::new(),
            uid: String::new(),
            retry_after_seconds: 0,
        };
        let status = Status::failure(message, "Forbidden").with_code(code);
        assert_eq!(is_of_a_right(&status.with_details(details)), expected);
    }

    #[test]
    fn an_apply_may_lack_either_verb() {
        for (message, expected) in [
            (RBAC.to_owned(), "create"),
            (RBAC.replace("create", "patch"), "patch"),
        ] {
            let status = Status::failure(&message, "Forbidden").with_code(403);
            assert_eq!(verb_of_apply(&status), expected);
        }
    }
}
