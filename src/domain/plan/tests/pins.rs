use super::*;

#[rstest]
#[case::tag("ghcr.io/a/app:dev", "ghcr.io/a/app:dev@")]
#[case::upper_case("ghcr.io/ByteQuester/App:Dev", "ghcr.io/bytequester/app:Dev@")]
#[case::no_tag("nginx", "nginx@")]
#[case::white_space(" ghcr.io/a/app:dev ", "ghcr.io/a/app:dev@")]
fn pins_mutable_tags(#[case] image: &str, #[case] expected: &str) {
    assert_eq!(
        image_of(&Review::image(image).result()),
        format!("{expected}{DEV}")
    );
}

#[rstest]
#[case::whole_sha("ghcr.io/a/app:c6cd88ef7de43520f6e95fcb87e6f2452b45edd4")]
#[case::short_sha("ghcr.io/a/app:sha-c6cd88e")]
#[case::digest(
    "ghcr.io/a/app@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)]
#[case::skipped_by_the_policy("registry.k8s.io/pause:3.9")]
fn leaves_what_does_not_move(#[case] image: &str) {
    let plan = Review::image(image).plan();
    assert!(plan.patch.is_empty());
    assert_eq!(plan.outcomes, [Outcome::Left]);
}

#[test]
fn never_pulled_images_are_canonicalised_only() {
    let pod = json!({"spec": {"containers": [{"name": "app", "image": "A/B:dev", "imagePullPolicy": "Never"}]}});
    assert_eq!(image_of(&Review::of(pod).result()), "a/b:dev");
}

#[rstest]
#[case::git_sha(PinStyle::GitSha, true, "c6cd88e", "app:c6cd88e@")]
#[case::git_sha_without_such_a_tag(PinStyle::GitSha, true, "", "app:dev@")]
#[case::no_tag_kept(PinStyle::Digest, false, "", "app@")]
#[case::git_sha_is_no_kept_tag(PinStyle::GitSha, false, "c6cd88e", "app:c6cd88e@")]
fn styles(
    #[case] style: PinStyle,
    #[case] keep_tag: bool,
    #[case] sha_tag: &str,
    #[case] expected: &str,
) {
    let pin = Pin {
        style,
        keep_tag,
        ..Pin::default()
    };
    let answer = Resolved {
        sha_tag: (!sha_tag.is_empty()).then(|| sha_tag.into()),
        ..resolved()
    };
    let review = Review::image("ghcr.io/a/app:dev")
        .policy(Policy {
            pin,
            ..Policy::default()
        })
        .answer("ghcr.io/a/app", "", Ok(answer));
    assert_eq!(
        image_of(&review.result()),
        format!("ghcr.io/a/{expected}{DEV}")
    );
}
