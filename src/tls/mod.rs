//! Certificates: an authority, its leaves, and the resolver that serves them; the trust that all replicas share. Knows
//! no cluster and no listener.

pub mod authority;
pub mod bundle;
pub mod callers;
mod content;
pub mod files;
pub mod given;
pub mod leaf;
mod life;
pub mod local;
pub mod path;
pub mod ports;
mod registration;
pub mod replica;
pub mod resolver;
mod rotation;
mod shared;
pub mod upkeep;

pub use life::{Moment, Renewal, Timing};
pub use rotation::Lives;
