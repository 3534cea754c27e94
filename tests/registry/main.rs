//! The registry client against registries in this process: one that behaves, and one that does not.
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
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::return_self_not_must_use,
    reason = "each test program takes what it needs of the support code"
)]

#[path = "../support/ca.rs"]
mod ca;
#[path = "../support/connect_proxy.rs"]
mod connect_proxy;
#[path = "../support/hostile.rs"]
mod hostile;
#[path = "../support/oci_registry.rs"]
mod oci_registry;
#[path = "../support/serve.rs"]
mod serve;

mod addresses;
mod common;
mod connections;
mod describing;
mod freshness;
mod git_sha;
mod listing;
mod manifests;
mod mirrors;
mod offline;
mod own_logins;
mod proxies;
mod redirects;
mod sharing;
mod stepping;
mod tokens;
