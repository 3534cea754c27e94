//! What the API server's answers mean to a person.

use std::error::Error;

use kube::{core::Status, runtime::watcher};

/// What a watch of `resource` (plural) failed with, the missing permission by name where it is one.
pub(super) fn of_watch(error: &watcher::Error, resource: &str) -> String {
    match error {
        watcher::Error::InitialListFailed(error) => of_request(error, "list", resource),
        watcher::Error::WatchStartFailed(error) | watcher::Error::WatchFailed(error) => {
            of_request(error, "watch", resource)
        }
        watcher::Error::WatchError(status) => of_status(status, "watch", resource),
        watcher::Error::NoResourceVersion => {
            format!("cannot watch {resource}: the answer has no resourceVersion")
        }
    }
}

/// What a request for `resource` (plural) failed with.
pub(super) fn of_request(error: &kube::Error, verb: &str, resource: &str) -> String {
    match error {
        kube::Error::Api(status) => of_status(status, verb, resource),
        // The text of what does not decode may hold a Secret.
        kube::Error::SerdeError(error) => format!(
            "cannot {verb} {resource}: the answer cannot be read (line {}, column {})",
            error.line(),
            error.column()
        ),
        other => format!("cannot {verb} {resource}: {}", chain(other)),
    }
}

fn of_status(status: &Status, verb: &str, resource: &str) -> String {
    match status.code {
        401 => format!(
            "cannot {verb} {resource}: the API server does not know this client; check its token or certificate"
        ),
        403 => format!(
            "may not {verb} {resource}: grant the verb {verb} on {resource} to cotter (RBAC); the API server says: {}",
            status.message
        ),
        code => format!("cannot {verb} {resource}: {code} {}", status.message),
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
    use super::*;

    #[test]
    fn a_missing_permission_is_named() {
        let status = Status::failure("secrets is forbidden", "Forbidden").with_code(403);
        let error = watcher::Error::InitialListFailed(kube::Error::Api(status.boxed()));
        assert_eq!(
            of_watch(&error, "secrets"),
            "may not list secrets: grant the verb list on secrets to cotter (RBAC); the API server says: \
             secrets is forbidden"
        );
    }

    #[test]
    fn an_answer_that_does_not_decode_is_not_shown() {
        let error = serde_json::from_str::<bool>("\"hunter2\"").unwrap_err();
        let said = of_request(&kube::Error::SerdeError(error), "list", "secrets");
        assert_eq!(
            said,
            "cannot list secrets: the answer cannot be read (line 1, column 9)"
        );
    }
}
