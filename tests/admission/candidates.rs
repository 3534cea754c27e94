//! With which credentials an image is asked for, and which secret is injected.

use cotter::domain::{
    cloud::Cloud,
    policy::Cause,
    question::{Failure, OwnIdentity},
};
use rstest::rstest;
use serde_json::Value;

use crate::support::{World, create, deployment, failed, found, pinned, pod, review, with_secrets};

const APP: &str = "ghcr.io/a/app:dev";
const SECRETS: &[(&str, &[&str])] = &[
    ("broad", &["ghcr.io"]),
    ("glob", &["*.io"]),
    ("narrow", &["ghcr.io/a"]),
    ("other", &["quay.io"]),
];

#[rstest]
#[case::first(&[], &["narrow"], &["narrow"])]
#[case::unauthorized_goes_on(&[("narrow", Cause::Unauthorized)], &["narrow", "broad"], &["broad"])]
#[case::hidden_goes_on(&[("narrow", Cause::NotFound)], &["narrow", "broad"], &["broad"])]
#[case::unavailable_stops(&[("narrow", Cause::Unavailable)], &["narrow"], &["narrow"])]
#[case::refused_stops(&[("narrow", Cause::Refused)], &["narrow"], &["narrow"])]
#[case::anonymous_last(
    &[("narrow", Cause::Unauthorized), ("broad", Cause::Unauthorized), ("glob", Cause::Unauthorized)],
    &["narrow", "broad", "glob", ""], &[]
)]
#[case::nobody(&[("*", Cause::Unauthorized)], &["narrow", "broad", "glob", ""], &["narrow"])]
#[tokio::test(start_paused = true)]
async fn in_the_kubelets_order(
    #[case] failures: &[(&str, Cause)],
    #[case] asked: &[&str],
    #[case] injected: &[&str],
) {
    let world = World::new().secrets(SECRETS);
    for (who, cause) in failures {
        world.registry.answers(APP, who, failed(*cause));
    }
    let reply = world.create(&[APP]).await;
    let expected: Vec<_> = asked.iter().map(|who| format!("{who} {APP}")).collect();
    assert_eq!(world.registry.log(), expected);
    assert_eq!(reply.secrets(), injected);
}

#[tokio::test(start_paused = true)]
async fn a_covered_image_is_never_asked_for_anonymously() {
    let world = World::new()
        .secrets(SECRETS)
        .answers(APP, "broad", failed(Cause::Unauthorized));
    let sent = create(with_secrets(pod(&[APP]), &["broad"]));
    let reply = world.review(&sent).await;
    assert_eq!(world.registry.log(), [format!("broad {APP}")]);
    assert_eq!(
        (reply.images(), reply.secrets()),
        (vec![APP], vec!["broad"])
    );
}

#[rstest]
#[case::docker_io("docker.io")]
#[case::legacy("https://index.docker.io/v1/")]
#[tokio::test(start_paused = true)]
async fn the_hub(#[case] server: &str) {
    // The legacy key has a path that only the fallback of `index.docker.io` overlooks where it has none.
    let server = server.trim_end_matches("v1/");
    let world = World::new().secrets(&[("hub", &[server])]);
    let reply = world.create(&["acme/app:dev"]).await;
    assert_eq!(world.registry.log(), ["hub docker.io/acme/app:dev"]);
    assert_eq!(reply.secrets(), ["hub"]);
}

#[tokio::test(start_paused = true)]
async fn a_direct_match_ends_the_hubs_fallback() {
    let world = World::new()
        .secrets(&[
            ("fallback", &["index.docker.io"]),
            ("direct", &["docker.io/acme"]),
        ])
        .answers("*", "direct", failed(Cause::Unauthorized));
    let reply = world.create(&["acme/app:dev"]).await;
    let asked = ["direct docker.io/acme/app:dev", " docker.io/acme/app:dev"];
    assert_eq!(world.registry.log(), asked);
    assert_eq!(reply.secrets(), [""; 0]);
}

#[rstest]
#[case::digest(
    "ghcr.io/a/app@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
)]
#[case::immutable_tag("ghcr.io/a/app:sha-c6cd88e")]
#[tokio::test(start_paused = true)]
async fn what_is_not_asked_for_gets_the_first_match(#[case] image: &str) {
    let world = World::new().secrets(SECRETS);
    let reply = world.create(&[image]).await;
    assert_eq!(reply.secrets(), ["narrow"]);
    assert_eq!(world.registry.log(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_node_held_host_wants_and_misses_nothing() {
    let mut world = World::new()
        .secrets(SECRETS)
        .answers("*", "*", failed(Cause::Unauthorized));
    world.settings.node_held = vec!["ghcr.io".into()];
    let reply = world.create(&[APP]).await;
    assert_eq!(reply.secrets(), [""; 0]);
    let lines = reply.warnings().join("\n");
    assert!(!lines.contains("docker-registry"), "{lines}");
    assert!(world.registry.asks()[0].credential.is_none());
}

#[rstest]
#[case::no_login(
    Cause::Unavailable,
    OwnIdentity::Refused(Cloud::Aws),
    "cotter gets no login from AWS"
)]
#[case::turned_away(
    Cause::Unauthorized,
    OwnIdentity::TurnedAway(Cloud::Azure),
    "cotter's own Azure identity may not read it"
)]
#[case::not_there(
    Cause::NotFound,
    OwnIdentity::TurnedAway(Cloud::Google),
    "no such tag, or cotter's own Google Cloud identity"
)]
#[tokio::test(start_paused = true)]
async fn what_cotters_own_identity_lacks_is_sought_in_no_secret(
    #[case] cause: Cause,
    #[case] own: OwnIdentity,
    #[case] said: &str,
) {
    let failure = Failure {
        own: Some(own),
        ..Failure::new(cause, "")
    };
    let mut world = World::new()
        .secrets(SECRETS)
        .answers("*", "*", Err(failure));
    world.settings.node_held = vec!["ghcr.io".into()];
    let reply = world.create(&[APP]).await;
    let warnings = reply.warnings();
    assert!(
        warnings.len() == 1 && warnings[0].contains(said),
        "{warnings:?}"
    );
    assert!(warnings[0].chars().count() <= 200, "{warnings:?}");
    assert_eq!(world.cluster.look_ups(), [""; 0]);
}

#[rstest]
#[case::of_its_own(&["narrow"], "narrow")]
#[case::of_its_account(&[], "broad")]
#[tokio::test(start_paused = true)]
async fn a_template_has_its_accounts_secrets_only_if_it_has_none(
    #[case] own: &[&str],
    #[case] who: &str,
) {
    let world = World::new()
        .secrets(SECRETS)
        .account("default", &["broad"], false);
    let object = deployment(&with_secrets(pod(&[APP]), own));
    let reply = world
        .review(&review("apps", "Deployment", "CREATE", object, Value::Null))
        .await;
    assert_eq!(world.registry.log(), [format!("{who} {APP}")]);
    assert!(reply.operations.is_empty());
    reply.warns(&format!("would become {APP}@sha256:"));
}

#[rstest]
#[case::named("robot", "robot")]
#[case::absent("", "default")]
#[tokio::test(start_paused = true)]
async fn an_enforcing_account_gives_listed_secrets_only(
    #[case] written: &str,
    #[case] account: &str,
) {
    let world = World::new()
        .secrets(SECRETS)
        .account(account, &["broad", "other"], true);
    let mut pod = pod(&[APP]);
    pod["spec"]["serviceAccountName"] = written.into();
    let reply = world.review(&create(pod)).await;
    assert_eq!(world.registry.log(), [format!("broad {APP}")]);
    assert_eq!(reply.secrets(), ["broad"]);
    assert_eq!(reply.images(), [pinned(APP)]);
    assert_eq!(reply.warnings(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn an_enforcing_account_without_the_secret_is_spoken_of() {
    let world = World::new()
        .secrets(SECRETS)
        .account("default", &["other"], true)
        .answers(APP, "", failed(Cause::Unauthorized));
    let reply = world.create(&["Bad Image", APP]).await;
    assert_eq!(reply.secrets(), [""; 0]);
    reply.warns(r#"container "c1" wants pull secret "narrow", which its ServiceAccount does not"#);
    let lines = reply.warnings().join("\n");
    assert!(!lines.contains("docker-registry"), "{lines}");
}

#[tokio::test(start_paused = true)]
async fn a_reinvocation_adds_no_secret_to_an_image_that_needed_none() {
    let world = World::new().secrets(&[("expired", &["ghcr.io"])]).answers(
        APP,
        "expired",
        failed(Cause::Unauthorized),
    );
    let first = world.create(&[APP]).await;
    let second = world.review(&create(first.object)).await;
    assert_eq!(
        (second.images(), second.secrets()),
        (vec![&*pinned(APP)], vec![])
    );
}

#[tokio::test(start_paused = true)]
async fn what_resolved_is_written() {
    let world = World::new()
        .secrets(SECRETS)
        .answers(APP, "narrow", failed(Cause::Unauthorized))
        .answers(APP, "broad", found("of broad"))
        .answers(APP, "", found("of anonymous"));
    let reply = world.create(&[APP]).await;
    let digest = crate::support::digest_of("of broad");
    assert_eq!(reply.images(), [format!("{APP}@{}", digest.as_str())]);
}
