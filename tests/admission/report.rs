//! What becomes known besides the answer: metrics by namespace, audit annotations, findings for a controller's people.

use cotter::{
    admission::findings::Reason,
    domain::policy::{Cause, Mode, OnFailure, Policy, Verdict},
};
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{NAMESPACE, World, create, deployment, failed, pod, review, update};

const APP: &str = "ghcr.io/A/app:dev";

/// A Pod of a ReplicaSet.
fn owned(images: &[&str]) -> Value {
    let mut pod = pod(images);
    let owner = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-5d8", "uid": "u", "controller": true});
    pod["metadata"]["ownerReferences"] = json!([owner]);
    pod
}

fn strict() -> Policy {
    Policy {
        on_failure: OnFailure {
            not_found: Verdict::Deny,
            ..OnFailure::default()
        },
        ..Policy::default()
    }
}

fn reasons(world: &World) -> Vec<Reason> {
    let findings = world.findings.0.lock().unwrap();
    findings.iter().map(|finding| finding.reason).collect()
}

fn broken(world: World) -> World {
    world
        .secrets(&[("hub", &["ghcr.io/b/"])])
        .answers("ghcr.io/a/*", "*", failed(Cause::NotFound))
}

#[rstest]
#[case::pinned(Mode::Enforce, World::new(), None)]
#[case::not_pinned(Mode::Enforce, broken(World::new()), Some(Reason::Unpinned))]
#[case::denied(Mode::Enforce, broken(World::new()).policy(strict()), None)]
#[case::would_pin(Mode::Audit, World::new(), Some(Reason::WouldChange))]
#[case::would_not_pin(Mode::Audit, broken(World::new()), Some(Reason::Unpinned))]
#[case::would_deny(Mode::Audit, broken(World::new()).policy(strict()), Some(Reason::WouldDeny))]
#[tokio::test(start_paused = true)]
async fn what_a_controllers_people_hear(
    #[case] mode: Mode,
    #[case] world: World,
    #[case] reason: Option<Reason>,
) {
    let world = world.mode(mode);
    world.review(&create(owned(&[APP]))).await;
    assert_eq!(reasons(&world), reason.into_iter().collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_pull_secret_that_is_missing_is_a_finding_of_its_own() {
    let world = World::new();
    let pod = crate::support::with_secrets(owned(&[APP]), &["nowhere"]);
    world.review(&create(pod)).await;
    assert_eq!(reasons(&world), [Reason::PullSecret]);
}

#[tokio::test(start_paused = true)]
async fn a_finding_names_the_owner_and_says_what_the_warnings_say() {
    let world = broken(World::new());
    let reply = world.review(&create(owned(&[APP]))).await;
    let findings = world.findings.0.lock().unwrap();
    let finding = &findings[0];
    let owner = (
        &*finding.owner.kind,
        &*finding.owner.name,
        &*finding.owner.uid,
    );
    assert_eq!(owner, ("ReplicaSet", "web-5d8", "u"));
    assert_eq!(finding.namespace, NAMESPACE);
    assert_eq!(finding.note, reply.warnings().join("; "));
    assert!(finding.note.contains("not pinned"), "{}", finding.note);
}

#[tokio::test(start_paused = true)]
async fn a_long_note_ends_between_warnings() {
    let images: Vec<_> = (0..9)
        .map(|n| format!("ghcr.io/a/{n}{}:dev", "x".repeat(90)))
        .collect();
    let images: Vec<&str> = images.iter().map(String::as_str).collect();
    let world = broken(World::new());
    let reply = world.review(&create(owned(&images))).await;
    let note = world.findings.0.lock().unwrap()[0].note.clone();
    let (said, rest) = note.rsplit_once("; ").unwrap();
    assert!(note.len() <= 920, "{}", note.len());
    assert!(
        rest.starts_with("and ") && rest.ends_with(" more"),
        "{rest}"
    );
    assert!(reply.warnings().join("; ").starts_with(said), "{said}");
}

#[rstest]
#[case::a_dry_run(json!({"dryRun": true}), owned(&[APP]))]
#[case::a_bare_pod(json!({}), pod(&[APP]))]
#[tokio::test(start_paused = true)]
async fn who_reads_warnings_needs_no_finding(#[case] request: Value, #[case] pod: Value) {
    let world = broken(World::new());
    let mut review = create(pod);
    let members = request.as_object().cloned().unwrap_or_default();
    review["request"].as_object_mut().unwrap().extend(members);
    let reply = world.review(&review).await;
    reply.warns("not pinned");
    assert_eq!(reasons(&world), []);
}

#[tokio::test(start_paused = true)]
async fn an_update_and_a_template_are_no_findings() {
    let world = broken(World::new());
    world
        .review(&update(owned(&[APP]), owned(&["ghcr.io/a/app:old"])))
        .await;
    let template = deployment(&owned(&[APP]));
    world
        .review(&review(
            "apps",
            "Deployment",
            "CREATE",
            template,
            Value::Null,
        ))
        .await;
    assert_eq!(reasons(&world), []);
}

#[rstest]
#[case::enforce(Mode::Enforce, World::new(), "enforce", "pinned", "patched")]
#[case::audit(Mode::Audit, World::new(), "audit", "pinned", "patched")]
#[case::unpinned(Mode::Enforce, broken(World::new()), "enforce", "notFound", "patched")]
#[case::denied(Mode::Enforce, broken(World::new()).policy(strict()), "enforce", "notFound", "denied")]
#[case::would_be_denied(Mode::Audit, broken(World::new()).policy(strict()), "audit", "notFound", "denied")]
#[tokio::test(start_paused = true)]
async fn namespaces_are_counted(
    #[case] mode: Mode,
    #[case] world: World,
    #[case] label: &str,
    #[case] outcome: &str,
    #[case] answer: &str,
) {
    let world = world.mode(mode);
    world.create(&[APP]).await;
    let text = world.metrics.encode();
    for series in [
        format!(
            r#"cotter_namespace_slots_total{{namespace="shop",mode="{label}",outcome="{outcome}"}} 1"#
        ),
        format!(
            r#"cotter_namespace_pods_total{{namespace="shop",mode="{label}",answer="{answer}"}} 1"#
        ),
    ] {
        assert!(text.contains(&series), "{series} in\n{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn dry_runs_and_templates_count_for_no_namespace() {
    let world = World::new();
    let mut dry = create(pod(&[APP]));
    dry["request"]["dryRun"] = true.into();
    world.review(&dry).await;
    let template = deployment(&pod(&[APP]));
    world
        .review(&review(
            "apps",
            "Deployment",
            "CREATE",
            template,
            Value::Null,
        ))
        .await;
    let text = world.metrics.encode();
    assert!(!text.contains("namespace_slots_total{"), "{text}");
    assert!(
        text.contains(r#"cotter_slots_total{outcome="pinned"} 2"#),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_audit_log_has_the_outcome_of_each_image_even_where_nothing_changed() {
    let world = World::new().mode(Mode::Audit);
    let digest = format!("ghcr.io/a/app@sha256:{}", "a".repeat(64));
    let reply = world.create(&[&digest]).await;
    let audit = &reply.response["auditAnnotations"];
    let expected = json!({"mode": "audit", "outcomes": r#"{"c0":"left"}"#});
    assert_eq!(audit, &expected);
}
