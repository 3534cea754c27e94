//! Style `git-sha`: the commit's tag of the same digest.

use std::time::{Duration, Instant};

use cotter::{
    admission::ports::{Ask, Registry as _},
    domain::{policy::PinStyle, question::Resolved},
    registry::client::Client,
};
use rstest::rstest;

use crate::{
    common::{alice, ask, ask_as, client_with, listed, settings},
    oci_registry::{Image, OciRegistry},
};

const SHA: &str = "c6cd88ef7de43520f6e95fcb87e6f2452b45edd4";
const REVISION: &str = "org.opencontainers.image.revision";
const VCS_REF: &str = "org.label-schema.vcs-ref";
const BOTH: &[&str] = &["linux/arm64", "linux/amd64"];

async fn start() -> (OciRegistry, Client) {
    let registry = OciRegistry::start().await;
    registry.add_user("alice", "wonderland", &["team/app"]);
    let client = client_with(settings(vec![listed(&registry.host(), registry.ca_pem())]));
    (registry, client)
}

async fn resolved(registry: &OciRegistry, client: &Client) -> Resolved {
    let by_commit = Ask {
        style: PinStyle::GitSha,
        ..ask_as(&alice(), ask(&registry.host(), "team/app", "dev"))
    };
    client.resolve(by_commit).await.unwrap()
}

#[rstest]
#[case::manifest_annotation(Image::new("1").annotated(REVISION, SHA))]
#[case::index_annotation(Image::new("1").annotated(REVISION, SHA).for_platforms(BOTH))]
#[case::config_label(Image::new("1").labelled(REVISION, SHA))]
#[case::config_label_below_an_index(Image::new("1").labelled(REVISION, SHA).for_platforms(BOTH))]
#[case::old_label(Image::new("1").labelled(VCS_REF, SHA))]
#[case::old_label_beside_a_useless_new_one(Image::new("1").labelled(VCS_REF, SHA).labelled(REVISION, "v1.2"))]
#[case::old_annotation(Image::new("1").annotated(VCS_REF, SHA))]
#[case::no_amd64(Image::new("1").labelled(REVISION, SHA).for_platforms(&["linux/arm64"]))]
#[case::attestation_first(Image::new("1").labelled(REVISION, SHA).for_platforms(&["unknown/unknown", "linux/arm64"]))]
#[tokio::test]
async fn the_commit_is_found(#[case] image: Image) {
    for tag in [SHA.to_owned(), "sha-c6cd88e".into(), format!("sha-{SHA}")] {
        let (registry, client) = start().await;
        let digest = registry.push("team/app", "dev", &image);
        registry.move_tag("team/app", &tag, &digest);
        let found = resolved(&registry, &client).await;
        assert_eq!(found.digest.as_str(), digest);
        assert_eq!(found.sha_tag.as_deref(), Some(tag.as_str()));
    }
}

#[rstest]
#[case::no_revision(Image::new("1"))]
#[case::no_commit_id(Image::new("1").labelled(REVISION, "v1.2.3"))]
#[case::short_id(Image::new("1").labelled(REVISION, "c6cd88e"))]
#[case::upper_case(Image::new("1").labelled(REVISION, &SHA.to_uppercase()))]
#[tokio::test]
async fn without_a_commit_the_digest_is_the_answer(#[case] image: Image) {
    let (registry, client) = start().await;
    let digest = registry.push("team/app", "dev", &image);
    let found = resolved(&registry, &client).await;
    assert_eq!(
        (found.digest.as_str(), found.sha_tag),
        (digest.as_str(), None)
    );
    registry.take_counts();
    resolved(&registry, &client).await;
    let counts = registry.take_counts();
    assert_eq!(
        (counts.heads, counts.gets, counts.blobs),
        (1, 0, 0),
        "none is remembered"
    );
}

#[tokio::test]
async fn a_commits_tag_of_another_digest_is_not_taken() {
    let (registry, client) = start().await;
    let digest = registry.push("team/app", "dev", &Image::new("1").labelled(REVISION, SHA));
    registry.push("team/app", SHA, &Image::new("2"));
    assert_eq!(resolved(&registry, &client).await.sha_tag, None);
    registry.move_tag("team/app", "sha-c6cd88e", &digest);
    let found = resolved(&registry, &client).await;
    assert_eq!(found.sha_tag.as_deref(), Some("sha-c6cd88e"));
}

#[tokio::test]
async fn a_revision_is_read_once() {
    let (registry, client) = start().await;
    let image = Image::new("1").labelled(REVISION, SHA).for_platforms(BOTH);
    let digest = registry.push("team/app", "dev", &image);
    registry.move_tag("team/app", SHA, &digest);
    resolved(&registry, &client).await;
    let counts = registry.take_counts();
    assert_eq!((counts.heads, counts.gets, counts.blobs), (2, 2, 1));
    resolved(&registry, &client).await;
    let counts = registry.take_counts();
    assert_eq!((counts.heads, counts.gets, counts.blobs), (2, 0, 0));
}

#[tokio::test]
async fn at_the_deadline_the_digest_alone_is_the_answer() {
    let (registry, client) = start().await;
    let digest = registry.push("team/app", "dev", &Image::new("1").labelled(REVISION, SHA));
    // Cold: two round trips for the connection, three for the digest; the revision takes three more.
    registry.set_round_trip(Duration::from_millis(100));
    let hasty = Ask {
        style: PinStyle::GitSha,
        deadline: Instant::now() + Duration::from_millis(640),
        ..ask_as(&alice(), ask(&registry.host(), "team/app", "dev"))
    };
    let found = client.resolve(hasty).await.unwrap();
    assert_eq!(
        (found.digest.as_str(), found.sha_tag),
        (digest.as_str(), None)
    );
}
