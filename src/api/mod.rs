//! What cotter adds to the Kubernetes API: its own kinds of objects, and the names of its labels and annotations; and how
//! the API refuses.

pub mod credential_secret;
pub mod labels;
pub mod pulling_pod;
pub mod refusal;
pub mod registry;
pub mod revision_pin;
