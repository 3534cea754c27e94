//! The lab of this test program, and what most tests do with it.

use std::io::Write as _;
use std::sync::LazyLock;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::node::Lab;
use crate::support::wait;

/// Long enough for an image to be pulled and a container to start on a busy machine.
pub const LIMIT: Duration = Duration::from_mins(1);

/// How the `Registry` objects stand, a line for each condition.
const CONDITIONS: &str = "--output=jsonpath={range .items[*]}{.metadata.name}: {range .status.conditions[*]}\
{.type} {.status} {.reason}: {.message}{'\\n'}{end}{end}";

/// The one lab. It ends with the sandbox.
pub fn shared() -> &'static Lab {
    // After a start that failed, the next test does not wait for another.
    static LAB: LazyLock<Lab> = LazyLock::new(Lab::start);
    &LAB
}

/// Shows what the cluster knows when the test that holds this fails.
pub struct ShownOnFailure(pub &'static Lab);

impl Drop for ShownOnFailure {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let pods = ["get", "pods", "--all-namespaces", "--output=wide"];
        let events = [
            "get",
            "events",
            "--all-namespaces",
            "--sort-by=.lastTimestamp",
        ];
        let registries = ["get", "registries.cotter.dev", CONDITIONS];
        let mut errors = std::io::stderr();
        for args in [&pods[..], &events[..], &registries[..]] {
            let told = self.0.plane.kubectl(args);
            let tail: Vec<&str> = told.stdout.lines().rev().take(60).collect();
            for line in tail.into_iter().rev() {
                let _ = writeln!(errors, "{line}");
            }
        }
    }
}

/// A Pod of one container that does not wait for its end.
pub fn pod(name: &str, image: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {"terminationGracePeriodSeconds": 1, "containers": [{"name": "main", "image": image}]}})
}

/// Creates an object of a namespace; `path` is what follows it: `pods`.
pub fn create(lab: &Lab, namespace: &str, path: &str, object: &Value) -> Value {
    let path = match path {
        "deployments" | "daemonsets" => format!("/apis/apps/v1/namespaces/{namespace}/{path}"),
        "cronjobs" | "jobs" => format!("/apis/batch/v1/namespaces/{namespace}/{path}"),
        _ => format!("/api/v1/namespaces/{namespace}/{path}"),
    };
    let made = lab.plane.request("POST", &path, Some(object));
    assert_eq!(made.status, 201, "{path}: {}", made.text());
    made.json()
}

/// Waits until this Pod's containers are ready, and gives the Pod.
pub fn ready(lab: &Lab, namespace: &str, name: &str) -> Value {
    wait::until(&format!("{namespace}/{name} to be ready"), LIMIT, || {
        let pod = lab.plane.pod(namespace, name);
        let conditions = pod["status"]["conditions"].as_array()?;
        let ready = conditions
            .iter()
            .any(|one| one["type"] == "Ready" && one["status"] == "True");
        ready.then_some(pod)
    })
}

/// Waits until a container of this Pod waits for one of these reasons, and gives the reason.
pub fn waits_for(lab: &Lab, namespace: &str, name: &str, reasons: &[&str]) -> String {
    wait::until(&format!("{namespace}/{name}: {reasons:?}"), LIMIT, || {
        let pod = lab.plane.pod(namespace, name);
        let of = |list: &str| pod["status"][list].as_array().cloned().unwrap_or_default();
        let statuses = [of("initContainerStatuses"), of("containerStatuses")].concat();
        statuses
            .iter()
            .filter_map(|status| status["state"]["waiting"]["reason"].as_str())
            .find(|reason| reasons.contains(reason))
            .map(str::to_owned)
    })
}
