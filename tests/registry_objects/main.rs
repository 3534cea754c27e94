//! `Registry` objects from the command line: the program itself, beside the real API server, a real registry, a cotter that
//! looks after them, and a terminal.
#![allow(unreachable_pub, reason = "shared among the modules of one program")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop where it stands"
)]
#![allow(
    dead_code,
    unused_macros,
    unused_imports,
    reason = "each test program takes what it needs of the support code"
)]

#[path = "../pull_secret/home.rs"]
mod home;
#[path = "../real/lab.rs"]
mod lab;
#[path = "../real/pods.rs"]
mod pods;
#[path = "../support/mod.rs"]
mod support;
#[path = "../pull_secret/terminal.rs"]
mod terminal;

mod adding;
mod asking;
mod deleting;
mod desk;
mod dialogue;
mod listing;
mod rotating;
