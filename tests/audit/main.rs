//! `cotter audit` as people run it: against a real API server and registry, and against ten thousand scripted Pods.
#![allow(unreachable_pub, reason = "shared among the modules of one program")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on should stop where it stands"
)]

#[path = "../support/mod.rs"]
mod support;

#[path = "../support/apiserver.rs"]
#[expect(dead_code, reason = "these tests take what they need of it")]
mod apiserver;
#[path = "../support/oci_registry.rs"]
#[expect(dead_code, reason = "these tests take what they need of it")]
mod oci_registry;
#[path = "../support/serve.rs"]
mod serve;

mod drift;
mod enforcing;
mod forms;
mod lab;
mod rights;
mod secrets;
mod thousands;

use support::ca;
