//! What one replica does for all: which one, and what it writes. Answers no admission.

pub mod lease;
pub mod lease_object;
pub mod registry;
pub mod revision_pin;
pub mod trouble;
