//! cotter between a real API server and real registries: what users do, and what is stored in the end.
#![allow(unreachable_pub, reason = "shared among the modules of one program")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop where it stands"
)]

#[path = "../support/mod.rs"]
mod support;

#[path = "../support/connect_proxy.rs"]
#[expect(dead_code, reason = "shared with other test programs")]
mod connect_proxy;
#[path = "../support/hostile.rs"]
#[expect(dead_code, reason = "shared with other test programs")]
mod hostile;
#[path = "../support/serve.rs"]
#[expect(dead_code, reason = "shared with other test programs")]
mod serve;

use support::ca;

mod audit_events;
mod config_map;
mod creates;
mod credentials;
mod dead_api_server;
mod ephemeral;
mod failures;
mod freshness;
mod lab;
mod lease;
mod mirrors;
mod outages;
mod own_logins;
mod permissions;
mod pods;
mod readme;
mod registries;
mod reinvocation;
mod revision_pins;
mod rights;
mod scope;
mod siblings;
mod sizes;
mod updates;
mod workload;
mod workloads;
