//! A Pod as far as its pull secrets go, and which Pods still pull.

use k8s_openapi::api::core::v1::Pod;
use kube::{Resource, core::ObjectMeta};
use serde::Deserialize;
use smol_str::SmolStr;

/// The field selector of Pods that have not ended. Both phases are final.
pub const PODS_NOT_ENDED: &str = "status.phase!=Succeeded,status.phase!=Failed";

/// A Pod, and the pull secrets that it names.
#[derive(Clone, Debug, Default, Deserialize, Resource)]
#[resource(inherit = Pod)]
#[serde(default)]
pub struct PullingPod {
    metadata: ObjectMeta,
    spec: PodSpec,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PodSpec {
    image_pull_secrets: Vec<Reference>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Reference {
    name: SmolStr,
}

// === impl PullingPod ===

impl PullingPod {
    /// The names of its pull secrets, in its order.
    pub fn pull_secrets(&self) -> impl Iterator<Item = &SmolStr> {
        let references = self.spec.image_pull_secrets.iter();
        references.map(|reference| &reference.name)
    }
}
