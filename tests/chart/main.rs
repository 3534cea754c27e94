//! charts/cotter: what it renders, what it refuses, and what a real API server makes of it.
#![allow(unreachable_pub, reason = "shared among the modules of one program")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop where it stands"
)]

#[path = "../support/mod.rs"]
mod support;

mod accepted;
mod conditions;
mod documented;
mod helm;
mod life;
mod matrix;
mod refused;
mod release;
mod rendered;
