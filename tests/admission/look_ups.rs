//! What the API server is asked while an admission waits.

use cotter::domain::policy::{Cause, Mode};
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{
    World, create, failed, mode, pinned, pod, review, secrets, update, with_secrets,
};

const APP: &str = "ghcr.io/a/app:dev";

#[tokio::test(start_paused = true)]
async fn an_unknown_namespace() {
    let world = World::new();
    *world.cluster.namespace.lock().unwrap() = None;
    *world.cluster.live_namespace.lock().unwrap() = Some(mode(Mode::Enforce));
    let reply = world.create(&[APP]).await;
    assert_eq!(world.cluster.look_ups(), ["namespace"]);
    assert_eq!(reply.images(), [pinned(APP)]);
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_nobody_knows_passes() {
    let world = World::new();
    *world.cluster.namespace.lock().unwrap() = None;
    let reply = world.create(&[APP]).await;
    assert!(reply.allowed() && reply.operations.is_empty());
    assert_eq!(world.registry.log(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_is_not_watched_passes_with_a_warning_and_no_look_up() {
    let world = World::new();
    *world.cluster.namespace.lock().unwrap() = None;
    *world.cluster.is_out_of_scope.lock().unwrap() = true;
    let reply = world.create(&[APP]).await;
    assert!(reply.allowed() && reply.operations.is_empty());
    reply.warns("is not among those that cotter watches; its images are left as they are");
    assert_eq!(world.cluster.look_ups(), [""; 0]);
    let same = world.review(&update(pod(&[APP]), pod(&[APP]))).await;
    assert_eq!(same.warnings(), [""; 0], "nothing was to be looked at");
}

#[rstest]
#[case::delete(review("", "Pod", "DELETE", Value::Null, pod(&[APP])))]
#[case::status(subresource("status"))]
#[case::label_only(update(pod(&[APP]), pod(&[APP])))]
#[case::foreign(review("policy", "Eviction", "CREATE", json!({}), Value::Null))]
#[tokio::test(start_paused = true)]
async fn not_for_what_is_left_alone(#[case] sent: Value) {
    let world = World::new();
    *world.cluster.namespace.lock().unwrap() = None;
    world.review(&sent).await;
    assert_eq!(world.cluster.look_ups(), [""; 0]);
}

fn subresource(name: &str) -> Value {
    let mut sent = update(pod(&[APP]), pod(&["ghcr.io/a/app:old"]));
    sent["request"]["subResource"] = name.into();
    sent
}

#[rstest]
#[case::unauthorized(Cause::Unauthorized)]
#[case::hidden(Cause::NotFound)]
#[tokio::test(start_paused = true)]
async fn a_secret_made_a_moment_ago(#[case] cause: Cause) {
    let world =
        World::new()
            .live_secrets(&[("s", &["ghcr.io"])])
            .answers("ghcr.io/a/*", "", failed(cause));
    let reply = world.create(&[APP, "nginx"]).await;
    assert_eq!(world.cluster.look_ups(), ["secrets"]);
    assert_eq!(reply.images(), [pinned(APP), pinned_hub("nginx")]);
    assert_eq!(reply.secrets(), ["s"]);
    let nginx = world.registry.log();
    let nginx = nginx.iter().filter(|line| line.contains("nginx"));
    assert_eq!(nginx.count(), 1, "what was answered is not asked again");
}

pub(crate) fn pinned_hub(name: &str) -> String {
    let digest = crate::support::digest_of(&format!("docker.io/library/{name}:latest"));
    format!("{name}@{}", digest.as_str())
}

#[tokio::test(start_paused = true)]
async fn a_named_secret_that_is_missing() {
    let world = World::new().live_secrets(&[("s", &["ghcr.io"])]).answers(
        APP,
        "",
        failed(Cause::Unauthorized),
    );
    let sent = create(with_secrets(pod(&[APP]), &["s"]));
    let reply = world.review(&sent).await;
    assert_eq!(world.cluster.look_ups(), ["secrets"]);
    assert_eq!(reply.images(), [pinned(APP)]);
    assert_eq!(reply.warnings(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn only_once_an_admission() {
    let world = World::new()
        .live_secrets(&[])
        .answers(APP, "*", failed(Cause::Unauthorized));
    let sent = create(with_secrets(pod(&[APP]), &["gone"]));
    let reply = world.review(&sent).await;
    assert_eq!(world.cluster.look_ups(), ["secrets"]);
    reply.warns(r#""gone" is no pull secret"#);
}

#[rstest]
#[case::anonymous_is_enough(&[], Ok(()))]
#[case::a_secret_opens_it(&[("s", &["ghcr.io"][..])], Ok(()))]
#[case::unavailable(&[], Err(Cause::Unavailable))]
#[case::refused(&[], Err(Cause::Refused))]
#[case::a_secret_matches_and_the_tag_is_missing(&[("s", &["ghcr.io"][..])], Err(Cause::NotFound))]
#[tokio::test(start_paused = true)]
async fn not_where_it_cannot_help(
    #[case] list: &[(&str, &[&str])],
    #[case] answer: Result<(), Cause>,
) {
    let mut world = World::new().secrets(list);
    if let Err(cause) = answer {
        world = world.answers(APP, "*", failed(cause));
    }
    world.create(&[APP]).await;
    assert_eq!(world.cluster.look_ups(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_namespace_whose_secrets_nobody_has_seen() {
    let world = World::new();
    *world.cluster.secrets.lock().unwrap() = None;
    *world.cluster.live_secrets.lock().unwrap() = Some(secrets(&[("s", &["ghcr.io"])]));
    let reply = world.create(&[APP]).await;
    assert_eq!(world.cluster.look_ups(), ["secrets"]);
    assert_eq!(reply.secrets(), ["s"]);
}

#[tokio::test(start_paused = true)]
async fn a_look_up_that_fails_calls_no_secret_missing() {
    let world = World::new().answers(APP, "*", failed(Cause::Unauthorized));
    *world.cluster.secrets.lock().unwrap() = None;
    let sent = create(with_secrets(pod(&[APP]), &["s"]));
    let reply = world.review(&sent).await;
    assert_eq!(world.cluster.look_ups(), ["secrets"]);
    reply.warns("could not be read");
    let missing = reply.warnings().join("\n");
    assert!(!missing.contains("is no pull secret"), "{missing}");
}

#[tokio::test(start_paused = true)]
async fn a_look_up_that_hangs_leaves_the_watched_state() {
    let world = World::new().answers(APP, "*", failed(Cause::Unauthorized));
    *world.cluster.hangs.lock().unwrap() = true;
    let reply = world.create(&[APP]).await;
    reply.warns("kubectl create secret docker-registry");
}
