//! What cotter was made for: an upper-case owner, a moving tag, a private registry, and nobody who wires pull secrets.

use crate::Test;
use crate::cotter::{changes, digest_of, installed, running, wait_until_asked};
use crate::lab::{create, pod, ready, waits_for};
use crate::support::node::{ALICE, Lab};

pub const TESTS: &[Test] = &[("first_users::the_whole_story", the_whole_story)];

fn the_whole_story(lab: &Lab) {
    let namespace = "frontend-dev";
    let digest = lab
        .registry
        .push("bytequester/app", "whole story", &["dev"]);
    let manifest = pod("app", &lab.registry.image("ByteQuester/app:dev"));
    lab.plane.namespace(namespace, &[]);
    installed(lab);

    create(lab, namespace, "pods", &manifest);
    waits_for(lab, namespace, "app", &["InvalidImageName", "ErrImagePull"]);
    lab.plane
        .kubectl(&["-n", namespace, "delete", "pod", "app", "--now"])
        .ok();

    lab.plane
        .kubectl(&["label", "namespace", namespace, "cotter.dev/mode=enforce"])
        .ok();
    let (server, user, password) = (
        format!("--docker-server={}", lab.registry.host()),
        format!("--docker-username={}", ALICE.0),
        format!("--docker-password={}", ALICE.1),
    );
    let secret = [
        "-n",
        namespace,
        "create",
        "secret",
        "docker-registry",
        "ci",
        &server,
        &user,
        &password,
    ];
    lab.plane.kubectl(&secret).ok();
    wait_until_asked(lab, namespace);

    create(lab, namespace, "pods", &manifest);
    let app = ready(lab, namespace, "app");
    let written = &app["spec"]["containers"][0]["image"];
    assert_eq!(
        *written,
        format!("{}@{digest}", lab.registry.image("bytequester/app:dev"))
    );
    assert_eq!(running(&app), [digest_of(written)]);
    assert_eq!(app["spec"]["imagePullSecrets"][0]["name"], "ci");
    assert!(
        changes(&app)["app"].is_null(),
        "the container is called main"
    );
    assert_eq!(
        changes(&app)["main"]["from"],
        lab.registry.image("ByteQuester/app:dev")
    );
}
