//! charts/cotter: what it renders, what it refuses, and what a real API server makes of it.
#![allow(unreachable_pub, reason = "shared among the modules of one program")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that cannot go on should stop where it stands"
)]
#![expect(
    clippy::needless_pass_by_value,
    clippy::similar_names,
    reason = "what a test takes is made on the spot: a path, and a patch to it"
)]

#[path = "../support/mod.rs"]
mod support;

mod accepted;
mod agreement;
mod conditions;
mod documented;
mod helm;
mod life;
mod line;
mod matrix;
mod refused;
mod registries;
mod registry_site;
mod registry_use;
mod release;
mod rendered;
mod replica;
mod running;
mod walk;
