//! What the tests start and stop: real parts as child processes, and small servers of the tests' own.
//!
//! Everything listens on 127.0.0.1, needs no root, and ends with the test program, however that ends. The calls block, and
//! the servers run on a runtime of their own, so plain `#[test]` functions can use all of it. A test that serves cotter
//! on its own tokio runtime and calls `kubectl` needs `flavor = "multi_thread"`.
#![allow(
    dead_code,
    unused_imports,
    unused_macros,
    unreachable_pub,
    missing_docs,
    reason = "each test program takes what it needs of this module"
)]
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::return_self_not_must_use,
    reason = "a test that cannot go on should stop where it stands"
)]

pub mod ca;
pub mod command;
pub mod control_plane;
pub mod http_client;
pub mod https_server;
pub mod image;
pub mod moto;
pub mod node;
pub mod parts;
pub mod ports;
pub mod process;
pub mod push;
pub mod registry_part;
pub mod scratch;
pub mod tcp_proxy;
pub mod token_server;
pub mod wait;
pub mod webhook_server;

pub(crate) use parts::require;
