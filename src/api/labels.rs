//! The labels and annotations by which users, cotter and its replicas speak to each other.

pub use crate::domain::object::{IMAGES, PINNED, REVISION, SKIP, UNPINNED};

/// The label selector of the Pods whose siblings get the same digests.
#[must_use]
pub fn pinned_pods() -> String {
    format!("{PINNED}=true")
}

/// On a pull secret: the `Registry` that keeps it. On the Secret with a credential: the one that may use it.
pub const REGISTRY: &str = "cotter.dev/registry";

/// On the Secret with a credential: the host that it may be sent to.
pub const HOST: &str = "cotter.dev/host";
