use super::*;

#[rstest]
#[case::invalid("Bad Image", Cause::Invalid)]
#[case::not_found("ghcr.io/a/app:dev", Cause::NotFound)]
#[case::unauthorized("ghcr.io/a/app:dev", Cause::Unauthorized)]
#[case::unavailable("ghcr.io/a/app:dev", Cause::Unavailable)]
#[case::refused("ghcr.io/a/app:dev", Cause::Refused)]
fn each_cause_warns_or_denies(#[case] image: &str, #[case] cause: Cause) {
    let mut review = Review::image(image).answer("ghcr.io/a/app", "", failed(cause));
    let plan = review.plan();
    assert_eq!(plan.outcomes, [Outcome::Unpinned(cause)]);
    assert_eq!(plan.denial, None);
    assert!(!plan.warnings.is_empty());
    review.policy = Policy {
        on_failure: deny(cause),
        ..Policy::default()
    };
    let plan = review.plan();
    let denial = plan.denial.unwrap();
    assert!(
        denial.contains(r#"container "app""#) && !denial.contains("10.0.0.1"),
        "{denial}"
    );
    assert!(plan.patch.is_empty());
}

fn deny(cause: Cause) -> OnFailure {
    let mut on_failure = OnFailure::default();
    *match cause {
        Cause::Invalid => &mut on_failure.invalid,
        Cause::NotFound => &mut on_failure.not_found,
        Cause::Unauthorized => &mut on_failure.unauthorized,
        Cause::Unavailable => &mut on_failure.unavailable,
        Cause::Refused => &mut on_failure.refused,
    } = Deny::Deny;
    on_failure
}

#[test]
fn a_denial_lists_every_reason() {
    let pod = json!({"spec": {"containers": [
        {"name": "a", "image": "Bad Image"}, {"name": "b", "image": "ghcr.io/b/gone:dev"}]}});
    let review = Review::of(pod).policy(Policy::strict()).answer(
        "ghcr.io/b/gone",
        "",
        failed(Cause::NotFound),
    );
    let denial = review.plan().denial.unwrap();
    assert!(
        denial.contains(r#"container "a""#) && denial.contains(r#"container "b""#),
        "{denial}"
    );
}

#[test]
fn missing_and_forbidden_tags_read_alike() {
    let lines = |cause| {
        let review = Review::image("ghcr.io/a/app:dev").answer("ghcr.io/a/app", "", failed(cause));
        review.plan().warnings.lines()
    };
    assert_eq!(lines(Cause::NotFound), lines(Cause::Unauthorized));
    assert!(lines(Cause::NotFound)[1].contains("kubectl create secret docker-registry"));
}

#[test]
fn a_stale_digest_is_used_with_a_warning() {
    let stale = Resolved {
        stale: Some(std::time::Duration::from_mins(1)),
        ..resolved()
    };
    let plan = Review::image("ghcr.io/a/app:dev")
        .answer("ghcr.io/a/app", "", Ok(stale))
        .plan();
    assert_eq!(plan.outcomes, [Outcome::Stale]);
    assert!(plan.warnings.lines()[0].contains("last digest known"));
}

#[test]
fn audit_changes_nothing_and_says_what_it_would() {
    let mut review = Review::image("ghcr.io/A/app:dev").secret("s", &["ghcr.io"]);
    review.mode = Mode::Audit;
    let plan = review.plan();
    assert!(plan.patch.is_empty());
    let lines = plan.warnings.lines();
    assert!(
        lines[0].contains("would become ghcr.io/a/app:dev@sha256:aaaaaaaaaaaa"),
        "{lines:?}"
    );
    assert!(!lines[0].contains(DEV) && lines[1].contains(r#"pull secret "s" would be injected"#));
}

#[test]
fn audit_of_a_denial_warns() {
    let mut review = Review::image("Bad Image").policy(Policy::strict());
    review.mode = Mode::Audit;
    let plan = review.plan();
    assert_eq!(plan.denial, None);
    assert!(plan.warnings.lines()[0].starts_with("audit: would be denied"));
}

#[test]
fn templates_are_analysed_and_never_changed() {
    let pod = json!({"containers": [{"name": "app", "image": "ghcr.io/A/app:dev"}]});
    let mut review = Review::of(json!({"spec": {"template": {"spec": pod}}}));
    review.kind = Kind::Workload;
    let plan = review.plan();
    assert!(plan.patch.is_empty());
    assert!(plan.warnings.lines()[0].starts_with(r#"Pods of this Deployment: container "app""#));
}

#[rstest]
#[case::hub(ShortNames::Hub, "nginx@", 0)]
#[case::leave(ShortNames::Leave, "Nginx", 1)]
fn short_names(#[case] choice: ShortNames, #[case] starts: &str, #[case] warnings: usize) {
    let mut policy = Policy::default();
    policy.canonicalise.short_names = choice;
    let review = Review::image("Nginx").policy(policy);
    assert!(image_of(&review.result()).starts_with(starts));
    assert_eq!(review.plan().warnings.lines().len(), warnings);
}

#[test]
fn short_names_can_be_denied() {
    let mut policy = Policy::default();
    policy.canonicalise.short_names = ShortNames::Deny;
    assert!(
        Review::image("nginx")
            .policy(policy)
            .plan()
            .denial
            .is_some()
    );
}
