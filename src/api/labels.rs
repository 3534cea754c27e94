//! The labels and annotations by which users, cotter and its replicas speak to each other.

pub use crate::domain::object::{IMAGES, PINNED, REVISION, SKIP, UNPINNED};

/// The label selector of the Pods whose siblings get the same digests.
#[must_use]
pub fn pinned_pods() -> String {
    format!("{PINNED}=true")
}
