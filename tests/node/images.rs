//! Images of every kind of slot and every pull policy, pulled by a real kubelet with the secrets that cotter chose.

use std::time::Duration;

use serde_json::{Value, json};

use crate::Test;
use crate::cotter::{digest_of, enforced, is_pinned, pods_of, running};
use crate::lab::{LIMIT, create, pod, ready, waits_for};
use crate::support::node::{ALICE, BOB, Lab, waiting};
use crate::support::wait;

pub const TESTS: &[Test] = &[
    (
        "images::two_namespaces_with_different_credentials",
        two_namespaces_with_different_credentials,
    ),
    (
        "images::one_that_is_on_the_node_already",
        one_that_is_on_the_node_already,
    ),
    ("images::pull_policies", pull_policies),
    (
        "images::init_containers_and_image_volumes",
        init_containers_and_image_volumes,
    ),
    ("images::kubectl_debug", kubectl_debug),
    (
        "images::a_daemonset_and_a_cronjob",
        a_daemonset_and_a_cronjob,
    ),
];

fn two_namespaces_with_different_credentials(lab: &Lab) {
    let digest = lab.registry.push("shared/app", "shared", &["dev"]);
    let manifest = pod("app", &lab.registry.image("shared/app:dev"));
    for (namespace, secret, user) in [("with-alice", "alices", ALICE), ("with-bob", "bobs", BOB)] {
        enforced(lab, namespace);
        lab.plane
            .pull_secret(namespace, secret, &lab.registry.docker_config(user));
        create(lab, namespace, "pods", &manifest);
        let app = ready(lab, namespace, "app");
        assert_eq!(running(&app), [digest.as_str()], "{namespace}");
        assert_eq!(app["spec"]["imagePullSecrets"], json!([{"name": secret}]));
    }
    // What others have pulled is not this namespace's.
    enforced(lab, "with-nobody");
    create(lab, "with-nobody", "pods", &manifest);
    waits_for(
        lab,
        "with-nobody",
        "app",
        &["ErrImagePull", "ImagePullBackOff"],
    );
}

fn one_that_is_on_the_node_already(lab: &Lab) {
    let namespace = "already-there";
    enforced(lab, namespace);
    let digest = lab.registry.push("public/there", "there", &["dev"]);
    for name in ["first", "second"] {
        create(
            lab,
            namespace,
            "pods",
            &pod(name, &lab.registry.image("public/there:dev")),
        );
        assert_eq!(running(&ready(lab, namespace, name)), [digest.as_str()]);
    }
    let events = lab
        .plane
        .get(&format!("/api/v1/namespaces/{namespace}/events"));
    let pulled = |name: &str| {
        let all = events["items"].as_array().unwrap().iter();
        let of_pod = all
            .filter(|event| event["involvedObject"]["name"] == name && event["reason"] == "Pulled");
        of_pod
            .map(|event| event["message"].as_str().unwrap().to_owned())
            .collect::<String>()
    };
    assert!(
        pulled("second").contains("already present on machine"),
        "{}",
        pulled("second")
    );
}

fn pull_policies(lab: &Lab) {
    let namespace = "pull-policies";
    enforced(lab, namespace);
    let digest = lab.registry.push("public/policies", "policies", &["dev"]);
    for policy in ["Always", "IfNotPresent"] {
        let mut manifest = pod(
            &policy.to_lowercase(),
            &lab.registry.image("public/policies:dev"),
        );
        manifest["spec"]["containers"][0]["imagePullPolicy"] = json!(policy);
        create(lab, namespace, "pods", &manifest);
        let app = ready(lab, namespace, &policy.to_lowercase());
        assert!(is_pinned(&app));
        assert_eq!(running(&app), [digest.as_str()], "{policy}");
    }
    // An image that somebody has put on the node has nothing but its tag.
    lab.node().side_load(&waiting("side"), "lab.local/side:1");
    let mut manifest = pod("never", "lab.local/side:1");
    manifest["spec"]["containers"][0]["imagePullPolicy"] = json!("Never");
    create(lab, namespace, "pods", &manifest);
    assert!(!is_pinned(&ready(lab, namespace, "never")));
}

fn init_containers_and_image_volumes(lab: &Lab) {
    let namespace = "every-slot";
    enforced(lab, namespace);
    lab.plane
        .pull_secret(namespace, "alices", &lab.registry.docker_config(ALICE));
    let init = lab.registry.push("acme/init", "init", &["dev"]);
    let app = lab.registry.push("acme/app", "app", &["dev"]);
    let data = lab.registry.push("acme/data", "data", &["dev"]);
    let mut manifest = pod("app", &lab.registry.image("acme/app:dev"));
    manifest["spec"]["initContainers"] =
        json!([{"name": "init", "image": lab.registry.image("acme/init:dev"), "args": ["0"]}]);
    manifest["spec"]["volumes"] =
        json!([{"name": "data", "image": {"reference": lab.registry.image("acme/data:dev")}}]);
    manifest["spec"]["containers"][0]["volumeMounts"] =
        json!([{"name": "data", "mountPath": "/data"}]);
    create(lab, namespace, "pods", &manifest);
    let pod = ready(lab, namespace, "app");
    assert_eq!(running(&pod), [init, app]);
    let volumes = pod["spec"]["volumes"].as_array().unwrap();
    let volume = volumes
        .iter()
        .find(|volume| volume["name"] == "data")
        .unwrap();
    assert_eq!(digest_of(&volume["image"]["reference"]), data);
}

fn kubectl_debug(lab: &Lab) {
    let namespace = "debug";
    enforced(lab, namespace);
    lab.registry.push("public/app", "debugged", &["dev"]);
    let tool = lab.registry.push("public/tool", "tool", &["v1"]);
    create(
        lab,
        namespace,
        "pods",
        &pod("app", &lab.registry.image("public/app:dev")),
    );
    ready(lab, namespace, "app");
    let image = format!("--image={}", lab.registry.image("public/tool:v1"));
    lab.plane
        .kubectl(&[
            "-n",
            namespace,
            "debug",
            "app",
            &image,
            "--container=tool",
            "--profile=general",
        ])
        .ok();
    let debugged = wait::until("the ephemeral container", LIMIT, || {
        let app = lab.plane.pod(namespace, "app");
        let running = !app["status"]["ephemeralContainerStatuses"][0]["state"]["running"].is_null();
        running.then_some(app)
    });
    assert_eq!(
        digest_of(&debugged["spec"]["ephemeralContainers"][0]["image"]),
        tool
    );
    assert!(running(&debugged).contains(&tool));
}

fn a_daemonset_and_a_cronjob(lab: &Lab) {
    // The next full minute, and a container's start.
    const MINUTE: Duration = Duration::from_secs(90);
    let namespace = "controllers";
    enforced(lab, namespace);
    let digest = lab
        .registry
        .push("public/controlled", "controlled", &["dev"]);
    let image = lab.registry.image("public/controlled:dev");
    let template = |label: &str, args: Value, restart: &str| {
        let mut template =
            json!({"metadata": {"labels": {"app": label}}, "spec": pod(label, &image)["spec"]});
        template["spec"]["containers"][0]["args"] = args;
        template["spec"]["restartPolicy"] = json!(restart);
        template
    };
    let cron = json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "cron"}, "spec": {
        "schedule": "* * * * *", "concurrencyPolicy": "Forbid",
        "jobTemplate": {"spec": {"template": template("cron", json!(["600"]), "Never")}}}});
    create(lab, namespace, "cronjobs", &cron);
    let daemon = json!({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "daemon"}, "spec": {
        "selector": {"matchLabels": {"app": "daemon"}}, "template": template("daemon", json!([]), "Always")}});
    create(lab, namespace, "daemonsets", &daemon);
    for (label, limit) in [("daemon", LIMIT), ("cron", MINUTE)] {
        let pod = wait::until(label, limit, || {
            pods_of(lab, namespace, &format!("app={label}"))
                .into_iter()
                .find(|pod| !running(pod).concat().is_empty())
        });
        assert_eq!(running(&pod), [digest.as_str()], "{label}");
        assert_eq!(digest_of(&pod["spec"]["containers"][0]["image"]), digest);
    }
    lab.plane
        .kubectl(&[
            "-n",
            namespace,
            "delete",
            "cronjob/cron",
            "daemonset/daemon",
        ])
        .ok();
}
