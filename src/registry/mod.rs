//! The distribution client: what a tag means now, asked with care.
//!
//! Read-only, and one rule per file. It is the part that an attacker talks to: whoever may create a Pod chooses the
//! host. It follows no redirect on its own, sends a credential nowhere but to the registry and its token server, reads
//! nothing without a limit, and never gives an answer that was obtained with another credential.

mod blocked;
mod bounded;
mod breaker;
mod cache;
mod challenge;
pub mod client;
pub mod describe;
pub mod dial;
mod document;
mod exchange;
mod flight;
mod grant;
mod guard;
pub mod held;
mod limits;
mod look_up;
mod manifest;
pub mod members;
mod no_proxy;
mod origin;
pub mod post;
mod proxy;
pub mod reading;
mod realm;
mod redirect;
pub mod remedy;
mod revision;
pub mod settings;
mod setup;
pub mod steps;
pub mod tags;
mod token;
mod transport;
mod trouble;
mod trust;
