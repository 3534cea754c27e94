//! The watch of pinned Pods, metadata only: which revision each belongs to, and what its slots were pinned to.

use std::{borrow::Cow, collections::HashSet, sync::Arc};

use jiff::Timestamp;
use kube::{
    Resource,
    core::{NamespaceResourceScope, ObjectMeta},
};
use serde::Deserialize;
use smol_str::SmolStr;

use super::{
    siblings::{PodSeen, Scope, SiblingIndex, Slots},
    watch::Sink,
};
use crate::{
    api::revision_pin::Workload,
    domain::{
        images::{Change, Changes},
        object::{Labels, Metadata, OwnerReference, Text},
        revision::{OwnerRevision, Revision, SlotPin},
    },
};

/// Slots of one Pod that are kept, and the characters of a slot's name and of its text. A container's name has at
/// most 63, a reference 255 + 1 + 127; beyond that somebody scribbled.
const MOST_SLOTS: usize = 1024;
const LONGEST_SLOT: usize = 128;
const LONGEST_TEXT: usize = 512;

/// A Pod's metadata; `None` where it is nobody's sibling.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "RawPod")]
pub(super) struct PodObject {
    meta: ObjectMeta,
    pod: Option<PodSeen>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawPod {
    metadata: RawMeta,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawMeta {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    creation_timestamp: Option<String>,
    labels: Option<RawLabels>,
    annotations: Option<RawAnnotations>,
    owner_references: Option<Vec<RawOwner>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawLabels {
    #[serde(rename = "controller-revision-hash")]
    revision: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawAnnotations {
    #[serde(rename = "cotter.dev/images")]
    images: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawOwner {
    api_version: String,
    kind: String,
    name: String,
    uid: String,
    controller: Option<bool>,
}

/// Feeds the index with the Pods of one scope.
#[derive(Debug)]
pub(super) struct Pods {
    index: Arc<SiblingIndex>,
    scope: Scope,
    listed: HashSet<u128>,
}

// === impl PodObject ===

impl From<RawPod> for PodObject {
    fn from(RawPod { metadata }: RawPod) -> Self {
        let pod = seen(&metadata);
        Self {
            meta: ObjectMeta {
                name: metadata.name,
                namespace: metadata.namespace,
                uid: metadata.uid,
                resource_version: metadata.resource_version,
                ..ObjectMeta::default()
            },
            pod,
        }
    }
}

impl Resource for PodObject {
    type DynamicType = ();
    type Scope = NamespaceResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        "Pod".into()
    }

    fn group((): &()) -> Cow<'_, str> {
        "".into()
    }

    fn version((): &()) -> Cow<'_, str> {
        "v1".into()
    }

    fn plural((): &()) -> Cow<'_, str> {
        "pods".into()
    }

    fn metadata_api() -> bool {
        true
    }

    fn meta(&self) -> &ObjectMeta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.meta
    }
}

/// What the Pod tells its siblings.
fn seen(raw: &RawMeta) -> Option<PodSeen> {
    let uid = hex_uid(raw.uid.as_deref()?)?;
    let created: Timestamp = raw.creation_timestamp.as_deref()?.parse().ok()?;
    let owners = raw.owner_references.as_deref().unwrap_or_default();
    let hash = raw.labels.as_ref().and_then(|l| l.revision.as_deref());
    let metadata = Metadata {
        labels: Labels {
            revision: hash.map(Into::into),
            ..Labels::default()
        },
        owner_references: owners.iter().map(RawOwner::reference).collect(),
        ..Metadata::default()
    };
    let revision = Revision::of(&metadata)?;
    let owner = owners.iter().find(|owner| owner.controller == Some(true))?;
    let annotation = raw.annotations.as_ref().and_then(|a| a.images.as_deref());
    let slots = slots(annotation);
    (!slots.is_empty()).then(|| PodSeen {
        uid,
        created: created.as_second(),
        revision: OwnerRevision {
            namespace: raw.namespace.as_deref().unwrap_or_default().into(),
            owner: revision.owner.into(),
            hash: revision.hash.map(Into::into),
        },
        workload: Workload {
            kind: revision.kind,
            name: SmolStr::new(&owner.name),
        },
        slots,
    })
}

/// What the annotation tells of each slot that got a digest; anybody may have written it.
fn slots(annotation: Option<&str>) -> Slots {
    let changes = Changes::read(annotation);
    let pin = |(slot, change): (&str, &Change)| {
        let fits = slot.len() <= LONGEST_SLOT && change.from.len() <= LONGEST_TEXT;
        let digest = change.digest().filter(|_| fits)?;
        Some(SlotPin {
            slot: slot.into(),
            text: (&*change.from).into(),
            digest,
        })
    };
    changes.iter().filter_map(pin).take(MOST_SLOTS).collect()
}

impl RawOwner {
    fn reference(&self) -> OwnerReference<'_> {
        let text = |text| Text(Cow::Borrowed(text));
        OwnerReference {
            api_version: text(&self.api_version),
            kind: text(&self.kind),
            name: text(&self.name),
            uid: text(&self.uid),
            controller: self.controller,
        }
    }
}

/// The number that a uid writes in hexadecimal, as the API server does.
fn hex_uid(text: &str) -> Option<u128> {
    let digits: String = text.split('-').collect();
    let is_hex = digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    is_hex.then(|| u128::from_str_radix(&digits, 16).ok())?
}

// === impl Pods ===

impl Pods {
    pub(super) fn new(index: Arc<SiblingIndex>, scope: Scope) -> Self {
        Self {
            index,
            scope,
            listed: HashSet::new(),
        }
    }
}

impl Sink for Pods {
    type Object = PodObject;

    fn begin(&mut self) {
        self.listed = HashSet::new();
    }

    fn listed(&mut self, object: PodObject) {
        self.listed.extend(object.pod.as_ref().map(|pod| pod.uid));
        self.applied(object);
    }

    fn done(&mut self) {
        let listed = std::mem::take(&mut self.listed);
        self.index.update(|r| r.retain_pods(&self.scope, &listed));
    }

    fn applied(&mut self, object: PodObject) {
        match object.pod {
            Some(pod) => self.index.update(|r| r.apply_pod(pod)),
            None => self.deleted(object),
        }
    }

    fn deleted(&mut self, object: PodObject) {
        if let Some(uid) = object.meta.uid.as_deref().and_then(hex_uid) {
            self.index.update(|r| r.delete_pod(uid));
        }
    }
}

#[cfg(test)]
#[path = "pods/tests.rs"]
mod tests;
