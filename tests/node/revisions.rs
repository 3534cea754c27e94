//! One revision, one build; a new rollout, the new one.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::Test;
use crate::cotter::{deployment, enforced, pods_of, rolled_out, running};
use crate::lab::create;
use crate::support::node::Lab;
use crate::support::wait;

pub const TESTS: &[Test] = &[
    (
        "revisions::rollout_restart_after_a_push_runs_the_new_build",
        rollout_restart_after_a_push,
    ),
    (
        "revisions::scale_up_after_a_push_keeps_the_build",
        scale_up_after_a_push,
    ),
    ("revisions::a_lost_node_keeps_the_build", a_lost_node),
];

/// `resolve.fresh`: Pods that are closer to each other may share an answer.
const FRESH: Duration = Duration::from_secs(2);

fn rollout_restart_after_a_push(lab: &Lab) {
    let namespace = "restart";
    enforced(lab, namespace);
    let old = lab.registry.push("public/restart", "old", &["dev"]);
    create(
        lab,
        namespace,
        "deployments",
        &deployment("app", &lab.registry.image("public/restart:dev"), 2),
    );
    rolled_out(lab, namespace, "app");
    assert_eq!(
        builds(&pods_of(lab, namespace, "app=app")),
        BTreeSet::from([old])
    );
    thread::sleep(FRESH);

    let new = lab.registry.push("public/restart", "new", &["dev"]);
    lab.plane
        .kubectl(&["-n", namespace, "rollout", "restart", "deployment/app"])
        .ok();
    rolled_out(lab, namespace, "app");
    assert_eq!(
        builds(&pods_of(lab, namespace, "app=app")),
        BTreeSet::from([new])
    );
}

fn scale_up_after_a_push(lab: &Lab) {
    let namespace = "scale";
    enforced(lab, namespace);
    let old = lab.registry.push("public/scale", "old", &["dev"]);
    create(
        lab,
        namespace,
        "deployments",
        &deployment("app", &lab.registry.image("public/scale:dev"), 1),
    );
    rolled_out(lab, namespace, "app");

    lab.registry.push("public/scale", "new", &["dev"]);
    lab.plane
        .kubectl(&["-n", namespace, "scale", "--replicas=3", "deployment/app"])
        .ok();
    rolled_out(lab, namespace, "app");
    let pods = pods_of(lab, namespace, "app=app");
    assert_eq!((pods.len(), builds(&pods)), (3, BTreeSet::from([old])));
}

// cotter itself runs on the other node, as it would with more than one.
fn a_lost_node(lab: &Lab) {
    let namespace = "lost-node";
    enforced(lab, namespace);
    let mut node = lab.second_node();
    let old = lab.registry.push("public/lost", "old", &["dev"]);
    let mut app = deployment("app", &lab.registry.image("public/lost:dev"), 1);
    let spec = &mut app["spec"]["template"]["spec"];
    let soon = |key: &str| json!({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 1});
    spec["tolerations"] = json!([
        soon("node.kubernetes.io/unreachable"),
        soon("node.kubernetes.io/not-ready")
    ]);
    let second = json!([{"weight": 1, "preference": {"matchExpressions": [
        {"key": "kubernetes.io/hostname", "operator": "In", "values": [node.name()]}]}}]);
    spec["affinity"] =
        json!({"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": second}});
    create(lab, namespace, "deployments", &app);
    rolled_out(lab, namespace, "app");
    let first = pods_of(lab, namespace, "app=app").remove(0);
    assert_eq!(first["spec"]["nodeName"], node.name());

    lab.registry.push("public/lost", "new", &["dev"]);
    node.stop_kubelet();
    let replaced = wait::until("another Pod", Duration::from_mins(2), || {
        let mut pods = pods_of(lab, namespace, "app=app");
        pods.retain(|pod| {
            pod["metadata"]["uid"] != first["metadata"]["uid"] && !running(pod).concat().is_empty()
        });
        pods.pop()
    });
    assert_ne!(replaced["spec"]["nodeName"], node.name());
    assert_eq!(running(&replaced), [old]);
    lab.remove_node(node);
}

fn builds(pods: &[Value]) -> BTreeSet<String> {
    pods.iter().flat_map(running).collect()
}
