//! The labels and annotations by which users, cotter and its replicas speak to each other, and how Pods are selected.

pub use crate::domain::object::{IMAGES, LONGEST_LABEL, PINNED, REVISION, SKIP, UNPINNED};

/// The label selector of the Pods whose siblings get the same digests.
#[must_use]
pub fn pinned_pods() -> String {
    format!("{PINNED}=true")
}

/// On a pull secret: the `Registry` that keeps it. On the Secret with a credential: the one that may use it.
pub const REGISTRY: &str = "cotter.dev/registry";

/// On the Secret with a credential: the host that it may be sent to.
pub const HOST: &str = "cotter.dev/host";

/// On a `Registry`: who made it, as the API server knew them. Stamped on CREATE, whatever was written there.
pub const CREATOR: &str = "cotter.dev/creator";

/// On a `Registry`: `"true"` lets it be deleted although Pods name its pull secret.
pub const DELETE_IN_USE: &str = "cotter.dev/delete-in-use";
