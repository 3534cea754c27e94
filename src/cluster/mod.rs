//! What the cluster says: namespaces, pull secrets and service accounts, watched.
//!
//! Nothing here writes to the cluster but the trust store, for which no admission waits.

pub mod client;
mod errors;
mod flights;
mod ledger;
mod limiter;
pub mod live;
mod lookup;
pub mod manifests;
mod namespaces;
mod objects;
mod pull_secrets;
mod service_accounts;
pub mod standalone;
mod state;
pub mod trust_store;
mod watch;

pub use live::{ClusterWatches, LiveCluster, WatchStatus, spawn};
pub use standalone::Standalone;
