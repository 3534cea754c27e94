//! How old an answer may be, and how long an admission takes.

use std::time::Duration;

use cotter::domain::policy::Mode;
use rstest::rstest;
use serde_json::Value;

use crate::support::{NAMESPACE, World, create, deployment, failed, pinned, pod, review};
use cotter::domain::policy::Cause;

#[rstest]
#[case::pod(false, false, 2)]
#[case::dry_run(false, true, 2)]
#[case::template(true, false, 60)]
#[case::dry_run_of_a_template(true, true, 2)]
#[tokio::test(start_paused = true)]
async fn age(#[case] template: bool, #[case] dry_run: bool, #[case] seconds: u64) {
    let world = World::new();
    let pod = pod(&["ghcr.io/a/app:dev"]);
    let mut sent = if template {
        review(
            "apps",
            "Deployment",
            "CREATE",
            deployment(&pod),
            Value::Null,
        )
    } else {
        create(pod)
    };
    sent["request"]["dryRun"] = dry_run.into();
    world.review(&sent).await;
    let age = world.arrived - world.registry.asks()[0].began_after;
    assert_eq!(age, Duration::from_secs(seconds));
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_answers_what_the_real_thing_does() {
    let world = World::new().secrets(&[("s", &["ghcr.io"])]);
    let mut sent = create(pod(&["ghcr.io/A/app:dev", "nginx"]));
    let real = world.review(&sent).await;
    sent["request"]["dryRun"] = true.into();
    assert_eq!(world.review(&sent).await.response, real.response);
}

#[rstest]
#[case::the_callers_less_the_way_back(Some(3_000), 1_800)]
#[case::the_configured(Some(30_000), 5_000)]
#[case::not_said(None, 5_000)]
#[case::never_nothing(Some(1_000), 300)]
#[tokio::test(start_paused = true)]
async fn deadline(#[case] timeout: Option<u64>, #[case] expected: u64) {
    let mut world = World::new();
    world.timeout = timeout.map(Duration::from_millis);
    world.create(&["ghcr.io/a/app:dev"]).await;
    let given = world.registry.asks()[0].deadline - world.arrived;
    assert_eq!(given, Duration::from_millis(expected));
}

#[tokio::test(start_paused = true)]
async fn all_slots_at_once() {
    let world = World::new();
    for (n, delay) in [(1, 300), (2, 700), (3, 500)] {
        let image = format!("ghcr.io/a/app:{n}");
        world.registry.delays(&image, Duration::from_millis(delay));
    }
    let start = tokio::time::Instant::now();
    let images = ["ghcr.io/a/app:1", "ghcr.io/a/app:2", "ghcr.io/a/app:3"];
    let reply = world.create(&images).await;
    assert_eq!(reply.images(), images.map(pinned));
    assert_eq!(start.elapsed().as_millis(), 700);
}

#[rstest]
#[case::a_port_that_keeps_the_deadline(false)]
#[case::a_port_that_hangs(true)]
#[tokio::test(start_paused = true)]
async fn at_the_deadline_what_is_known_goes_out(#[case] hangs: bool) {
    let world = World::new();
    let slow = "slow.example/b/app:dev";
    if hangs {
        world.registry.hangs(slow);
    } else {
        world.registry.delays(slow, Duration::from_mins(1));
    }
    let start = tokio::time::Instant::now();
    let reply = world.create(&["ghcr.io/a/app:dev", slow]).await;
    let took = start.elapsed().as_millis();
    assert!((5_000..=5_100).contains(&took), "{took} ms");
    assert_eq!(reply.images(), [&*pinned("ghcr.io/a/app:dev"), slow]);
    assert_eq!(
        reply.annotation("cotter.dev/unpinned"),
        serde_json::json!({"c1": "unavailable"})
    );
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_hangs_is_under_the_deadline_too() {
    let world = World::new();
    *world.cluster.namespace.lock().unwrap() = None;
    *world.cluster.hangs.lock().unwrap() = true;
    let start = tokio::time::Instant::now();
    assert!(world.create(&["ghcr.io/a/app:dev"]).await.allowed());
    assert!(start.elapsed() < Duration::from_millis(5_100));
}

#[tokio::test(start_paused = true)]
async fn what_is_known_is_not_asked_for() {
    let world = World::new().mode(Mode::Enforce);
    *world.registry.is_warm.lock().unwrap() = true;
    let reply = world.create(&["ghcr.io/a/app:dev"]).await;
    assert_eq!(reply.images(), [pinned("ghcr.io/a/app:dev")]);
    assert_eq!(world.registry.log(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn the_namespace_of_the_request_counts_where_the_object_has_none() {
    let world = World::new().answers("*", "*", failed(Cause::Unauthorized));
    let mut pod = pod(&["ghcr.io/a/app:dev"]);
    pod["metadata"]["namespace"] = "".into();
    let reply = world.review(&create(pod)).await;
    reply.warns(&format!("-n {NAMESPACE} "));
}
