//! The registries.

use std::io;

use crate::support::http_client::{HttpClient, Reply};
use crate::support::image::{Artifact, INDEX, Image, MANIFEST, OLD_REVISION, REVISION};
use crate::support::registry_part::{ALICE, BOB, Registry};
use crate::support::require;

const SHA: &str = "c6cd88ef0123456789abcdef0123456789abcdef";
const NOBODY: (&str, &str) = ("", "");

fn manifest(client: &HttpClient, registry: &Registry, repository: &str) -> io::Result<Reply> {
    let path = format!("/v2/{repository}/manifests/dev");
    let accept = format!("{MANIFEST}, {INDEX}");
    client.send("GET", registry.host(), &path, &[("Accept", &accept)], b"")
}

fn crane_digest(registry: &Registry, image: &str) -> String {
    let digest = registry.crane(&["digest", &registry.image(image)]).ok();
    digest.trim().to_owned()
}

fn alice(registry: &Registry) -> HttpClient {
    HttpClient::new(registry.ca()).basic(ALICE.0, ALICE.1)
}

#[test]
fn crane_pushes_an_index_and_puts_a_second_tag_on_it() {
    require!("registry", "crane");
    let registry = Registry::basic();
    let amd64 = Image::new("one").label(OLD_REVISION, SHA).build();
    let arm64 = Image::new("one").architecture("arm64").build();
    let index = Artifact::index(vec![amd64.clone(), arm64], &[(REVISION, SHA)]);
    assert_eq!(
        registry.crane_push("acme/multi", &index, "dev"),
        index.digest()
    );
    assert_eq!(
        registry.crane_push("acme/app", &amd64, "dev"),
        amd64.digest()
    );
    registry
        .crane(&["tag", &registry.image("acme/multi:dev"), SHA])
        .ok();
    assert_eq!(
        crane_digest(&registry, &format!("acme/multi:{SHA}")),
        index.digest()
    );
    let stored = manifest(&alice(&registry), &registry, "acme/multi").unwrap();
    assert_eq!(
        stored.header("docker-content-digest"),
        Some(index.digest().as_str())
    );
    assert_eq!(stored.body, index.manifest);
}

#[test]
fn a_plain_push_moves_a_tag_and_retention_deletes() {
    require!("registry", "crane");
    let registry = Registry::basic();
    let (one, two) = (
        Image::new("one").build(),
        Image::new("two").annotation(REVISION, SHA).build(),
    );
    registry.push("acme/app", &one, &["dev"]);
    assert_eq!(crane_digest(&registry, "acme/app:dev"), one.digest());
    registry.push("acme/app", &two, &["dev", SHA, "sha-c6cd88e"]);
    for tag in ["dev", SHA, "sha-c6cd88e"] {
        assert_eq!(
            crane_digest(&registry, &format!("acme/app:{tag}")),
            two.digest()
        );
    }
    registry.delete("acme/app", &two.digest());
    assert_eq!(
        manifest(&alice(&registry), &registry, "acme/app")
            .unwrap()
            .status,
        404
    );
}

#[test]
fn the_access_log_tells_requests_but_not_pushes() {
    require!("registry", "crane");
    let registry = Registry::basic();
    registry.push("acme/app", &Image::new("one").build(), &["dev"]);
    crane_digest(&registry, "acme/app:dev");
    assert_eq!(registry.requests(), []);
    assert_eq!(
        manifest(&HttpClient::new(registry.ca()), &registry, "acme/app")
            .unwrap()
            .status,
        401
    );
    assert_eq!(
        manifest(&alice(&registry), &registry, "acme/app")
            .unwrap()
            .status,
        200
    );
    let seen = registry.requests();
    let seen: Vec<_> = seen
        .iter()
        .map(|one| (one.method.as_str(), one.path.as_str(), one.status))
        .collect();
    assert_eq!(
        seen,
        [
            ("GET", "/v2/acme/app/manifests/dev", 401),
            ("GET", "/v2/acme/app/manifests/dev", 200)
        ]
    );
}

#[test]
fn tokens_are_granted_by_user_and_repository() {
    require!("registry", "crane");
    let registry = Registry::token();
    let image = Image::new("one").build();
    for repository in ["acme/app", "beta/app", "public/app"] {
        registry.push(repository, &image, &["dev"]);
    }
    for (user, repository, status) in [
        (ALICE, "acme/app", 200),
        (ALICE, "beta/app", 401),
        (ALICE, "public/app", 200),
        (BOB, "beta/app", 200),
        (NOBODY, "public/app", 200),
        (NOBODY, "acme/app", 401),
    ] {
        assert_eq!(
            status_with_token(&registry, user, repository),
            status,
            "{user:?} {repository}"
        );
    }
}

fn status_with_token(registry: &Registry, (user, password): (&str, &str), repository: &str) -> u16 {
    let client = HttpClient::new(registry.tokens().ca());
    let client = if user.is_empty() {
        client
    } else {
        client.basic(user, password)
    };
    let path = format!(
        "/token?service=registry.test&scope=repository%3A{}%3Apull",
        repository.replace('/', "%2F")
    );
    let token = client.get(&registry.tokens().host(), &path).unwrap().json();
    let client = HttpClient::new(registry.ca()).bearer(token["token"].as_str().unwrap());
    manifest(&client, registry, repository).unwrap().status
}

#[test]
fn crane_gets_its_token_where_the_challenge_says() {
    require!("registry", "crane");
    let registry = Registry::token();
    let image = Image::new("one").build();
    assert_eq!(
        registry.crane_push("acme/app", &image, "dev"),
        image.digest()
    );
    let asked = registry.tokens().requests();
    assert!(!asked.is_empty());
    assert!(
        asked
            .iter()
            .all(|one| one.user.as_deref() == Some("pusher") && one.status == 200),
        "{asked:?}"
    );
    let refused = manifest(&HttpClient::new(registry.ca()), &registry, "acme/app").unwrap();
    let challenge = refused.header("www-authenticate").unwrap();
    assert!(
        challenge.contains(&registry.tokens().realm()),
        "{challenge}"
    );
    assert!(
        challenge.contains("repository:acme/app:pull"),
        "{challenge}"
    );
}

#[test]
fn the_token_server_refuses_stops_and_resumes() {
    require!("registry");
    let registry = Registry::token();
    let tokens = registry.tokens();
    let client = HttpClient::new(tokens.ca());
    let ask = |client: &HttpClient| client.get(&tokens.host(), "/token");
    tokens.refuse(429, &[("Retry-After", "60")]);
    assert_eq!(ask(&client).unwrap().header("retry-after"), Some("60"));
    tokens.stop();
    assert!(ask(&client).is_err());
    tokens.resume();
    tokens.grant_again();
    assert_eq!(ask(&client).unwrap().status, 200);
    assert_eq!(ask(&client.basic("alice", "wrong")).unwrap().status, 401);
    let seen: Vec<_> = tokens
        .requests()
        .into_iter()
        .map(|one| (one.user, one.status))
        .collect();
    assert_eq!(
        seen,
        [(None, 429), (None, 200), (Some("alice".to_owned()), 401)]
    );
}

#[test]
fn a_registry_comes_back_with_its_content() {
    require!("registry");
    let mut registry = Registry::basic();
    let image = Image::new("one").build();
    registry.push("acme/app", &image, &["dev"]);
    let alice = alice(&registry);
    registry.stop();
    assert!(alice.get(registry.host(), "/v2/").is_err());
    registry.restart();
    registry.process().signal("STOP");
    registry.process().signal("CONT");
    assert_eq!(
        manifest(&alice, &registry, "acme/app").unwrap().body,
        image.manifest
    );
}
