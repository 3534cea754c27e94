//! Flags, environment and `cotter.yaml`, checked.

pub mod args;
mod check;
pub mod cloud;
#[expect(
    clippy::module_inception,
    reason = "the floor is named after what it makes, and so is the file that defines it"
)]
pub mod config;
pub mod file;
mod hosts;
pub mod problem;
pub mod proxy;
pub mod reload;
pub mod units;
pub mod webhook;

pub use config::Config;
pub use problem::{ConfigError, Problem};
