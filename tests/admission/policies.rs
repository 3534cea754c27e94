//! What namespaces and policies choose.

use cotter::{
    admission::ports::Namespace,
    domain::policy::{Allow, Cause, Mode, Pin, PinStyle, Policy, ShortNames, Workloads},
};
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{SHA_TAG, World, create, deployment, digest_of, failed, pinned, pod, review};

const APP: &str = "ghcr.io/A/app:dev";

fn skipping() -> Value {
    let mut pod = pod(&[APP]);
    pod["metadata"]["annotations"] = json!({"cotter.dev/skip": "true"});
    pod
}

#[rstest]
#[case::allowed(true, skipping(), false, true)]
#[case::forbidden(false, skipping(), false, false)]
#[case::a_template_whose_pods_ask_for_it(true, skipping(), true, true)]
#[tokio::test(start_paused = true)]
async fn skip(
    #[case] allow: bool,
    #[case] pod: Value,
    #[case] template: bool,
    #[case] skipped: bool,
) {
    let world = World::new().policy(Policy {
        allow_skip: Allow(allow),
        ..Policy::default()
    });
    let sent = if template {
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
    let reply = world.review(&sent).await;
    assert_eq!(world.registry.log().is_empty(), skipped);
    if skipped {
        assert_eq!((reply.operations.len(), reply.warnings().len()), (0, 0));
    } else {
        reply.warns("cotter.dev/skip has no effect");
    }
}

#[tokio::test(start_paused = true)]
async fn audit_changes_nothing_and_says_what_would_be() {
    let world = World::new()
        .mode(Mode::Audit)
        .secrets(&[("s", &["ghcr.io"])])
        .answers("ghcr.io/b/*", "*", failed(Cause::Unavailable));
    let reply = world.create(&[APP, "ghcr.io/b/x:dev"]).await;
    assert!(reply.allowed() && reply.operations.is_empty());
    let shown = "ghcr.io/a/app:dev@sha256:".len() + 12;
    let to: String = pinned("ghcr.io/a/app:dev").chars().take(shown).collect();
    reply
        .warns(&format!("audit: container \"c0\": {APP} would become {to}"))
        .warns("audit: pull secret \"s\" would be injected")
        .warns("c1");
    assert!(
        !reply
            .warnings()
            .join(" ")
            .contains(&pinned("ghcr.io/a/app:dev"))
    );
}

#[tokio::test(start_paused = true)]
async fn audit_and_templates_are_never_denied() {
    let world = World::new()
        .policy(Policy::strict())
        .answers("*", "*", failed(Cause::NotFound));
    let object = deployment(&pod(&[APP]));
    let template = review("apps", "Deployment", "CREATE", object, Value::Null);
    let reply = world.review(&template).await;
    assert!(reply.allowed());
    reply.warns("would be denied");
    let reply = world.mode(Mode::Audit).create(&[APP]).await;
    assert!(reply.allowed());
    reply.warns("audit: would be denied");
}

#[tokio::test(start_paused = true)]
async fn strict_denies_with_all_reasons() {
    let world = World::new().policy(Policy::strict()).answers(
        "ghcr.io/b/*",
        "*",
        failed(Cause::Unavailable),
    );
    let reply = world.create(&["Bad Image\n", "ghcr.io/b/x:dev", APP]).await;
    assert!(!reply.allowed() && reply.operations.is_empty());
    assert_eq!(reply.response["status"]["code"], 403);
    let denial = reply.denial();
    assert!(denial.contains("\"c0\"") && denial.contains("\"c1\"") && !denial.contains("\"c2\""));
    assert!(!denial.contains(char::is_control), "{denial:?}");
}

#[tokio::test(start_paused = true)]
async fn a_denial_has_no_control_characters() {
    let mut policy = Policy::default();
    policy.canonicalise.short_names = ShortNames::Deny;
    let reply = World::new().policy(policy).create(&["nginx\n\t"]).await;
    assert!(!reply.allowed());
    assert!(
        !reply.denial().contains(char::is_control),
        "{:?}",
        reply.denial()
    );
}

#[tokio::test(start_paused = true)]
async fn an_unknown_policy_is_spoken_of() {
    let world = World::new();
    *world.cluster.namespace.lock().unwrap() = Some(Namespace {
        mode: Some(Mode::Enforce),
        policy: Some("nope".into()),
    });
    let reply = world.create(&[APP]).await;
    reply.warns(r#"no policy is called "nope""#);
    assert_eq!(reply.images(), [pinned("ghcr.io/a/app:dev")]);
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_is_not_opted_in_passes() {
    let world = World::new();
    *world.cluster.namespace.lock().unwrap() = Some(Namespace::default());
    let reply = world.create(&[APP]).await;
    assert_eq!((reply.operations.len(), world.registry.log().len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn workloads_off() {
    let world = World::new().policy(Policy {
        workloads: Workloads::Off,
        ..Policy::default()
    });
    let sent = review(
        "batch",
        "Job",
        "CREATE",
        deployment(&pod(&[APP])),
        Value::Null,
    );
    let reply = world.review(&sent).await;
    assert_eq!((reply.warnings(), world.registry.log().len()), (vec![], 0));
}

#[rstest]
#[case::asked_for("ghcr.io/a/app:dev", PinStyle::GitSha)]
#[case::a_git_sha_already(&format!("ghcr.io/a/app:{SHA_TAG}"), PinStyle::Digest)]
#[tokio::test(start_paused = true)]
async fn git_sha_style(#[case] image: &str, #[case] asked: PinStyle) {
    let pin = Pin {
        style: PinStyle::GitSha,
        pin_immutable: true,
        ..Pin::default()
    };
    let world = World::new().policy(Policy {
        pin,
        ..Policy::default()
    });
    world.create(&[image]).await;
    assert_eq!(world.registry.asks()[0].style, asked);
}

#[tokio::test(start_paused = true)]
async fn annotations_over_the_limit() {
    let world = World::new();
    let mut pod = pod(&[APP]);
    pod["metadata"]["ownerReferences"] =
        json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "uid": "u", "controller": true}]);
    pod["metadata"]["annotations"] =
        json!({"big": "x".repeat(256 * 1024 - 60), "cotter.dev/images": "{}"});
    let reply = world.review(&create(pod)).await;
    reply.warns("256 KiB");
    assert_eq!(reply.images(), [pinned("ghcr.io/a/app:dev")]);
    let metadata = &reply.object["metadata"];
    assert!(
        metadata["annotations"]["cotter.dev/images"].is_null(),
        "a caller's own record goes"
    );
    assert!(metadata["labels"].is_null(), "no label without a record");
    let again = world.review(&create(reply.object)).await;
    assert_eq!(again.operations, [Value::Null; 0]);
}

#[tokio::test(start_paused = true)]
async fn audit_annotations_carry_what_was_done() {
    let world = World::new().answers("ghcr.io/b/*", "*", failed(Cause::Refused));
    let reply = world.create(&[APP, "ghcr.io/b/x:dev"]).await;
    let audit = &reply.response["auditAnnotations"];
    let digest = digest_of("ghcr.io/a/app:dev");
    assert!(audit["images"].as_str().unwrap().contains(digest.as_str()));
    assert_eq!(audit["unpinned"], r#"{"c1":"refused"}"#);
}
