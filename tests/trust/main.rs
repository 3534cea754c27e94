//! cotter registered with a real API server under exactly the rights that it asks for: what is trusted, what heals.
//!
//! No Service routes to these processes, so the tests shake hands as the API server does: with the `caBundle`, the
//! Service's name and the path that stand in the webhook configuration.
#![allow(unreachable_pub, reason = "shared among the modules of one program")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that cannot go on should stop where it stands"
)]

#[path = "../support/mod.rs"]
mod support;

mod callers;
mod files;
mod healing;
mod rights;
mod rotating;
mod site;
mod starting;
