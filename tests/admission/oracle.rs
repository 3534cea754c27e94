//! What people may not learn from an answer.

use cotter::domain::policy::{Cause, Mode, Policy};
use rstest::rstest;

use crate::support::{Reply, World, failed};

const APP: &str = "ghcr.io/a/app:dev";

fn world(cause: Cause, secret: bool, policy: Policy, mode: Mode) -> World {
    let list: &[(&str, &[&str])] = if secret { &[("s", &["ghcr.io"])] } else { &[] };
    World::new()
        .secrets(list)
        .policy(policy)
        .mode(mode)
        .answers("*", "*", failed(cause))
}

fn said(reply: &Reply) -> String {
    format!("{:?} {}", reply.warnings(), reply.denial())
}

#[rstest]
#[case::warned(Policy::default(), Mode::Enforce)]
#[case::denied(Policy::strict(), Mode::Enforce)]
#[case::audited(Policy::strict(), Mode::Audit)]
#[tokio::test(start_paused = true)]
async fn missing_and_forbidden_read_alike(
    #[case] policy: Policy,
    #[case] mode: Mode,
    #[values(false, true)] secret: bool,
) {
    let missing = world(Cause::NotFound, secret, policy.clone(), mode);
    let forbidden = world(Cause::Unauthorized, secret, policy, mode);
    let missing = said(&missing.create(&[APP]).await);
    assert_eq!(missing, said(&forbidden.create(&[APP]).await));
}

#[rstest]
#[tokio::test(start_paused = true)]
async fn nothing_of_a_failures_detail_is_said(
    #[values(
        Cause::NotFound,
        Cause::Unauthorized,
        Cause::Unavailable,
        Cause::Refused
    )]
    cause: Cause,
    #[values(Policy::default(), Policy::strict())] policy: Policy,
) {
    let reply = world(cause, true, policy, Mode::Enforce)
        .create(&[APP])
        .await;
    let everything = reply.response.to_string();
    for secret in ["10.1.2.3", "443", "880ms", "alice", "hunter2", "dial"] {
        assert!(!everything.contains(secret), "{secret} in {everything}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unreachable_registry_is_called_just_that() {
    let world = world(Cause::Unavailable, true, Policy::default(), Mode::Enforce);
    world.create(&[APP]).await.warns("not reachable");
}

#[tokio::test(start_paused = true)]
async fn the_command_for_a_missing_secret_is_whole() {
    let host = format!("{}.example.com", "a".repeat(60));
    let world = world(Cause::Unauthorized, false, Policy::default(), Mode::Enforce);
    let reply = world.create(&[&format!("{host}/x/y:dev")]).await;
    reply.warns(&format!(
        "docker-registry NAME -n shop --docker-server={host} "
    ));
    assert!(reply.warnings().iter().all(|line| !line.ends_with("=TOK…")));
}
