//! The listener, its routes, its certificates and its drain, over real sockets on 127.0.0.1.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod certificates;
mod connections;
mod drain;
mod reviews;
mod support;
