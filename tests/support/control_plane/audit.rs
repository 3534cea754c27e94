//! The API server's audit log, where audit annotations can be read.

use std::time::Duration;

use serde_json::Value;

use super::super::wait;
use super::ControlPlane;

const LIMIT: Duration = Duration::from_secs(10);

impl ControlPlane {
    /// All changes so far, oldest first. Events of Pods carry the request's object.
    pub fn audit_events(&self) -> Vec<Value> {
        let log =
            std::fs::read_to_string(self.scratch.path().join("audit.log")).unwrap_or_default();
        log.lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// The last event of this verb on this Pod, which may still have to be written. A dry run is an event too.
    pub fn audit_event(&self, verb: &str, namespace: &str, pod: &str) -> Value {
        let wanted = |event: &Value| {
            let target = &event["objectRef"];
            event["verb"] == verb
                && target["resource"] == "pods"
                && target["namespace"] == namespace
                && target["name"] == pod
        };
        let what = format!("an audit event: {verb} {namespace}/{pod}");
        wait::until(&what, LIMIT, || {
            self.audit_events().into_iter().rfind(wanted)
        })
    }
}
