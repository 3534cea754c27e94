//! Which revision of which workload a Pod belongs to (design §2.3: one revision, one digest).

use super::object::Metadata;

/// One version of a workload, as its Pods name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revision<'o> {
    /// The uid of the owner that manages the Pod.
    pub owner: &'o str,
    /// `controller-revision-hash`, where one owner has several revisions.
    pub hash: Option<&'o str>,
}

impl<'o> Revision<'o> {
    /// The revision of the Pod with this metadata; `None` for a bare one, or one of any other kind of owner.
    #[must_use]
    pub fn of(metadata: &'o Metadata<'_>) -> Option<Self> {
        let owner = metadata.controller()?;
        let (group, _) = owner.api_version.split_once('/').unwrap_or_default();
        // Other groups have kinds of these names; an absent version is somebody's shorthand.
        let is_in = |wanted| group == wanted || owner.api_version.is_empty();
        let hash = match &*owner.kind {
            "ReplicaSet" if is_in("apps") => None,
            "ReplicationController" if is_in("") => None,
            "Job" if is_in("batch") => None,
            "DaemonSet" | "StatefulSet" if is_in("apps") => {
                Some(metadata.labels.revision.as_deref()?)
            }
            _ => return None,
        };
        let owner = &*owner.uid;
        (!owner.is_empty()).then_some(Self { owner, hash })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::object::Object;
    use rstest::rstest;

    #[rstest]
    #[case::replica_set("apps/v1", "ReplicaSet", "", true)]
    #[case::replication_controller("v1", "ReplicationController", "", true)]
    #[case::job("batch/v1", "Job", "", true)]
    #[case::daemon_set("apps/v1", "DaemonSet", "5d8", true)]
    #[case::stateful_set("apps/v1", "StatefulSet", "web-5d8", true)]
    #[case::stateful_set_without_a_hash("apps/v1", "StatefulSet", "", false)]
    #[case::somebody_elses_job("batch.volcano.sh/v1alpha1", "Job", "", false)]
    #[case::somebody_elses_stateful_set("apps.kruise.io/v1beta1", "StatefulSet", "5d8", false)]
    #[case::another_kind("argoproj.io/v1alpha1", "Workflow", "", false)]
    fn of(#[case] version: &str, #[case] kind: &str, #[case] hash: &str, #[case] known: bool) {
        let labels = if hash.is_empty() {
            "null".to_owned()
        } else {
            format!(r#"{{"controller-revision-hash":"{hash}"}}"#)
        };
        let owner =
            format!(r#"{{"apiVersion":"{version}","kind":"{kind}","uid":"u","controller":true}}"#);
        let object = format!(r#"{{"metadata":{{"labels":{labels},"ownerReferences":[{owner}]}}}}"#);
        let object: Object<'_> = crate::domain::json::read(&object).unwrap();
        let expected = known.then_some(Revision {
            owner: "u",
            hash: (!hash.is_empty()).then_some(hash),
        });
        assert_eq!(Revision::of(&object.metadata), expected);
    }

    #[test]
    fn an_owner_that_does_not_manage_the_pod_is_none() {
        let object = r#"{"metadata":{"ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","uid":"u"}]}}"#;
        let object: Object<'_> = crate::domain::json::read(object).unwrap();
        assert_eq!(Revision::of(&object.metadata), None);
    }
}
