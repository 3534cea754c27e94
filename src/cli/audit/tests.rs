//! Whole audits of scripted clusters and registries, without either.

mod scene;

use rstest::rstest;
use serde_json::{Value, json};

use self::scene::{Scene, auths, digest, found, running, short};
use super::{
    report::{State, Tally},
    *,
};
use crate::{
    cluster::inventory::Holder,
    domain::{
        policy::{Cause, Mode},
        slots::Slot,
    },
};

#[tokio::test]
async fn a_tag_that_may_move_runs_unpinned_and_enforcing_would_pin_it() {
    let image = "ghcr.io/acme/app:dev";
    let scene = Scene::default()
        .means(image, "", "new")
        .pod("shop", image, &[], &running("ghcr.io/acme/app", "new"))
        .pod("shop", image, &[], &running("ghcr.io/acme/app", "new"));
    let (report, _) = scene.audit().await;
    let [finding] = &report.findings[..] else {
        panic!("{:?}", report.findings);
    };
    assert_eq!((finding.kind, finding.pods), (FindingKind::Unpinned, 2));
    assert_eq!(finding.workload.as_deref(), Some("Deployment/web"));
    let [image] = &report.images[..] else {
        panic!("{:?}", report.images);
    };
    assert_eq!(
        (image.state, image.drift),
        (State::Unpinned, Some(drift::Drift::Same))
    );
    let becomes = format!("ghcr.io/acme/app:dev@{}", digest("new"));
    assert_eq!(image.becomes.as_deref(), Some(&*becomes));
    let enforcing = &report.totals.enforcing;
    assert_eq!((enforcing.pods_changed, enforcing.slots_pinned), (2, 2));
}

#[tokio::test]
async fn each_image_is_asked_for_once_with_each_credential() {
    let image = "ghcr.io/acme/app:dev";
    let mut scene = Scene::default()
        .fails(image, "bad", Cause::Unauthorized)
        .means(image, "good", "new");
    for namespace in ["a", "b", "c"] {
        scene = scene
            .secret(namespace, "bad", &auths("ghcr.io/acme", "bad"))
            .secret(namespace, "good", &auths("ghcr.io", "good"))
            .pod(namespace, image, &["bad", "good"], "");
    }
    let (report, registry) = scene.audit().await;
    let asked = &registry.0.lock().unwrap().asked;
    let times = |user: &str| asked.get(&(image.to_owned(), user.to_owned())).copied();
    assert_eq!(
        (times("bad"), times("good"), times("")),
        (Some(1), Some(1), None)
    );
    let secrets: Vec<_> = report.images.iter().map(|i| i.secret.as_deref()).collect();
    assert_eq!(secrets, [Some("good"); 3]);
}

#[rstest]
#[case::the_same_index("ghcr.io/acme/app", "new", false)]
#[case::a_manifest_of_it("ghcr.io/acme/app", "new-amd64", false)]
#[case::a_configuration("docker.io/acme/app", "new-config", false)]
#[case::another_build("ghcr.io/acme/app", "old", true)]
#[case::another_name("ghcr.io/acme/fork", "old", false)]
#[tokio::test]
async fn a_tag_has_drifted_if_another_build_of_it_runs(
    #[case] repository: &str,
    #[case] content: &str,
    #[case] expected: bool,
) {
    let image = "ghcr.io/acme/app:dev";
    let scene = Scene::default()
        .means(image, "", "new")
        .made_of("new", &["new-amd64", "new-arm64"])
        .pod("shop", image, &[], &running(repository, content));
    let found = scene.findings().await;
    let drifted = found.iter().any(|(kind, _)| kind == "drifted");
    assert_eq!(drifted, expected, "{found:?}");
}

#[tokio::test]
async fn what_cannot_be_compared_is_counted_and_not_said_to_have_drifted() {
    let image = "ghcr.io/acme/app:dev";
    let scene = Scene::default().means(image, "", "new").pod(
        "shop",
        image,
        &[],
        &running("ghcr.io/acme/app", "old"),
    );
    let (report, _) = scene.audit().await;
    assert_eq!(report.totals.drift_unknown, 1);
    assert_eq!(report.totals.of(FindingKind::Drifted), 0);
}

#[tokio::test]
async fn a_pinned_image_whose_tag_has_moved_has_drifted_and_is_pinned() {
    let pinned = format!("ghcr.io/acme/app:dev@{}", digest("old"));
    let asked = format!("ghcr.io/acme/app@{}", digest("old"));
    let scene = Scene::default()
        .means(&asked, "", "old")
        .means("ghcr.io/acme/app:dev", "", "new")
        .made_of("new", &[])
        .pod("shop", &pinned, &[], &running("ghcr.io/acme/app", "old"));
    let (report, _) = scene.audit().await;
    let kinds: Vec<_> = report.findings.iter().map(|f| f.kind).collect();
    assert_eq!(kinds, [FindingKind::Drifted]);
    assert_eq!(report.images[0].state, State::Pinned);
    assert_eq!(report.totals.enforcing, report::Enforcing::default());
}

#[tokio::test]
async fn a_digest_that_its_registry_has_no_longer_is_told() {
    let pinned = format!("ghcr.io/acme/app:dev@{}", digest("old"));
    let asked = format!("ghcr.io/acme/app@{}", digest("old"));
    let scene = Scene::default()
        .fails(&asked, "", Cause::NotFound)
        .means("ghcr.io/acme/app:dev", "", "new")
        .pod("shop", &pinned, &[], "");
    let (report, _) = scene.audit().await;
    let [finding] = &report.findings[..] else {
        panic!("{:?}", report.findings);
    };
    assert_eq!(
        (finding.kind, finding.cause),
        (FindingKind::Unresolved, Some("notFound"))
    );
}

#[rstest]
#[case::no_secret_matches(None, &["unpinned", "unresolved", "missing-secret"])]
#[case::it_is_turned_away(Some("ghcr.io"), &["unpinned", "unresolved"])]
#[case::it_matches_nothing(Some("quay.io"), &["unpinned", "unresolved", "missing-secret", "unused-secret"])]
#[tokio::test]
async fn a_registry_that_wants_a_credential(#[case] host: Option<&str>, #[case] expected: &[&str]) {
    let image = "ghcr.io/acme/app:dev";
    let mut scene = Scene::default().pod("shop", image, &["pull"], "");
    scene = match host {
        Some(host) => scene.secret("shop", "pull", &auths(host, "bot")),
        None => Scene::default().pod("shop", image, &[], ""),
    };
    let found = scene.findings().await;
    let kinds: Vec<_> = found.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, expected);
}

#[tokio::test]
async fn a_secret_that_enforcing_would_inject_is_of_use() {
    let image = "ghcr.io/acme/app:dev";
    let scene = Scene::default()
        .means(image, "bot", "new")
        .secret("shop", "pull", &auths("ghcr.io/acme/", "bot"))
        .pod("shop", image, &[], "");
    let (report, _) = scene.audit().await;
    let all: Vec<_> = report.findings.iter().map(short).collect();
    assert_eq!(all, [found("unpinned", image)]);
    let enforcing = &report.totals.enforcing;
    assert_eq!(
        (enforcing.pods_given_secrets, enforcing.pods_changed),
        (1, 1)
    );
}

#[rstest]
#[case::broken(json!({"auths": 5}), &["broken-secret"])]
#[case::of_no_use(auths("quay.io", "bot"), &["unused-secret"])]
#[case::without_a_registry(json!({"auths": {}}), &["unused-secret"])]
#[case::ended(json!({"auths": {"ghcr.io": {"username": "x",
    "password": "eyJhbGciOiJub25lIn0.eyJleHAiOjE3MDAwMDAwMDB9.c2ln"}}}), &["expired-secret", "unused-secret"])]
#[tokio::test]
async fn a_pull_secret_that_nobody_names(#[case] data: Value, #[case] expected: &[&str]) {
    let pinned = format!("ghcr.io/acme/app@{}", digest("x"));
    let scene = Scene::default()
        .means(&pinned, "own", "x")
        .secret("shop", "own", &auths("ghcr.io", "own"))
        .secret("shop", "pull", &data)
        .pod("shop", &pinned, &["own"], "");
    let expected: Vec<_> = expected.iter().map(|kind| found(kind, "pull")).collect();
    assert_eq!(scene.findings().await, expected);
}

#[tokio::test]
async fn an_ecr_secret_is_good_for_twelve_hours() {
    let host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
    let pinned = format!("{host}/app@{}", digest("x"));
    for (at, expected) in [("2026-06-01T01:00:00Z", 0), ("2026-05-31T23:00:00Z", 1)] {
        let scene = Scene::default()
            .means(&pinned, "AWS", "x")
            .secret("shop", "ecr", &auths(host, "AWS"))
            .written("shop", "ecr", at)
            .pod("shop", &pinned, &["ecr"], "");
        let (report, _) = scene.audit().await;
        assert_eq!(
            report.totals.of(FindingKind::ExpiredSecret),
            expected,
            "{at}"
        );
    }
}

#[tokio::test]
async fn a_name_that_is_no_pull_secret_is_missing() {
    let pinned = format!("ghcr.io/acme/app@{}", digest("x"));
    let scene = Scene::default()
        .means(&pinned, "", "x")
        .pod("shop", &pinned, &["gone"], "");
    assert_eq!(scene.findings().await, [found("missing-secret", "gone")]);
}

#[tokio::test]
async fn an_upper_case_owner_is_told_and_would_be_respelled() {
    let digest = digest("x");
    let written = format!("ghcr.io/ByteQuester/app@{digest}");
    let scene = Scene::default()
        .means(&format!("ghcr.io/bytequester/app@{digest}"), "", "x")
        .pod("shop", &written, &[], "");
    let (report, _) = scene.audit().await;
    let kinds: Vec<_> = report.findings.iter().map(|f| f.kind).collect();
    assert_eq!(kinds, [FindingKind::UpperCase]);
    let enforcing = &report.totals.enforcing;
    assert_eq!((enforcing.slots_respelled, enforcing.slots_pinned), (1, 0));
}

#[tokio::test]
async fn what_a_strict_policy_would_refuse_is_counted() {
    let mut scene = Scene::default().pod("shop", "ghcr.io/acme/app:dev", &[], "");
    scene.room("shop").choice.policy = Some("strict".into());
    let (report, _) = scene.audit().await;
    let enforcing = &report.totals.enforcing;
    assert_eq!((enforcing.pods_denied, enforcing.pods_changed), (1, 0));
}

#[tokio::test]
async fn a_secret_of_pods_that_have_ended_is_in_use_and_their_images_are_not_running() {
    let image = "ghcr.io/acme/app:dev";
    let scene = Scene::default()
        .means(image, "bot", "new")
        .secret("shop", "pull", &auths("ghcr.io", "bot"))
        .object(Holder::POD, "shop", image, &["pull"], "", true);
    let (report, _) = scene.audit().await;
    assert_eq!(
        (report.totals.pods, report.findings.len()),
        (0, 0),
        "{:?}",
        report.findings
    );
}

#[tokio::test]
async fn a_template_and_its_pods_are_told_once() {
    let image = "ghcr.io/acme/app:dev";
    let deployment = Holder::TEMPLATES[0];
    let scene = Scene::default()
        .means(image, "", "new")
        .object(deployment, "shop", image, &[], "", false)
        .pod("shop", image, &[], "");
    let (report, _) = scene.audit().await;
    let [finding] = &report.findings[..] else {
        panic!("{:?}", report.findings);
    };
    assert_eq!((finding.pods, finding.template), (1, true));
    assert_eq!((report.images.len(), report.totals.pods), (1, 1));
}

#[tokio::test]
async fn in_an_enforced_namespace_a_template_may_keep_its_tag() {
    let image = "ghcr.io/acme/app:dev";
    let scene = Scene::default()
        .mode("shop", Mode::Enforce)
        .means(image, "", "new")
        .object(Holder::TEMPLATES[0], "shop", image, &[], "", false);
    assert_eq!(scene.findings().await, []);
}

#[tokio::test]
async fn the_pull_secrets_of_an_account_are_those_of_its_template() {
    let image = "ghcr.io/acme/app:dev";
    let mut scene = Scene::default()
        .means(image, "bot", "new")
        .secret("shop", "pull", &auths("ghcr.io", "bot"))
        .account("shop", "default", &["pull"])
        .object(Holder::TEMPLATES[0], "shop", image, &[], "", false);
    scene.world.shapes = std::mem::take(&mut scene.shapes).into_sorted();
    scene.world.settle();
    let [(shape, _)] = &scene.world.shapes[..] else {
        panic!("one shape");
    };
    assert_eq!(shape.pull_secrets, ["pull"]);
    let object = shape.object();
    assert_eq!(Slot::all(&object.spec).count(), 1);
}

#[tokio::test]
async fn what_the_nodes_hold_the_credential_for_is_not_called_missing() {
    let mut scene = Scene::default().pod("shop", "ghcr.io/acme/app:dev", &[], "");
    let config = b"registries: [{host: ghcr.io, credentials: node}]";
    scene.file = file::parse("t", None, config, &|_| Ok(Vec::new())).unwrap();
    assert_eq!(
        scene.findings().await,
        [found("unpinned", "ghcr.io/acme/app:dev")]
    );
}

#[tokio::test]
async fn without_secrets_nothing_is_said_about_them() {
    let mut scene = Scene::default().pod("shop", "ghcr.io/acme/app:dev", &["pull"], "");
    scene.room("shop").secrets = None;
    assert_eq!(
        scene.findings().await,
        [found("unpinned", "ghcr.io/acme/app:dev")]
    );
}

#[rstest]
#[case::nothing_was_found(&[], &[], &[FailOn::All], Exit::Fine)]
#[case::something_that_counts(&[FindingKind::Unpinned], &[], &[FailOn::Unpinned], Exit::Findings)]
#[case::something_that_does_not(&[FindingKind::Unpinned], &[], &[FailOn::Drifted], Exit::Fine)]
#[case::nothing_counts(&[FindingKind::Unpinned], &[], &[FailOn::None], Exit::Fine)]
#[case::all_counts(&[FindingKind::UnusedSecret], &[], &[FailOn::All], Exit::Findings)]
#[case::not_looked_for(&[], &[FindingKind::BrokenSecret], &[FailOn::BrokenSecret], Exit::CouldNotRun)]
#[case::not_looked_for_nor_wanted(&[], &[FindingKind::BrokenSecret], &[FailOn::Unpinned], Exit::Fine)]
fn how_it_ends(
    #[case] findings: &[FindingKind],
    #[case] open: &[FindingKind],
    #[case] fail_on: &[FailOn],
    #[case] expected: Exit,
) {
    let mut totals = Tally::none();
    for kind in findings {
        *totals.findings.entry(*kind).or_default() += 1;
    }
    let unchecked = report::Unchecked {
        verb: "list",
        resource: "secrets",
        namespace: None,
        forbidden: true,
        message: String::new(),
        leaves_open: open.to_vec(),
    };
    let report = Report {
        totals,
        unchecked: vec![unchecked],
        ..Report::default()
    };
    assert_eq!(exit(&report, &counted(fail_on)), expected);
}

#[tokio::test]
async fn no_form_shows_a_password() {
    let image = "ghcr.io/acme/app:dev";
    let scene = Scene::default()
        .means(image, "bot", "new")
        .secret("shop", "pull", &auths("ghcr.io", "bot"))
        .secret("shop", "other", &auths("quay.io", "bot"))
        .pod("shop", image, &["pull"], "");
    let (report, _) = scene.audit().await;
    let mut out = Vec::new();
    table::write(&report, true, &mut out).unwrap();
    markdown::write(&report, &mut out).unwrap();
    sarif::write(&report, &mut out).unwrap();
    serde_json::to_writer(&mut out, &report).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains(image) && !text.contains("hunter2"), "{text}");
}
