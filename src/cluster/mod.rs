//! What the cluster says: namespaces, pull secrets, service accounts and what siblings run, watched.
//!
//! Nothing here writes to the cluster but the trust store and Events, for which no admission waits.

pub mod audit_events;
pub mod client;
mod errors;
pub mod events;
mod flights;
mod ledger;
mod limiter;
pub mod live;
mod lookup;
pub mod manifests;
mod namespaces;
mod objects;
mod pods;
mod pull_secrets;
mod revision_pins;
mod service_accounts;
pub mod siblings;
pub mod standalone;
mod state;
pub mod trust_store;
mod watch;

pub use live::{ClusterWatches, LiveCluster, WatchStatus, spawn};
pub use siblings::SiblingIndex;
pub use standalone::Standalone;
