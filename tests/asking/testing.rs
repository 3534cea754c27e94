//! `cotter registry test`.

use rstest::rstest;
use serde_json::Value;

use crate::{desk::Desk, oci_registry::Image};

fn steps(of: &Value) -> Vec<(&str, &str)> {
    let steps = of["steps"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let told = steps.map(|step| {
        (
            step["step"].as_str().unwrap(),
            step["outcome"].as_str().unwrap(),
        )
    });
    let told: Vec<_> = told.collect();
    for step in of["steps"].as_array().unwrap() {
        assert!(step["millis"].is_u64(), "{step}");
        let failed = step["outcome"] == "failed";
        assert_eq!(text(&step["remedy"]).is_some(), failed, "{step}");
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_can_be_pulled() {
    let desk = Desk::new().await;
    desk.alice();
    let digest = desk.registry.push("team/app", "dev", &Image::new("1"));
    let (document, code) = desk.json(&["registry", "test", &desk.image("Team/App:dev")]);
    assert_eq!((code, &document["passed"]), (0, &true.into()), "{document}");
    assert_eq!(document["host"], desk.registry.host());
    assert_eq!(document["image"], desk.image("team/app:dev"));
    assert_eq!(steps(&document), [("connect", "passed"), ("tls", "passed")]);
    let [way] = document["ways"].as_array().unwrap().as_slice() else {
        panic!("{document}");
    };
    assert_eq!(way["credential"]["user"], "alice");
    assert_eq!(
        steps(way),
        [
            ("structure", "passed"),
            ("challenge", "passed"),
            ("token", "passed"),
            ("scope", "needless"),
            ("manifest", "passed")
        ]
    );
    assert_eq!(way["steps"][4]["detail"], digest);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_alone() {
    let desk = Desk::new().await;
    desk.alice();
    let (document, code) = desk.json(&["registry", "test", &desk.registry.host()]);
    assert_eq!((code, document.get("image")), (0, None), "{document}");
    let expected = [
        ("structure", "passed"),
        ("challenge", "passed"),
        ("token", "passed"),
        ("accepted", "passed"),
    ];
    assert_eq!(steps(&document["ways"][0]), expected);
}

#[rstest]
#[case::no_password("alice", "", "failed", true)]
#[case::line_break("alice", "looking-glass\n", "passed", false)]
#[tokio::test(flavor = "multi_thread")]
async fn what_the_text_of_a_credential_tells(
    #[case] user: &str,
    #[case] password: &str,
    #[case] outcome: &str,
    #[case] fatal: bool,
) {
    let desk = Desk::new().await;
    desk.secrets(&[("odd", &[(&desk.registry.host(), user, password)])]);
    let (document, code) = desk.json(&["registry", "test", &desk.registry.host()]);
    let way = &document["ways"][0];
    assert_eq!(steps(way)[0], ("structure", outcome), "{document}");
    assert_eq!(way["findings"][0]["fatal"], fatal, "{document}");
    let anonymous = &document["ways"][1];
    assert_eq!(
        steps(anonymous)[0].0,
        "challenge",
        "nobody has a text: {document}"
    );
    // Anybody may ask the root, but that does not make the credential a good one.
    assert_eq!((code, &document["passed"]), (1, &true.into()), "{document}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_that_fails_before_a_good_one_is_a_finding() {
    let desk = Desk::new().await;
    desk.registry.push("team/app", "dev", &Image::new("1"));
    let host = desk.registry.host();
    let owner = format!("{host}/team/");
    desk.secrets(&[
        ("good", &[(&host, "alice", "wonderland")]),
        ("stale", &[(&owner, "alice", "looking-glass")]),
    ]);
    let (document, code) = desk.json(&["registry", "test", &desk.image("team/app:dev")]);
    assert_eq!((code, &document["passed"]), (1, &true.into()), "{document}");
    let passed = document["ways"].as_array().unwrap().iter();
    let passed: Vec<_> = passed.map(|way| way["passed"] == true).collect();
    assert_eq!(passed, [false, true]);
}

#[rstest]
#[case::wrong_password("looking-glass", "team/app:dev", "token", "check user and password")]
#[case::no_such_tag("wonderland", "team/app:gone", "manifest", "cotter tags")]
#[case::no_right("wonderland", "team/secret:dev", "manifest", "check user and password")]
#[tokio::test(flavor = "multi_thread")]
async fn the_step_that_fails_says_what_to_do(
    #[case] password: &str,
    #[case] rest: &str,
    #[case] step: &str,
    #[case] remedy: &str,
) {
    let desk = Desk::new().await;
    let host = desk.registry.host();
    desk.secrets(&[("ghcr", &[(&host, "alice", password)])]);
    desk.registry.push("team/app", "dev", &Image::new("1"));
    let (document, code) = desk.json(&["registry", "test", &desk.image(rest)]);
    assert_eq!(
        (code, &document["passed"]),
        (1, &false.into()),
        "{document}"
    );
    let ways = document["ways"].as_array().unwrap();
    assert_eq!(ways.len(), 2, "the anonymous way comes last: {document}");
    let last = ways[0]["steps"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["step"], &last["outcome"]),
        (&step.into(), &"failed".into()),
        "{document}"
    );
    assert!(last["remedy"].as_str().unwrap().contains(remedy), "{last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ca_that_nobody_named() {
    let desk = Desk::new().await;
    desk.alice();
    let host = desk.registry.host();
    let config = format!(r#"{{"registries": [{{"host": "{host}", "allowPrivate": true}}]}}"#);
    desk.scratch.write("cotter.yaml", config);
    let (document, code) = desk.json(&["registry", "test", &host]);
    assert_eq!(
        (code, steps(&document)),
        (1, vec![("connect", "passed"), ("tls", "failed")])
    );
    let remedy = document["steps"][1]["remedy"].as_str().unwrap();
    assert!(
        remedy.contains("caFile") && remedy.contains(&host),
        "{remedy}"
    );
    assert_eq!(desk.registry.take_counts().challenges, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_see_each_step_ticked() {
    let desk = Desk::new().await;
    desk.secrets(&[(
        "padded",
        &[(&desk.registry.host(), "alice", "looking-glass\n")],
    )]);
    desk.registry.push("team/app", "dev", &Image::new("1"));
    let said = desk.cotter(&["registry", "test", &desk.image("team/app:dev")]);
    assert_eq!((said.code, said.stderr.as_str()), (1, ""));
    let lines: Vec<_> = said.stdout.lines().collect();
    assert_eq!(lines[0], desk.image("team/app:dev"));
    assert!(
        lines[1].starts_with("  ✓ connect ") && lines[1].contains(" ms  "),
        "{}",
        said.stdout
    );
    assert!(lines[2].starts_with("  ✓ tls "), "{}", said.stdout);
    assert!(
        lines[3].starts_with("1. pull secret padded, key "),
        "{}",
        said.stdout
    );
    assert!(
        lines[4].starts_with("  ✓ structure ") && lines[5].contains("line break"),
        "{}",
        said.stdout
    );
    assert!(
        lines.iter().any(|line| line.starts_with("  ✗ token ")),
        "{}",
        said.stdout
    );
}

#[rstest]
#[case::neither("no registry", "neither a registry's host nor an image")]
#[case::user_information("https://alice:wonderland@ghcr.io/", "name ghcr.io alone")]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_registry_could_not_run(#[case] target: &str, #[case] why: &str) {
    let desk = Desk::new().await;
    let said = desk.run(&["registry", "test", target], &[]);
    assert_eq!((said.code, said.stdout.as_str()), (2, ""));
    assert!(said.stderr.contains(why), "{}", said.stderr);
}
