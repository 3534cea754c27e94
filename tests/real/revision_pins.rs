//! A revision keeps its digests when no Pod of it is left, and when cotter starts again.

use serde_json::{Value, json};

use crate::{
    lab::{Cotter, Lab, Namespace, config, eventually, lab, unique},
    rights::know_pins,
    workload::{Moving, images, pods},
};

const OPT_IN: (&str, &str) = ("cotter.dev/mode", "enforce");

/// A cotter of the test's own, in a cluster that knows `RevisionPin`s.
fn own_cotter(lab: &Lab) -> Cotter {
    know_pins(&lab.plane);
    let namespace = unique("own");
    lab.plane.namespace(&namespace, &[]);
    let own = ["--namespace", &namespace, "--pod-name", "one"];
    Cotter::start_with(&lab.plane, &config(&[lab.tokens], ""), &own)
}

fn pins(ns: &Namespace<'_>) -> Vec<Value> {
    let list = ns.kubectl(&["get", "revisionpins", "-o", "json"], "").ok();
    let list: Value = serde_json::from_str(&list).unwrap();
    list["items"].as_array().unwrap().clone()
}

/// As many pins as there are revisions.
fn recorded(ns: &Namespace<'_>, number: usize) -> Vec<Value> {
    eventually(&format!("{number} pins"), || {
        Some(pins(ns)).filter(|pins| pins.len() == number)
    })
}

/// Waits until one Pod is left, and it runs this image.
fn runs(ns: &Namespace<'_>, image: &str) {
    eventually(&format!("a Pod of {image}"), || {
        (images(ns, 1) == [image]).then_some(())
    });
}

/// Its own memory does not help a process that has just started.
fn restart(cotter: &Cotter, lab: &Lab) {
    cotter.process().kill();
    cotter.start_again(&lab.plane);
}

/// Deletes the Pods and starts cotter again, and no Pod is made before it has.
fn while_nobody_is_called(lab: &Lab, cotter: &Cotter, namespaces: [&Namespace<'_>; 5]) {
    // The API server calls by address, so it does not wait until the new process is ready.
    for ns in namespaces {
        let mut nowhere = cotter.webhook(&ns.name, &[&ns.name]);
        "https://127.0.0.1:1/mutate".clone_into(&mut nowhere.url);
        lab.plane.install_webhook(&nowhere);
        ns.wait_until_called();
        let delete = ["delete", "pods", "--all", "--wait=false"];
        ns.kubectl(&delete, "").ok();
    }
    for ns in namespaces {
        eventually("no Pod", || pods(ns).is_empty().then_some(()));
    }
    restart(cotter, lab);
    for ns in namespaces {
        let webhook = cotter.webhook(&ns.name, &[&ns.name]);
        lab.plane.install_webhook(&webhook);
    }
}

#[test]
fn pods_that_are_replaced_after_a_push_and_a_restart_of_cotter() {
    let lab = lab!();
    let cotter = own_cotter(&lab);
    let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}});
    lab.plane.apply(&node.to_string(), &[]).ok();
    let moving = Moving::new(&lab);
    let old = moving.push("old");
    let kinds = [
        "StatefulSet",
        "ReplicaSet",
        "ReplicationController",
        "Job",
        "DaemonSet",
    ];
    let namespaces = kinds.map(|kind| {
        let ns = lab.namespace_for(&cotter, &[OPT_IN]);
        moving.workload(&ns, kind);
        (kind, ns)
    });
    for (kind, ns) in &namespaces {
        assert_eq!(images(ns, 1), [&*old], "{kind}");
        let pin = &recorded(ns, 1)[0];
        let owner = &pin["metadata"]["ownerReferences"][0];
        assert_eq!(pin["metadata"]["name"], owner["uid"]);
        let with = match *kind {
            "StatefulSet" | "DaemonSet" => "ControllerRevision",
            kind => kind,
        };
        assert_eq!(owner["kind"], with);
        assert_eq!(pin["spec"]["workload"]["kind"], *kind);
    }
    let versions = || {
        namespaces
            .each_ref()
            .map(|(_, ns)| pins(ns)[0]["metadata"]["resourceVersion"].clone())
    };
    let before = versions();
    let new = moving.push("new");
    assert_ne!(old, new);
    while_nobody_is_called(&lab, &cotter, namespaces.each_ref().map(|(_, ns)| ns));
    for (kind, ns) in &namespaces {
        assert_eq!(images(ns, 1), [&*old], "{kind}");
    }
    eventually("it leads again", || {
        (cotter.metric("cotter_leader") > 0.0).then_some(())
    });
    assert_eq!(versions(), before, "a restart writes nothing again");
    assert!(cotter.metric("cotter_revision_pins") >= 5.0);
    lab.plane.kubectl(&["delete", "node", "n"]).ok();
}

#[test]
fn a_deployment_that_was_scaled_to_zero_and_rolled_back() {
    let lab = lab!();
    let cotter = own_cotter(&lab);
    let ns = lab.namespace_for(&cotter, &[OPT_IN]);
    let moving = Moving::new(&lab);
    let old = moving.push("old");
    moving.workload(&ns, "Deployment");
    assert_eq!(images(&ns, 1), [&*old]);
    recorded(&ns, 1);
    let scale = |replicas| {
        let replicas = format!("--replicas={replicas}");
        ns.kubectl(&["scale", "deployment/web", &replicas], "").ok();
    };
    scale(0);
    eventually("no Pod", || pods(&ns).is_empty().then_some(()));
    let new = moving.push("new");
    restart(&cotter, &lab);
    scale(1);
    runs(&ns, &old);

    ns.kubectl(
        &[
            "patch",
            "deployment/web",
            "-p",
            r#"{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null}}}"#,
        ],
        "",
    )
    .ok();
    ns.kubectl(&["rollout", "restart", "deployment/web"], "")
        .ok();
    runs(&ns, &new);
    recorded(&ns, 2);
    let newest = moving.push("newest");
    restart(&cotter, &lab);
    ns.kubectl(&["rollout", "undo", "deployment/web"], "").ok();
    runs(&ns, &old);
    ns.kubectl(&["rollout", "undo", "deployment/web"], "").ok();
    runs(&ns, &new);
    ns.kubectl(&["rollout", "restart", "deployment/web"], "")
        .ok();
    runs(&ns, &newest);

    ns.kubectl(&["delete", "deployment/web"], "").ok();
    recorded(&ns, 0);
}
