//! Pull secrets and logins as people and scripts make them: the program itself, beside the real kubectl, crane and API
//! server, a credential helper, and a terminal.
#![allow(unreachable_pub, reason = "shared among the modules of one program")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop where it stands"
)]
#![allow(
    dead_code,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::return_self_not_must_use,
    reason = "each test program takes what it needs of the support code"
)]

#[path = "../support/mod.rs"]
mod support;

#[path = "../support/oci_registry.rs"]
mod oci_registry;
#[path = "../support/serve.rs"]
mod serve;

mod cluster;
mod dialogue;
mod docker;
mod home;
mod kubectl;
mod login;
mod programs;
mod refusals;
mod terminal;
mod testing;

use support::ca;
