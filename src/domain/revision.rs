//! Which revision of which workload a Pod belongs to (design §2.3: one revision, one digest).

use smol_str::SmolStr;

use super::{digest::Digest, object::Metadata};

/// One version of a workload, as its Pods name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revision<'o> {
    /// The kind of the owner that manages the Pod.
    pub kind: OwnerKind,
    /// Its uid.
    pub owner: &'o str,
    /// `controller-revision-hash`, where one owner has several revisions.
    pub hash: Option<&'o str>,
}

/// The kinds of owner whose Pods share a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OwnerKind {
    /// `apps/v1 ReplicaSet`.
    ReplicaSet,
    /// `v1 ReplicationController`.
    ReplicationController,
    /// `batch/v1 Job`.
    Job,
    /// `apps/v1 DaemonSet`.
    DaemonSet,
    /// `apps/v1 StatefulSet`.
    StatefulSet,
}

/// What tells one revision of one workload from every other in the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OwnerRevision {
    /// The namespace of its Pods.
    pub namespace: SmolStr,
    /// The uid of the owner that manages them.
    pub owner: SmolStr,
    /// `controller-revision-hash`, where one owner has several revisions.
    pub hash: Option<SmolStr>,
}

/// What one slot of a Pod was pinned to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotPin {
    /// The slot, as `cotter.dev/images` names it.
    pub slot: SmolStr,
    /// The reference as the owner's template writes it.
    pub text: SmolStr,
    /// What it was pinned to.
    pub digest: Digest,
}

// === impl Revision ===

impl<'o> Revision<'o> {
    /// The revision of the Pod with this metadata; `None` for a bare one, or one of any other kind of owner.
    #[must_use]
    pub fn of(metadata: &'o Metadata<'_>) -> Option<Self> {
        let owner = metadata.controller()?;
        let (group, _) = owner.api_version.split_once('/').unwrap_or_default();
        // Other groups have kinds of these names; an absent version is somebody's shorthand.
        let is_in = |wanted| group == wanted || owner.api_version.is_empty();
        let kind = match &*owner.kind {
            "ReplicaSet" if is_in("apps") => OwnerKind::ReplicaSet,
            "ReplicationController" if is_in("") => OwnerKind::ReplicationController,
            "Job" if is_in("batch") => OwnerKind::Job,
            "DaemonSet" if is_in("apps") => OwnerKind::DaemonSet,
            "StatefulSet" if is_in("apps") => OwnerKind::StatefulSet,
            _ => return None,
        };
        let hash = match kind {
            OwnerKind::DaemonSet | OwnerKind::StatefulSet => {
                Some(metadata.labels.revision.as_deref()?)
            }
            _ => None,
        };
        let owner = &*owner.uid;
        (!owner.is_empty()).then_some(Self { kind, owner, hash })
    }
}

// === impl OwnerKind ===

impl OwnerKind {
    /// As Kubernetes spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReplicaSet => "ReplicaSet",
            Self::ReplicationController => "ReplicationController",
            Self::Job => "Job",
            Self::DaemonSet => "DaemonSet",
            Self::StatefulSet => "StatefulSet",
        }
    }

    /// The group and version of the kind.
    #[must_use]
    pub fn api_version(self) -> &'static str {
        match self {
            Self::ReplicaSet | Self::DaemonSet | Self::StatefulSet => "apps/v1",
            Self::ReplicationController => "v1",
            Self::Job => "batch/v1",
        }
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
        let revision = Revision::of(&object.metadata);
        let found = revision.map(|r| (format!("{:?}", r.kind), r.owner, r.hash));
        let hash = (!hash.is_empty()).then_some(hash);
        assert_eq!(found, known.then(|| (kind.to_owned(), "u", hash)));
    }

    #[test]
    fn an_owner_that_does_not_manage_the_pod_is_none() {
        let object = r#"{"metadata":{"ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","uid":"u"}]}}"#;
        let object: Object<'_> = crate::domain::json::read(object).unwrap();
        assert_eq!(Revision::of(&object.metadata), None);
    }
}
