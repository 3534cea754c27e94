//! What the cluster says: namespaces, pull secrets and service accounts, watched.
//!
//! Nothing here writes to the cluster but Events.

pub mod audit_events;
pub mod client;
pub mod config_map;
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
mod pull_secrets;
mod scope;
mod service_accounts;
pub mod standalone;
mod state;
mod status;
mod watch;

pub use errors::{Permission, Target};
pub use live::{ClusterWatches, LiveCluster, WatchStatus, spawn};
pub use scope::WatchScope;
pub use standalone::Standalone;
