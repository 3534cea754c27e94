//! The commands that ask registries, as processes: `cotter resolve`, `cotter tags` and `cotter registry test`.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    unreachable_pub,
    reason = "a test that cannot go on should stop where it stands"
)]
#![allow(
    dead_code,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::return_self_not_must_use,
    reason = "each test program takes what it needs of the support code"
)]

#[path = "../support/connect_proxy.rs"]
mod connect_proxy;
#[path = "../support/oci_registry.rs"]
mod oci_registry;
#[path = "../support/serve.rs"]
mod serve;
#[path = "../support/mod.rs"]
mod support;

use support::ca;

mod desk;
mod manners;
mod namespaces;
mod proxying;
mod real;
mod resolving;
mod tagging;
mod testing;
