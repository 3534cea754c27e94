//! What cotter adds to the Kubernetes API: its own kind of object, and the names of its labels and annotations.

pub mod labels;
pub mod revision_pin;
