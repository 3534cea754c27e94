//! `cotter tags`.

use rstest::rstest;
use serde_json::Value;

use crate::{
    desk::{Desk, REVISION, SHA},
    oci_registry::Image,
};

/// A desk whose `team/app` has two builds, each with a version, and `latest` on the second.
async fn two_builds() -> (Desk, String, String) {
    let desk = Desk::new().await;
    desk.alice();
    let registry = &desk.registry;
    let old = Image::new("1").built("2026-01-01T00:00:00Z");
    let new = Image::new("2")
        .built("2026-02-01T00:00:00Z")
        .labelled(REVISION, SHA);
    let old = registry.push("team/app", "v1.9", &old);
    let new = registry.push("team/app", "v1.10", &new);
    for tag in ["latest", "sha-c6cd88e"] {
        registry.move_tag("team/app", tag, &new);
    }
    (desk, old, new)
}

fn tags(document: &Value) -> Vec<&str> {
    let tags = document["tags"].as_array().unwrap().iter();
    tags.map(|tag| tag["tag"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_with_what_they_mean_newest_first() {
    let (desk, old, new) = two_builds().await;
    let (document, code) = desk.json(&["tags", &desk.image("Team/App:whatever")]);
    assert_eq!(code, 0, "{document}");
    assert_eq!(document["repository"], desk.image("team/app"));
    assert_eq!(document["credential"]["user"], "alice");
    assert_eq!(
        (&document["matching"], &document["complete"]),
        (&4.into(), &true.into())
    );
    assert_eq!(tags(&document), ["latest", "v1.10", "sha-c6cd88e", "v1.9"]);
    let version = &document["tags"][1];
    assert_eq!(
        (&version["digest"], &version["isLatest"]),
        (&new.into(), &true.into())
    );
    assert_eq!(
        (&version["gitSha"], &version["gitShaTag"]),
        (&SHA.into(), &"sha-c6cd88e".into())
    );
    assert_eq!(version["created"], "2026-02-01T00:00:00Z");
    let earlier = &document["tags"][3];
    assert_eq!(
        (&earlier["digest"], &earlier["isLatest"]),
        (&old.into(), &false.into())
    );
    assert_eq!(earlier.get("gitSha"), None);
}

#[rstest]
#[case::limit(&["--limit", "2"], &["latest", "v1.10"])]
#[case::all(&["--limit", "0"], &["latest", "v1.10", "sha-c6cd88e", "v1.9"])]
#[case::glob(&["--match", "v*"], &["v1.10", "v1.9"])]
#[case::glob_and_limit(&["--match", "v1.?", "--limit", "1"], &["v1.9"])]
#[case::none(&["--match", "nothing"], &[])]
#[tokio::test(flavor = "multi_thread")]
async fn which_tags(#[case] args: &[&str], #[case] expected: &[&str]) {
    let (desk, ..) = two_builds().await;
    let image = desk.image("team/app");
    let args: Vec<&str> = ["tags", &image]
        .into_iter()
        .chain(args.iter().copied())
        .collect();
    let (document, code) = desk.json(&args);
    assert_eq!((tags(&document), code), (expected.to_vec(), 0));
    // Whether a tag is latest is told even where latest itself is not shown.
    let shown = document["tags"].as_array().unwrap();
    assert!(
        shown.iter().all(|tag| tag["isLatest"].is_boolean()),
        "{document}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_costs_its_pages_and_the_tags_that_are_shown() {
    let desk = Desk::new().await;
    desk.alice();
    for number in 0..250 {
        desk.registry
            .push("team/app", &format!("v{number}"), &Image::new("1"));
    }
    desk.registry.set_page(100);
    let (document, _) = desk.json(&["tags", &desk.image("team/app"), "--limit", "3"]);
    assert_eq!(tags(&document), ["v249", "v248", "v247"]);
    assert_eq!(
        (&document["matching"], &document["complete"]),
        (&250.into(), &true.into())
    );
    assert_eq!(
        document["tags"][0].get("isLatest"),
        None,
        "there is no latest"
    );
    let counts = desk.registry.take_counts();
    assert_eq!(
        (counts.pages, counts.heads, counts.gets, counts.blobs),
        (3, 3, 1, 1)
    );
}

#[rstest]
#[case::no_right("team/secret", "unauthorized")]
#[case::nothing("team/data", "notFound")]
#[tokio::test(flavor = "multi_thread")]
async fn no_list_is_a_finding(#[case] repository: &str, #[case] cause: &str) {
    let desk = Desk::new().await;
    desk.alice();
    let (document, code) = desk.json(&["tags", &desk.image(repository)]);
    assert_eq!(
        (code, &document["error"]["cause"]),
        (1, &cause.into()),
        "{document}"
    );
    let said = desk.cotter(&["tags", &desk.image(repository)]);
    assert_eq!((said.code, said.stderr.as_str()), (1, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn people_read_a_table() {
    let (desk, old, new) = two_builds().await;
    let image = desk.image("team/app");
    let said = desk.cotter(&["tags", &image, "--limit", "3"]);
    let (new, old) = (&new["sha256:".len()..][..12], &old["sha256:".len()..][..12]);
    assert_eq!(said.code, 0);
    assert_eq!(
        said.stdout.lines().collect::<Vec<_>>(),
        [
            "TAG     DIGEST        CREATED           GIT SHA           SAME AS".to_owned(),
            format!("latest  {new}  2026-02-01 00:00  c6cd88ef7de4"),
            format!("v1.10   {new}  2026-02-01 00:00  c6cd88ef7de4      latest"),
            format!("v1.9    {old}  2026-01-01 00:00"),
        ]
    );
    assert_eq!(
        said.stderr,
        "cotter: 3 of 4 tags are shown; --limit shows more, --match others\n"
    );
}
