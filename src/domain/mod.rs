//! The rules of cotter, pure and synchronous: no IO, no clock, no async, no logs.

pub mod assess;
pub mod credential;
pub mod credentials;
pub mod digest;
pub mod docker_config;
pub mod explain;
pub mod git_sha;
pub mod glob;
pub mod go_json;
pub mod images;
pub mod injection;
pub mod json;
pub mod keyring;
pub mod object;
pub mod patch;
pub mod plan;
pub mod policy;
pub mod pull_secret;
pub mod question;
pub mod reference;
pub mod registry_key;
pub mod revision;
pub mod scope;
pub mod slots;
pub mod warning;
