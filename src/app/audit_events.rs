//! Joins what admissions find to the Events of the cluster.

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::{
    admission::findings::{Findings, NoFindings},
    cluster::{audit_events, events::Events},
    telemetry::metrics::Metrics,
};

/// Where findings go: Events of the owners, in a cluster; nowhere without one.
pub(super) fn open(
    events: Option<Events>,
    metrics: &Arc<Metrics>,
    tasks: &mut JoinSet<()>,
) -> Arc<dyn Findings> {
    match events {
        Some(events) => audit_events::spawn(events, metrics.clone(), tasks),
        None => Arc::new(NoFindings),
    }
}
