//! cotter: canonical image references, pinned tags and pull secrets for Pods, at admission.

pub mod admission;
pub mod api;
pub mod app;
pub mod cli;
pub mod cloud;
pub mod cluster;
pub mod config;
pub mod controller;
pub mod domain;
pub mod http;
pub mod registry;
pub mod registry_admission;
pub mod telemetry;
pub mod tls;
