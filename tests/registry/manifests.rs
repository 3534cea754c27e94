//! HEAD, GET, and what they may not tell.

use std::time::{Duration, Instant};

use cotter::{
    admission::ports::Ask,
    domain::{digest::Digest, policy::Cause},
    registry::settings::Settings,
};
use http::{Method, Version};
use rstest::rstest;

use crate::{
    common::{ask, client_of, client_with, listed, outcome, settings},
    hostile::{Content, Hostile, MANIFEST, Tricks},
};

const OTHER: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

fn right() -> String {
    Digest::of(MANIFEST.as_bytes()).to_string()
}

#[rstest]
#[case::http_1(&["http/1.1"], Version::HTTP_11)]
#[case::http_2(&["h2", "http/1.1"], Version::HTTP_2)]
#[tokio::test]
async fn one_head_with_one_accept_line(#[case] alpn: &[&str], #[case] version: Version) {
    let registry = Hostile::speaking(alpn, Tricks::default()).await;
    let client = client_of(&registry);
    for _ in 0..2 {
        let found = outcome(&client, ask(&registry.host(), "team/app", "dev")).await;
        assert_eq!(found, Ok(right()));
        let seen = registry.take_seen();
        assert_eq!(seen.len(), 1, "{seen:?}");
        assert_eq!((&seen[0].method, seen[0].version), (&Method::HEAD, version));
        assert_eq!(seen[0].path, "/v2/team/app/manifests/dev");
        assert_eq!(seen[0].accept.len(), 1);
        assert_eq!(seen[0].accept[0].split(", ").count(), 4);
    }
}

fn tricks(change: impl FnOnce(&mut Tricks)) -> Tricks {
    let mut tricks = Tricks::default();
    change(&mut tricks);
    tricks
}

#[rstest]
#[case::head_400(tricks(|t| t.head = Some(400)))]
#[case::head_403(tricks(|t| t.head = Some(403)))]
#[case::head_405(tricks(|t| t.head = Some(405)))]
#[case::head_501(tricks(|t| t.head = Some(501)))]
#[case::no_digest(tricks(|t| t.digest = Some(String::new())))]
#[case::no_digest_at_all(tricks(|t| t.digest = Some("latest".into())))]
#[case::upper_case_digest(tricks(|t| t.digest = Some(right().to_uppercase())))]
#[case::sha512(tricks(|t| t.digest = Some(format!("sha512:{}", "a".repeat(128)))))]
#[case::octet_stream(tricks(|t| t.media_type = Some("application/octet-stream")))]
#[tokio::test]
async fn where_head_does_not_serve_the_body_is_hashed(#[case] tricks: Tricks) {
    let registry = Hostile::start(tricks).await;
    let found = outcome(
        &client_of(&registry),
        ask(&registry.host(), "team/app", "dev"),
    )
    .await;
    assert_eq!(found, Ok(right()));
    let methods: Vec<_> = registry
        .take_seen()
        .into_iter()
        .map(|seen| seen.method)
        .collect();
    assert_eq!(methods, [Method::HEAD, Method::GET]);
}

#[rstest]
#[case::another_digest_than_the_body(tricks(|t| { t.head = Some(405); t.digest = Some(OTHER.into()); }), Cause::Refused)]
#[case::schema_1_by_type(tricks(|t| t.media_type = Some("application/vnd.docker.distribution.manifest.v1+prettyjws")), Cause::Refused)]
#[case::schema_1_by_body(tricks(|t| { t.head = Some(405); t.content = Content::Bytes(br#"{"schemaVersion":1}"#.to_vec()); }), Cause::Refused)]
#[case::a_web_page(tricks(|t| { t.media_type = Some("text/html"); t.content = Content::Bytes(b"<html>".to_vec()); }), Cause::Unavailable)]
#[case::endless(tricks(|t| { t.head = Some(405); t.content = Content::Endless; }), Cause::Unavailable)]
#[case::too_long(tricks(|t| { t.head = Some(405); t.content = Content::Bytes(vec![b' '; (4 << 20) + 1]); }), Cause::Unavailable)]
#[case::stalls(tricks(|t| { t.head = Some(405); t.content = Content::Stalling; }), Cause::Unavailable)]
#[case::hangs(tricks(|t| t.hangs = true), Cause::Unavailable)]
#[case::status_404(tricks(|t| t.status = Some((404, "UNKNOWN"))), Cause::NotFound)]
#[case::ecr_400(tricks(|t| t.status = Some((400, "NAME_UNKNOWN"))), Cause::NotFound)]
#[case::status_403_unknown(tricks(|t| t.status = Some((403, "MANIFEST_UNKNOWN"))), Cause::NotFound)]
#[case::status_403(tricks(|t| t.status = Some((403, "DENIED"))), Cause::Unauthorized)]
#[case::status_400_denied(tricks(|t| t.status = Some((400, "DENIED"))), Cause::Unauthorized)]
#[case::status_400(tricks(|t| t.status = Some((400, "SIZE_INVALID"))), Cause::Unavailable)]
#[case::status_500(tricks(|t| t.status = Some((500, "MANIFEST_UNKNOWN"))), Cause::Unavailable)]
#[case::status_503(tricks(|t| t.status = Some((503, ""))), Cause::Unavailable)]
#[case::status_418(tricks(|t| t.status = Some((418, ""))), Cause::Unavailable)]
#[case::partial_200(tricks(|t| t.status = Some((206, ""))), Cause::Unavailable)]
#[tokio::test]
async fn failures_have_a_cause(#[case] tricks: Tricks, #[case] cause: Cause) {
    let registry = Hostile::start(tricks).await;
    let client = client_with(Settings {
        timeout: Duration::from_millis(800),
        ..settings(vec![listed(&registry.host(), registry.ca_pem())])
    });
    let found = outcome(&client, ask(&registry.host(), "team/app", "dev")).await;
    assert_eq!(found, Err(cause));
}

#[tokio::test]
async fn the_deadline_holds_while_the_registry_hangs() {
    let registry = Hostile::start(tricks(|t| t.hangs = true)).await;
    let client = client_of(&registry);
    let start = Instant::now();
    let short = Ask {
        deadline: start + Duration::from_millis(150),
        ..ask(&registry.host(), "team/app", "dev")
    };
    assert_eq!(outcome(&client, short).await, Err(Cause::Unavailable));
    let took = start.elapsed();
    assert!(
        took < Duration::from_secs(2),
        "{took:?} of the look-up's 5 s"
    );
}

#[rstest]
#[case::the_same(&right(), None, Ok(right()))]
#[case::another(OTHER, None, Err(Cause::Refused))]
#[case::another_by_body(OTHER, Some(405), Err(Cause::Refused))]
#[tokio::test]
async fn a_digest_is_itself_or_nothing(
    #[case] digest: &str,
    #[case] head: Option<u16>,
    #[case] expected: Result<String, Cause>,
) {
    let registry = Hostile::start(tricks(|t| t.head = head)).await;
    let found = outcome(
        &client_of(&registry),
        ask(&registry.host(), "team/app", digest),
    )
    .await;
    assert_eq!(found, expected);
}

#[rstest]
#[case::query("team/app?x=", "dev")]
#[case::fragment("team/app", "dev#")]
#[case::up("team/../app", "dev")]
#[case::up_in_the_tag("team/app", "../../_catalog")]
#[case::line_break("team/app", "dev\r\nX-Evil: 1")]
#[case::escape("team/%2e%2e", "dev")]
#[case::empty("", "dev")]
#[tokio::test]
async fn names_that_mean_something_in_a_url_are_not_sent(
    #[case] repository: &str,
    #[case] tag: &str,
) {
    let registry = Hostile::start(Tricks::default()).await;
    let found = outcome(
        &client_of(&registry),
        ask(&registry.host(), repository, tag),
    )
    .await;
    assert_eq!(found, Err(Cause::Refused));
    assert!(registry.take_seen().is_empty());
}
