//! The API server goes away under a running cotter.

use serde_json::json;

use crate::{
    lab::{Cotter, config, parts_are_here, seeded},
    support::{control_plane::ControlPlane, http_client::HttpClient, registry_part::Registry},
};

#[test]
fn the_last_state_stays_in_use_and_the_metrics_say_so() {
    if !parts_are_here("the_last_state_stays_in_use_and_the_metrics_say_so") {
        return;
    }
    let plane = ControlPlane::start();
    let registry = seeded(Registry::basic());
    plane.namespace("shop", &[("cotter.dev/mode", "enforce")]);
    let secret = registry.docker_config("alice", "rabbit-hole");
    plane.pull_secret("shop", "pull", &secret);
    let cotter = Cotter::start(&plane, &config(&[&registry], ""));
    let object = json!({"metadata": {"namespace": "shop"}, "spec": crate::lab::one(&registry.image("acme/app:dev"))});
    let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "1", "operation": "CREATE", "namespace": "shop",
        "kind": {"group": "", "version": "v1", "kind": "Pod"}, "object": object}});
    let ask = || {
        let (host, ca) = cotter.address();
        let reply = HttpClient::new(&ca)
            .send(
                "POST",
                &host,
                "/mutate?timeout=10s",
                &[],
                review.to_string().as_bytes(),
            )
            .unwrap();
        reply.json()["response"]["patch"].clone()
    };
    let before = ask();
    assert!(before.is_string());
    plane.api_server(crate::support::process::Process::kill);
    assert_eq!(ask(), before);
    crate::lab::eventually("the metric", || {
        (cotter.metric("cotter_watch_errors") > 0.0).then_some(())
    });
    assert_eq!(ask(), before);
    assert_eq!(
        cotter.ops("/readyz").0,
        200,
        "what was listed once is still known"
    );
}
