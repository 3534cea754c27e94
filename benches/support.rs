//! The registry of the tests.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::must_use_candidate,
    clippy::missing_panics_doc,
    reason = "written for tests, which take what they need and stop where they stand"
)]

#[path = "../tests/support/mod.rs"]
pub(crate) mod real;
pub(crate) use real::ca;

#[path = "../tests/support/oci_registry.rs"]
pub(crate) mod oci_registry;
#[path = "../tests/support/serve.rs"]
pub(crate) mod serve;
