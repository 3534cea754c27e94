//! The parts start, do their work and stop: what the other tests stand on.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test says what it expects"
)]

#[path = "parts_start/kubernetes.rs"]
mod kubernetes;
#[path = "parts_start/processes.rs"]
mod processes;
#[path = "parts_start/registries.rs"]
mod registries;
mod support;
