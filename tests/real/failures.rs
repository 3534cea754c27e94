//! Denials, and a webhook that is away.

use serde_json::json;

use crate::lab::{Cotter, config, lab, one};

#[test]
fn strict_denies_with_all_reasons_in_one_message() {
    let lab = lab!();
    let ns = lab.namespace(&[
        ("cotter.dev/mode", "enforce"),
        ("cotter.dev/policy", "strict"),
    ]);
    let spec = json!({"containers": [
        {"name": "a", "image": lab.image("public/app:gone")},
        {"name": "b", "image": lab.image("acme/app:dev")},
        {"name": "c", "image": "Not An Image"},
        {"name": "d", "image": lab.image("public/app:dev")}]});
    let made = ns.create(&json!({"generateName": "p-"}), &spec, "");
    assert_eq!(made.status, 403, "{}", made.object);
    for slot in ["a", "b", "c"] {
        assert!(
            made.message().contains(&format!("container {slot:?}")),
            "{}",
            made.message()
        );
    }
    assert!(
        !made.message().contains(r#"container "d""#),
        "{}",
        made.message()
    );
}

/// `strict` pins git-SHA tags too, and writes the tag that the registry proves.
#[test]
fn strict_writes_the_git_sha_tag() {
    let lab = lab!();
    let ns = lab.namespace(&[
        ("cotter.dev/mode", "enforce"),
        ("cotter.dev/policy", "strict"),
    ]);
    ns.secret("ghcr", &lab.alice());
    let image = ns.pin(&lab.image("acme/app:dev"));
    let digest = lab.tokens.digest("acme/app", "dev");
    assert_eq!(
        image,
        lab.image(&format!("acme/app:{}@{digest}", crate::lab::SHA))
    );
    let old = ns.pin(&lab.image("public/old:dev"));
    let digest = lab.tokens.digest("public/old", "dev");
    assert_eq!(old, lab.image(&format!("public/old:sha-c6cd88e@{digest}")));
}

#[test]
fn a_policy_that_does_not_exist_is_said_and_the_default_is_used() {
    let lab = lab!();
    let ns = lab.namespace(&[
        ("cotter.dev/mode", "enforce"),
        ("cotter.dev/policy", "nope"),
    ]);
    let made = ns.run(&lab.image("public/app:dev"));
    made.warns("no policy is called");
    assert!(made.image().contains("@sha256:"));
}

#[test]
fn a_killed_webhook_under_ignore_and_under_fail() {
    let lab = lab!();
    let cotter = Cotter::start(&lab.plane, &config(&[lab.tokens], ""));
    let ns = lab.namespace_for(&cotter, &[("cotter.dev/mode", "enforce")]);
    let image = lab.image("public/app:dev");
    assert_ne!(ns.pin(&image), image);
    cotter.process().kill();
    let refused = ns.create(&json!({"generateName": "p-"}), &one(&image), "");
    assert_eq!(refused.status, 500, "{}", refused.object);
    assert!(refused.message().contains("failed calling webhook"));
    let mut webhook = cotter.webhook(&ns.name, &[&ns.name]);
    webhook.failure_policy = "Ignore";
    lab.plane.install_webhook(&webhook);
    crate::lab::eventually("the new failure policy", || {
        let made = ns.create(&json!({"generateName": "p-"}), &one(&image), "");
        (made.status == 201).then(|| assert_eq!(made.image(), image))
    });
    cotter.start_again(&lab.plane);
    assert_ne!(ns.pin(&image), image);
}

/// A dead API server leaves the last state in use. Reviews are sent by hand, since nobody else can.
#[test]
fn a_webhook_stops_cleanly_when_it_is_told_to() {
    let lab = lab!();
    let cotter = Cotter::start(&lab.plane, &config(&[lab.tokens], ""));
    let code = cotter.process().stop();
    assert_eq!(code, Some(0), "{}", cotter.log());
}
