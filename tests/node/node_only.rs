//! The node itself: what the tests of cotter stand on.

use crate::Test;
use crate::lab::{create, pod, ready, waits_for};
use crate::support::node::{ALICE, Lab};

pub const TESTS: &[Test] = &[
    ("node::a_pod_runs", a_pod_runs),
    (
        "node::a_private_image_needs_its_pull_secret",
        a_private_image_needs_its_pull_secret,
    ),
    (
        "node::an_upper_case_owner_is_no_image",
        an_upper_case_owner_is_no_image,
    ),
    (
        "node::services_are_reached_by_pods",
        services_are_reached_by_pods,
    ),
];

const REFUSED: &[&str] = &["ErrImagePull", "ImagePullBackOff"];

fn a_pod_runs(lab: &Lab) {
    lab.plane.namespace("plain", &[]);
    let digest = lab.registry.push("public/plain", "plain", &["dev"]);
    create(
        lab,
        "plain",
        "pods",
        &pod("web", &lab.registry.image("public/plain:dev")),
    );
    let running = ready(lab, "plain", "web");
    let image = running["status"]["containerStatuses"][0]["imageID"]
        .as_str()
        .unwrap();
    assert!(image.ends_with(&digest), "{image}");
}

fn a_private_image_needs_its_pull_secret(lab: &Lab) {
    lab.plane.namespace("private", &[]);
    lab.registry.push("acme/plain", "private", &["dev"]);
    let image = lab.registry.image("acme/plain:dev");
    create(lab, "private", "pods", &pod("without", &image));
    waits_for(lab, "private", "without", REFUSED);
    lab.plane
        .pull_secret("private", "alice", &lab.registry.docker_config(ALICE));
    let mut with = pod("with", &image);
    with["spec"]["imagePullSecrets"] = serde_json::json!([{"name": "alice"}]);
    create(lab, "private", "pods", &with);
    ready(lab, "private", "with");
}

fn an_upper_case_owner_is_no_image(lab: &Lab) {
    lab.plane.namespace("upper", &[]);
    create(
        lab,
        "upper",
        "pods",
        &pod("web", &lab.registry.image("public/Plain:dev")),
    );
    waits_for(lab, "upper", "web", &["InvalidImageName"]);
}

// The node and its Pods go the same way to a Service: to the API server's own, which answers everybody's /livez.
fn services_are_reached_by_pods(lab: &Lab) {
    use crate::support::http_client::HttpClient;
    let reply = HttpClient::new(lab.plane.ca()).get("10.96.0.1:443", "/livez");
    assert_eq!(reply.unwrap().status, 200);
}
