use super::*;

fn secrets_of(object: &Value) -> Vec<&str> {
    let list = object["spec"]["imagePullSecrets"].as_array();
    list.into_iter()
        .flatten()
        .filter_map(|s| s["name"].as_str())
        .collect()
}

#[test]
fn the_secret_that_resolved_is_injected() {
    let review = Review::image("ghcr.io/a/app:dev")
        .secret("narrow", &["ghcr.io/a/"])
        .secret("wide", &["ghcr.io"])
        .answer("ghcr.io/a/app", "narrow", failed(Cause::Unauthorized));
    assert_eq!(secrets_of(&review.result()), ["wide"]);
}

#[test]
fn a_public_image_that_no_secret_opens_gets_none() {
    let review = Review::image("ghcr.io/a/app:dev")
        .secret("expired", &["ghcr.io"])
        .answer("ghcr.io/a/app", "expired", failed(Cause::Unauthorized));
    assert_eq!(secrets_of(&review.result()), [""; 0]);
    assert!(image_of(&review.result()).ends_with(DEV));
}

#[test]
fn a_covered_image_gets_none() {
    let mut review = Review::image("ghcr.io/a/app:dev")
        .secret("own", &["ghcr.io"])
        .secret("s", &["ghcr.io/a"]);
    review.object["spec"]["imagePullSecrets"] = json!([{"name": "own"}]);
    assert_eq!(secrets_of(&review.result()), ["own"]);
}

#[test]
fn immutable_tags_get_the_kubelets_first_choice() {
    let review = Review::image("ghcr.io/a/app:sha-c6cd88e")
        .secret("wide", &["ghcr.io"])
        .secret("narrow", &["ghcr.io/a"]);
    assert_eq!(secrets_of(&review.result()), ["narrow"]);
}

fn two_images() -> Review {
    Review::of(json!({"metadata": {}, "spec": {"containers": [
        {"name": "private", "image": "ghcr.io/acme/app:dev"}, {"name": "public", "image": "ghcr.io/free/tool:dev"}]}}))
    .answer("ghcr.io/acme/app", "", failed(Cause::Unauthorized))
}

#[test]
fn a_secret_that_would_break_a_public_image_gives_way_to_a_narrower_one() {
    let review = two_images()
        .secret("wide", &["ghcr.io", "ghcr.io/acme/app"])
        .secret("narrow", &["ghcr.io/acme"])
        .answer("ghcr.io/free/tool", "wide", failed(Cause::Unauthorized));
    assert_eq!(secrets_of(&review.result()), ["narrow"]);
}

#[test]
fn a_secret_that_would_break_a_public_image_is_not_injected() {
    let review = two_images().secret("wide", &["ghcr.io"]).answer(
        "ghcr.io/free/tool",
        "wide",
        failed(Cause::Unauthorized),
    );
    assert_eq!(secrets_of(&review.result()), [""; 0]);
    let lines = review.plan().warnings.lines();
    assert!(
        lines[0].contains(r#"wants pull secret "wide""#),
        "{lines:?}"
    );
}

#[test]
fn a_secret_that_serves_both_is_injected_once() {
    assert_eq!(
        secrets_of(&two_images().secret("wide", &["ghcr.io"]).result()),
        ["wide"]
    );
}

#[test]
fn broken_and_missing_secrets_are_named() {
    let mut review = Review::image("ghcr.io/a/app:dev");
    review.secrets.push(("broken", json!({"auths": 5})));
    review.object["spec"]["imagePullSecrets"] =
        json!([{"name": "broken"}, {"name": "gone"}, {"name": ""}]);
    let lines = review.plan().warnings.lines();
    assert!(
        lines[0].contains(r#""broken" breaks every image pull"#),
        "{lines:?}"
    );
    assert!(
        lines[1].contains(r#""gone" is no pull secret"#),
        "{lines:?}"
    );
    assert_eq!(secrets_of(&review.result()), ["broken", "gone", ""]);
}

#[test]
fn a_placeholder_is_called_one() {
    let mut review = Review::image("ghcr.io/a/app:dev");
    let auth = "credential generated after base64 encoding";
    review
        .secrets
        .push(("copied", json!({"auths": {"ghcr.io": {"auth": auth}}})));
    review.object["spec"]["imagePullSecrets"] = json!([{"name": "copied"}]);
    let lines = review.plan().warnings.lines();
    assert!(
        lines[0].contains("the auth of ghcr.io looks like a placeholder"),
        "{lines:?}"
    );
    assert!(!lines[0].contains(auth));
}
