//! `cotter resolve`.

use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    desk::{Desk, REVISION, SHA, docker_config},
    oci_registry::{Counts, Image},
    support::ports,
};

const FAR: &str = "2026-01-02T03:04:05Z";

fn image(build: &str) -> Image {
    Image::new(build)
        .labelled(REVISION, SHA)
        .of_layers(&[1_000_000, 234_567])
        .built(FAR)
        .for_platforms(&["linux/amd64", "linux/arm64"])
}

/// The only image of a document.
fn only(document: &Value) -> &Value {
    assert_eq!(
        document["images"].as_array().unwrap().len(),
        1,
        "{document}"
    );
    &document["images"][0]
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_known_of_an_image() {
    let desk = Desk::new().await;
    desk.alice();
    let digest = desk.registry.push("team/app", "dev", &image("1"));
    desk.registry.move_tag("team/app", "sha-c6cd88e", &digest);
    let host = desk.registry.host();
    let (document, code) = desk.json(&["resolve", &format!("{host}/Team/App:dev")]);
    assert_eq!(code, 0, "{document}");
    let found = only(&document);
    let canonical = desk.image("team/app:dev");
    assert_eq!(found["image"], format!("{host}/Team/App:dev"));
    assert_eq!(found["canonical"], canonical);
    assert_eq!(found["reference"], canonical);
    assert_eq!(found["kubelet"]["accepts"], false);
    assert_eq!(found["mutable"], true);
    assert_eq!(found["digest"], digest);
    assert_eq!(found["pinned"], format!("{canonical}@{digest}"));
    assert_eq!(
        found["mediaType"],
        "application/vnd.oci.image.index.v1+json"
    );
    assert_eq!(
        found["gitSha"],
        json!({"commit": SHA, "evidence": "configLabel", "name": REVISION, "tag": "sha-c6cd88e"})
    );
    assert_eq!(found["created"], FAR);
    let platforms = found["platforms"].as_array().unwrap();
    let sizes: Vec<_> = platforms
        .iter()
        .map(|one| (&one["platform"], &one["size"]))
        .collect();
    assert_eq!(
        sizes,
        [
            (&json!("linux/amd64"), &json!(1_234_567)),
            (&json!("linux/arm64"), &json!(1_234_567))
        ]
    );
    let credential = json!({"kind": "pullSecret", "secret": "ghcr", "key": host, "user": "alice"});
    assert_eq!(found["credential"], credential);
    assert_eq!(found.get("error"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_are_tried_in_the_kubelets_order() {
    let desk = Desk::new().await;
    let host = desk.registry.host();
    let (owner, wide) = (format!("{host}/team/"), format!("https://{host}/v2/"));
    desk.secrets(&[
        ("a-wide", &[(&wide, "alice", "wonderland")]),
        ("b-narrow", &[(&owner, "alice", "looking-glass")]),
        ("c-elsewhere", &[("ghcr.io", "alice", "wonderland")]),
    ]);
    desk.registry.push("team/app", "dev", &image("1"));
    let (document, code) = desk.json(&["resolve", &desk.image("team/app:dev")]);
    assert_eq!(code, 0, "{document}");
    let ways = only(&document)["ways"].as_array().unwrap();
    let told: Vec<_> = ways
        .iter()
        .map(|way| {
            (
                way["credential"]["secret"].as_str(),
                way["outcome"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (Some("b-narrow"), "unauthorized"),
            (Some("a-wide"), "answered"),
            (None, "notAsked")
        ]
    );
    assert_eq!(ways[0]["credential"]["key"], owner);
    assert_eq!(ways[1]["credential"]["key"], wide);
    assert_eq!(only(&document)["credential"], ways[1]["credential"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_and_a_password_in_a_key_are_not_shown() {
    let desk = Desk::new().await;
    let host = desk.registry.host();
    let key = format!("https://alice:rabbit-hole@{host}/");
    desk.secrets(&[("odd", &[(&key, "alice", "wonderland")])]);
    desk.registry.push("team/app", "dev", &image("1"));
    let (document, _) = desk.json(&["resolve", &desk.image("team/app:dev")]);
    assert_eq!(only(&document)["credential"]["key"], host);
}

#[tokio::test(flavor = "multi_thread")]
async fn dockers_configuration_is_used_without_pull_secrets() {
    let desk = Desk::new().await;
    let host = desk.registry.host();
    let digest = desk.registry.push("team/app", "dev", &image("1"));
    std::fs::create_dir(desk.scratch.path().join(".docker")).unwrap();
    let config = docker_config(&[(&host, "alice", "wonderland")]);
    desk.scratch.write(".docker/config.json", config);
    let args = [
        "resolve",
        &desk.image("team/app:dev"),
        "--config",
        "cotter.yaml",
        "-o",
        "json",
    ];
    let said = desk.run(&args, &[]).ok();
    let document: Value = serde_json::from_str(&said).unwrap();
    let found = only(&document);
    assert_eq!(found["digest"], digest);
    let credential = json!({"kind": "dockerConfig", "key": host, "user": "alice"});
    assert_eq!(found["credential"], credential);
}

#[rstest]
#[case::no_such_tag("team/app:gone", "notFound", "cotter tags")]
#[case::no_right("team/secret:dev", "unauthorized", "check user and password")]
#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_does_not_resolve_is_a_finding(
    #[case] rest: &str,
    #[case] cause: &str,
    #[case] remedy: &str,
) {
    let desk = Desk::new().await;
    desk.alice();
    desk.registry.push("team/app", "dev", &image("1"));
    let (wrong, right) = (desk.image(rest), desk.image("team/app:dev"));
    let (document, code) = desk.json(&["resolve", &wrong, &right]);
    assert_eq!(code, 1, "{document}");
    let error = &document["images"][0]["error"];
    assert_eq!(error["cause"], cause, "{document}");
    assert!(
        error["remedy"].as_str().unwrap().contains(remedy),
        "{error}"
    );
    assert!(document["images"][1]["digest"].is_string(), "{document}");
    let text = desk.cotter(&["resolve", &wrong, &right]);
    assert_eq!((text.code, text.stderr.as_str()), (1, ""));
    assert_eq!(text.stdout.matches(remedy).count(), 1, "{}", text.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_credential_the_remedy_is_to_log_in() {
    let desk = Desk::new().await;
    desk.secrets(&[]);
    desk.registry.push("team/app", "dev", &image("1"));
    let (document, code) = desk.json(&["resolve", &desk.image("team/app:dev")]);
    let remedy = only(&document)["error"]["remedy"].as_str().unwrap();
    assert!(
        code == 1 && remedy.contains(&format!("docker login {}", desk.registry.host())),
        "{remedy}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_is_away() {
    let desk = Desk::new().await;
    desk.secrets(&[]);
    let host = format!("127.0.0.1:{}", ports::free());
    let image = format!("{host}/team/app:dev");
    let (document, code) = desk.json(&["resolve", &image]);
    let error = &only(&document)["error"];
    assert_eq!(
        (code, &error["cause"]),
        (1, &json!("unavailable")),
        "{document}"
    );
    let said = format!("{host} does not accept: ");
    assert!(
        error["message"].as_str().unwrap().starts_with(&said),
        "{error}"
    );
    let text = desk.cotter(&["resolve", &image]).stdout;
    assert_eq!(text.matches(&said).count(), 1, "{text}");
    assert_eq!(text.matches("cotter registry test").count(), 1, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_network_nobody_is_asked() {
    let desk = Desk::new().await;
    desk.alice();
    let (document, code) = desk.json(&[
        "resolve",
        "--no-network",
        &desk.image("Team/App"),
        "nginx",
        "a@b",
    ]);
    assert_eq!(code, 1, "{document}");
    let images = document["images"].as_array().unwrap();
    assert_eq!(images[0]["canonical"], desk.image("team/app"));
    assert_eq!(images[0]["reference"], desk.image("team/app:latest"));
    assert_eq!(images[0]["ways"][0]["outcome"], "notAsked");
    assert_eq!(images[1]["canonical"], "nginx");
    assert_eq!(images[1]["reference"], "docker.io/library/nginx:latest");
    assert_eq!(images[1]["kubelet"]["accepts"], true);
    assert_eq!(images[2]["error"]["cause"], "invalid");
    assert_eq!(desk.registry.take_counts(), Counts::default());
}

#[rstest]
#[case::tag("app:dev", true, None)]
#[case::no_tag("app", true, None)]
#[case::git_sha("app:sha-c6cd88e", false, Some("gitSha"))]
#[case::declared("app:v1.2", false, Some("policy"))]
#[case::digest(
    "app:dev@sha256:4f0c4f0c4f0c4f0c4f0c4f0c4f0c4f0c4f0c4f0c4f0c4f0c4f0c4f0c4f0c4f0c",
    false,
    Some("digest")
)]
#[tokio::test(flavor = "multi_thread")]
async fn whether_a_tag_may_move(
    #[case] image: &str,
    #[case] mutable: bool,
    #[case] by: Option<&str>,
) {
    let desk = Desk::new().await;
    desk.secrets(&[]);
    let policy =
        r#"{"defaultPolicy": "ours", "policies": {"ours": {"pin": {"immutableTags": ["v*"]}}}}"#;
    desk.scratch.write("cotter.yaml", policy);
    let (document, _) = desk.json(&["resolve", "--no-network", image]);
    assert_eq!(only(&document)["mutable"], mutable);
    assert_eq!(only(&document)["immutableBy"].as_str(), by);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_digest_is_resolved_as_one() {
    let desk = Desk::new().await;
    desk.alice();
    let digest = desk.registry.push("team/app", "dev", &image("1"));
    desk.registry.push("team/app", "dev", &image("2"));
    let (document, code) = desk.json(&["resolve", &desk.image(&format!("team/app:dev@{digest}"))]);
    assert_eq!((code, &only(&document)["digest"]), (0, &json!(digest)));
}

#[tokio::test(flavor = "multi_thread")]
async fn people_read_it_too() {
    let desk = Desk::new().await;
    desk.alice();
    let digest = desk.registry.push("team/app", "dev", &image("1"));
    let host = desk.registry.host();
    let said = desk.cotter(&["resolve", &desk.image("team/app:dev")]).ok();
    for line in [
        format!("  digest      {digest}"),
        "  mutable     yes: tomorrow the tag may be another image".to_owned(),
        format!("  git SHA     {SHA} (config label {REVISION}; no tag of it proves that)"),
        "  created     2026-01-02 03:04 UTC".to_owned(),
        format!("  credential  1. pull secret ghcr, key {host}, user alice: answered"),
    ] {
        assert!(said.lines().any(|one| one == line), "{line}\n{said}");
    }
    let amd64 = said
        .lines()
        .find(|line| line.contains("linux/amd64"))
        .unwrap();
    assert!(
        amd64.starts_with("  platforms ") && amd64.contains("1.2 MB"),
        "{amd64}"
    );
}
