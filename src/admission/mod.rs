//! One review in, one review out: decode, ask the ports at once, plan, encode.

pub mod deadline;
pub mod findings;
pub mod handler;
mod injecting;
mod kin;
mod looked;
pub mod ports;
pub mod preview;
mod questions;
mod report;
pub mod review;
pub mod reviewer;
mod secrets;
pub mod settings;
pub mod stickiness;
