//! What the cluster says: namespaces, pull secrets, service accounts and what siblings run, watched.
//!
//! Nothing here writes to the cluster but the trust store and Events, for which no admission waits.

pub mod audit_events;
pub mod client;
pub mod config_map;
mod errors;
pub mod events;
mod flights;
pub mod inventory;
mod ledger;
mod limiter;
pub mod listing;
pub mod live;
mod lookup;
pub mod manifests;
pub mod mirror_secrets;
mod namespaces;
mod objects;
pub mod pod_secrets;
mod pods;
mod promises;
pub mod pull_secret_users;
mod pull_secrets;
pub mod registry_objects;
mod revision_pins;
mod scope;
pub mod secret_apply;
mod served;
mod service_accounts;
pub mod siblings;
pub mod standalone;
mod state;
mod status;
pub mod trust_store;
mod watch;

pub use errors::{Permission, Target};
pub use live::{ClusterWatches, LiveCluster, WatchStatus, spawn};
pub use scope::WatchScope;
pub use siblings::SiblingIndex;
pub use standalone::Standalone;
