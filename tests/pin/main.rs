//! `cotter pin` and `cotter krm` as programs, with a registry in this process, and with helm and kustomize.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test that cannot go on should stop where it stands"
)]
#![allow(
    dead_code,
    unused_imports,
    unused_macros,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::return_self_not_must_use,
    reason = "each test program takes what it needs of the support code"
)]

#[path = "../support"]
mod support {
    pub mod ca;
    pub mod command;
    pub mod oci_registry;
    pub mod parts;
    pub mod scratch;
    pub mod serve;
}

mod bad_input;
mod files;
mod helm;
mod kustomize;
mod outputs;
mod round_trip;
mod world;
