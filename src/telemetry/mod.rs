//! Logs, metrics and readiness.

mod labels;
pub mod logs;
pub mod metrics;
pub mod readiness;
