//! Certificates: an authority, its leaves, and the resolver that serves them. Knows no cluster and no listener.

pub mod authority;
pub mod files;
pub mod leaf;
mod life;
pub mod local;
pub mod resolver;

pub use life::Renewal;
