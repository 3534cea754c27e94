//! The tests' registry, which is also the one of this program.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::return_self_not_must_use,
    missing_docs,
    unreachable_pub,
    reason = "the tests' code, of which this program takes a part"
)]

#[path = "../../tests/support/ca.rs"]
pub mod ca;
#[path = "../../tests/support/oci_registry.rs"]
pub mod oci_registry;
#[path = "../../tests/support/serve.rs"]
pub mod serve;
