//! What an image is, and the evidence for its commit.

use cotter::{
    domain::{digest::Digest, policy::Cause},
    registry::{
        client::Client,
        describe::{Depth, Description, RevisionPlace},
        reading::Place,
    },
};
use rstest::rstest;

use crate::{
    common::{alice, client_with, listed, settings},
    oci_registry::{Image, OciRegistry},
};

const SHA: &str = "c6cd88ef7de43520f6e95fcb87e6f2452b45edd4";
const REVISION: &str = "org.opencontainers.image.revision";
const VCS_REF: &str = "org.label-schema.vcs-ref";
const CREATED: &str = "org.opencontainers.image.created";
const BOTH: &[&str] = &["linux/arm64", "linux/amd64"];
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

async fn start() -> (OciRegistry, Client) {
    let registry = OciRegistry::start().await;
    registry.add_user("alice", "wonderland", &["team/app"]);
    let client = client_with(settings(vec![listed(&registry.host(), registry.ca_pem())]));
    (registry, client)
}

async fn described(
    registry: &OciRegistry,
    client: &Client,
    digest: &str,
    depth: Depth,
) -> Description {
    let place = Place {
        host: registry.host().into(),
        repository: "team/app".into(),
        credential: Some(alice()),
    };
    let digest = Digest::parse(digest).unwrap();
    client.describe(place, &digest, depth).await.unwrap()
}

#[tokio::test]
async fn an_image_without_an_index() {
    let (registry, client) = start().await;
    let image = Image::new("1")
        .of_layers(&[1_000, 234])
        .built("2026-01-02T03:04:05Z");
    let digest = registry.push("team/app", "dev", &image);
    let found = described(&registry, &client, &digest, Depth::Summary).await;
    assert_eq!(found.media_type, MANIFEST);
    assert_eq!(found.created.unwrap().to_string(), "2026-01-02T03:04:05Z");
    assert_eq!(found.revision, None);
    let [only] = found.platforms.try_into().unwrap();
    assert_eq!(only.platform.as_deref(), Some("linux/amd64"));
    assert_eq!(
        (only.digest.as_str(), only.size),
        (digest.as_str(), Some(1_234))
    );
}

#[rstest]
#[case::summary(Depth::Summary, [None, Some(5)], 2)]
#[case::sizes(Depth::Sizes, [Some(5), Some(5)], 3)]
#[tokio::test]
async fn the_platforms_of_an_index(
    #[case] depth: Depth,
    #[case] sizes: [Option<u64>; 2],
    #[case] gets: usize,
) {
    let (registry, client) = start().await;
    let platforms = [BOTH, &["unknown/unknown"]].concat();
    let image = Image::new("1").of_layers(&[2, 3]).for_platforms(&platforms);
    let digest = registry.push("team/app", "dev", &image);
    let found = described(&registry, &client, &digest, depth).await;
    assert_eq!(found.media_type, INDEX);
    let names: Vec<_> = found
        .platforms
        .iter()
        .map(|one| one.platform.as_deref())
        .collect();
    assert_eq!(names, [Some("linux/arm64"), Some("linux/amd64")]);
    let found: Vec<_> = found.platforms.iter().map(|one| one.size).collect();
    assert_eq!(found, sizes);
    let counts = registry.take_counts();
    assert_eq!((counts.gets, counts.blobs), (gets, 1));
}

#[tokio::test]
async fn an_index_that_lists_what_is_not_there() {
    let (registry, client) = start().await;
    let image = Image::new("1").of_layers(&[2, 3]).for_platforms(BOTH);
    let digest = registry.push("team/app", "dev", &image);
    let whole = described(&registry, &client, &digest, Depth::Sizes).await;
    registry.delete(whole.platforms[0].digest.as_str());
    let found = described(&registry, &client, &digest, Depth::Sizes).await;
    let sizes: Vec<_> = found.platforms.iter().map(|one| one.size).collect();
    assert_eq!(sizes, [None, Some(5)]);
}

#[rstest]
#[case::index(Image::new("1").annotated(REVISION, SHA).for_platforms(BOTH), RevisionPlace::Index, REVISION)]
#[case::manifest(Image::new("1").annotated(REVISION, SHA), RevisionPlace::Manifest, REVISION)]
#[case::label(Image::new("1").labelled(REVISION, SHA), RevisionPlace::Label, REVISION)]
#[case::old_label(Image::new("1").labelled(VCS_REF, SHA), RevisionPlace::Label, VCS_REF)]
#[case::annotation_before_label(Image::new("1").annotated(REVISION, SHA).labelled(VCS_REF, &"0".repeat(40)), RevisionPlace::Manifest, REVISION)]
#[tokio::test]
async fn the_commit_and_where_it_stands(
    #[case] image: Image,
    #[case] place: RevisionPlace,
    #[case] name: &str,
) {
    let (registry, client) = start().await;
    let digest = registry.push("team/app", "dev", &image);
    let found = described(&registry, &client, &digest, Depth::Summary).await;
    let revision = found.revision.unwrap();
    assert_eq!(
        (revision.commit.as_str(), revision.place, revision.name),
        (SHA, place, name)
    );
    assert_eq!(revision.tag, None, "nothing proves it");
    registry.push("team/app", SHA, &Image::new("another"));
    registry.move_tag("team/app", "sha-c6cd88e", &digest);
    let found = described(&registry, &client, &digest, Depth::Summary).await;
    assert_eq!(found.revision.unwrap().tag.as_deref(), Some("sha-c6cd88e"));
}

#[rstest]
#[case::config(Image::new("1").built("2026-01-02T03:04:05Z"), Some("2026-01-02T03:04:05Z"))]
#[case::annotation(Image::new("1").annotated(CREATED, "2026-02-02T03:04:05Z").built("2026-01-02T03:04:05Z"), Some("2026-02-02T03:04:05Z"))]
#[case::label_of_the_base_image(Image::new("1").labelled(CREATED, "2020-02-02T03:04:05Z"), None)]
#[case::reproducible(Image::new("1").built("1970-01-01T00:00:00Z"), None)]
#[case::reproducible_zip(Image::new("1").built("1980-01-01T00:00:01Z"), None)]
#[case::no_date(Image::new("1").built("yesterday"), None)]
#[tokio::test]
async fn the_date(#[case] image: Image, #[case] expected: Option<&str>) {
    let (registry, client) = start().await;
    let digest = registry.push("team/app", "dev", &image);
    let found = described(&registry, &client, &digest, Depth::Summary).await;
    assert_eq!(found.created.map(|at| at.to_string()).as_deref(), expected);
}

#[tokio::test]
async fn nothing_is_described_to_whom_it_is_not_for() {
    let (registry, client) = start().await;
    let digest = registry.push("team/app", "dev", &Image::new("1"));
    described(&registry, &client, &digest, Depth::Sizes).await;
    let place = Place {
        host: registry.host().into(),
        repository: "team/app".into(),
        credential: None,
    };
    let digest = Digest::parse(&digest).unwrap();
    let refused = client.describe(place, &digest, Depth::Sizes).await;
    assert_eq!(refused.unwrap_err().cause, Cause::Unauthorized);
}
