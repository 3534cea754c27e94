//! Which images the kubelet gives the pull secret of a place to.

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::domain::{
    docker_config::SecretType, keyring::Keyring, pull_secret::PullSecret, reference::Reference,
    secret_manifest::docker_config_json,
};

/// Whether the kubelet, which holds this key's pull secret alone, tries it for an image.
fn is_tried(key: &str, image: &str) -> bool {
    let content = docker_config_json(key, "bot", b"pw", "");
    let secret = PullSecret::read("s", SecretType::DockerConfigJson, &content);
    let name = Reference::parse(image).unwrap();
    !Keyring::new([&secret])
        .lookup(name.lookup_name())
        .is_empty()
}

#[rstest]
#[case::ghcr(Kind::Ghcr, "", &["ghcr.io/a/b", "ghcr.io/x"], &["quay.io/a/b", "nginx", "ghcr.io:443/a/b"])]
#[case::an_owner(
    Kind::Ghcr,
    "owner=Acme",
    &["ghcr.io/acme/app", "ghcr.io/acme/team/app:1"],
    &["ghcr.io/acme-evil/app", "ghcr.io/acme2/app", "ghcr.io/other/app", "ghcr.io/acme"]
)]
#[case::an_owner_that_looks_like_the_api(
    Kind::Ghcr,
    "owner=v1",
    &["ghcr.io/v1/app"],
    &["ghcr.io/other/app", "ghcr.io/v2/app", "ghcr.io/v10/app"]
)]
#[case::a_team_below_such_an_owner(
    Kind::Quay,
    "owner=v2/v1",
    &["quay.io/v2/v1/app"],
    &["quay.io/v2/app", "quay.io/v1/app", "quay.io/app"]
)]
#[case::hub(
    Kind::DockerHub,
    "",
    &["nginx", "acme/app:1", "docker.io/acme/app", "index.docker.io/acme/app"],
    &["ghcr.io/acme/app", "registry-1.docker.io/acme/app", "docker.io:443/acme/app"]
)]
#[case::an_owner_on_hub(
    Kind::DockerHub,
    "owner=ACME",
    &["acme/app", "docker.io/acme/app:1", "index.docker.io/acme/app"],
    &["nginx", "acme-evil/app", "library/acme", "ghcr.io/acme/app"]
)]
#[case::official_images(Kind::DockerHub, "owner=library", &["nginx", "library/nginx"], &["acme/nginx"])]
#[case::an_owner_on_hub_that_looks_like_the_api(
    Kind::DockerHub,
    "owner=v2",
    &["v2/app"],
    &["v1/app", "nginx", "acme/app"]
)]
#[case::custom(
    Kind::Custom,
    "url=https://r.test:5000/Team/",
    &["r.test:5000/team/app"],
    &["r.test/team/app", "r.test:5000/team-b/app", "r.test:5000/other/app"]
)]
#[case::public_hub(Kind::Public, "host=docker.io", &["nginx"], &["ghcr.io/a/b"])]
fn the_key_matches(
    #[case] kind: Kind,
    #[case] spec: &'static str,
    #[case] images: &[&str],
    #[case] others: &[&str],
) {
    let key = place(kind, spec).key;
    for image in images {
        assert!(is_tried(&key, image), "{key} for {image}");
    }
    for image in others {
        assert!(!is_tried(&key, image), "{key} for {image}");
    }
}

proptest! {
    #[test]
    fn an_owner_gets_its_own_images_only(
        kind in prop::sample::select(vec![Kind::Ghcr, Kind::DockerHub, Kind::Quay, Kind::Gcr]),
        owner in "/?(v1|v2|a|A-b|a\\.b|library|_|-)(/(v1|v2|c)){0,2}/?",
        image in "((v1|v2|a|a-b|c)/){0,3}x",
    ) {
        let mut wanted = Wanted::new(kind);
        wanted.owner = Some(&owner);
        let Ok(Located::At(place)) = wanted.place() else {
            return Ok(());
        };
        let owner = owner.trim_matches('/').to_ascii_lowercase();
        let own = format!("{}/{owner}/{image}", place.host);
        prop_assert!(is_tried(&place.key, &own), "{} for {own}", place.key);
        let other = format!("{}/{image}", place.host);
        let path = Reference::parse(&other).unwrap().path().to_owned();
        let is_own = path.starts_with(&format!("{owner}/"));
        prop_assert_eq!(is_tried(&place.key, &other), is_own, "{} for {}", place.key, other);
    }

    #[test]
    fn whatever_host_is_taken_is_one_of_images(
        url in "(https://|http://)?([a-zA-Z*_-]{1,2}\\.|\\[::1\\]|bot@)?(test|Test|a-b|[a-z%?]{1,3})(:[0-9x]{0,4})?(/[a-zA-Z0-9._@:-]{0,4}){0,2}",
        image in "(a/)?x",
    ) {
        let mut wanted = Wanted::new(Kind::Custom);
        wanted.url = Some(&url);
        let Ok(Located::At(place)) = wanted.place() else {
            return Ok(());
        };
        prop_assert!(!place.key.contains(|c: char| c.is_uppercase() || "*?@".contains(c)));
        let path = place.key.strip_prefix(place.host.as_str()).unwrap().trim_end_matches('/');
        // Where the path looks like the API's, the key has a /v2/ for the kubelet to take away.
        let path = path.strip_prefix("/v2").filter(|path| !path.is_empty()).unwrap_or(path);
        let own = format!("{}{path}/{image}", place.host);
        prop_assert!(is_tried(&place.key, &own), "{} for {own}", place.key);
        let elsewhere = format!("else.{}{path}/{image}", place.host);
        if Reference::parse(&elsewhere).is_ok() {
            prop_assert!(!is_tried(&place.key, &elsewhere), "{} for {elsewhere}", place.key);
        }
    }
}
