//! `RevisionPin`: the digests of one owner revision, kept while the revision exists and not only while a Pod of it
//! does (design §2.3). Written by cotter alone, one for each revision.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{CustomResource, CustomResourceExt as _, core::ObjectMeta};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::domain::{
    digest::Digest,
    revision::{OwnerKind, OwnerRevision, SlotPin},
};

/// What the Pods of one revision of a workload run.
#[derive(
    CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema,
)]
#[kube(
    group = "cotter.dev",
    version = "v1alpha1",
    kind = "RevisionPin",
    plural = "revisionpins",
    namespaced,
    doc = "The digests that the Pods of one revision of a workload run. Kept by cotter; goes with its owner.",
    printcolumn = r#"{"name":"Kind","type":"string","jsonPath":".spec.workload.kind"}"#,
    printcolumn = r#"{"name":"Workload","type":"string","jsonPath":".spec.workload.name"}"#,
    printcolumn = r#"{"name":"Revision","type":"string","jsonPath":".spec.workload.revision"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
pub struct RevisionPinSpec {
    /// The workload that controls the Pods.
    #[serde(default)]
    pub workload: WorkloadRef,
    /// What each slot was pinned to.
    #[serde(default)]
    #[schemars(length(max = 1024))]
    pub images: Vec<PinnedImage>,
}

/// The workload that controls the Pods, and which revision of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WorkloadRef {
    /// Its kind.
    #[serde(default)]
    pub kind: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Its uid.
    #[serde(default)]
    pub uid: String,
    /// The `controller-revision-hash` of the Pods of a DaemonSet or a StatefulSet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
}

/// What one slot was pinned to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PinnedImage {
    /// The container's name, or `volumes/` and the volume's.
    #[serde(default)]
    pub slot: String,
    /// The reference as the workload's template writes it.
    #[serde(default)]
    pub from: String,
    /// The digest of its Pods.
    #[serde(default)]
    pub digest: String,
}

/// A workload, as its Pods name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    /// Its kind.
    pub kind: OwnerKind,
    /// Its name.
    pub name: SmolStr,
}

/// What the Pods of a revision run, to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Learned {
    /// Which revision.
    pub revision: OwnerRevision,
    /// The workload that it is a revision of.
    pub workload: Workload,
    /// What its slots are pinned to.
    pub slots: Vec<SlotPin>,
}

// === impl RevisionPin ===

impl RevisionPin {
    /// A pin of this name that records `learned`.
    #[must_use]
    pub fn of(name: &str, learned: &Learned) -> Self {
        let Learned {
            revision,
            workload,
            slots,
        } = learned;
        let image = |pin: &SlotPin| PinnedImage {
            slot: pin.slot.to_string(),
            from: pin.text.to_string(),
            digest: pin.digest.as_str().to_owned(),
        };
        Self {
            metadata: ObjectMeta {
                name: Some(name.to_owned()),
                namespace: Some(revision.namespace.to_string()),
                ..ObjectMeta::default()
            },
            spec: RevisionPinSpec {
                workload: WorkloadRef {
                    kind: workload.kind.as_str().to_owned(),
                    name: workload.name.to_string(),
                    uid: revision.owner.to_string(),
                    revision: revision.hash.as_ref().map(SmolStr::to_string),
                },
                images: slots.iter().map(image).collect(),
            },
        }
    }

    /// The revision that it speaks of.
    #[must_use]
    pub fn revision(&self) -> OwnerRevision {
        let workload = &self.spec.workload;
        OwnerRevision {
            namespace: self
                .metadata
                .namespace
                .as_deref()
                .unwrap_or_default()
                .into(),
            owner: (&*workload.uid).into(),
            hash: workload.revision.as_deref().map(Into::into),
        }
    }

    /// What it records, in the order of the slots' names; without what no digest can be read of.
    #[must_use]
    pub fn slots(&self) -> Vec<SlotPin> {
        let pin = |image: &PinnedImage| {
            Some(SlotPin {
                slot: (&*image.slot).into(),
                text: (&*image.from).into(),
                digest: Digest::parse(&image.digest).ok()?,
            })
        };
        let mut slots: Vec<_> = self.spec.images.iter().filter_map(pin).collect();
        slots.sort_by(|a, b| a.slot.cmp(&b.slot));
        slots.dedup_by(|a, b| a.slot == b.slot);
        slots
    }

    /// The definition of the kind, for the API server.
    #[must_use]
    pub fn definition() -> CustomResourceDefinition {
        Self::crd()
    }
}
