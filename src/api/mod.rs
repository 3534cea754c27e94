//! What cotter adds to the Kubernetes API: its own kind of object, and the names of its labels and annotations; and how
//! the API refuses.

pub mod labels;
pub mod refusal;
pub mod revision_pin;
