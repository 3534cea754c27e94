//! Challenges and tokens: what is fetched, what is sent where, and how often.

use std::sync::Arc;

use cotter::{
    domain::{credential::Credential, policy::Cause},
    registry::{client::Client, settings::HostSettings},
};
use rstest::rstest;

use crate::{
    common::{alice, ask, ask_as, client_of, client_with, listed, outcome, settings},
    hostile::{Grant, Hostile, Seen, Tricks, Wants},
    oci_registry::{Counts, Image, OciRegistry},
};

const ALICE: &str = "Basic YWxpY2U6d29uZGVybGFuZA==";

fn bearer() -> Tricks {
    Tricks {
        wants: Wants::Bearer,
        ..Tricks::default()
    }
}

fn paths(seen: &[Seen]) -> Vec<String> {
    let path = |seen: &Seen| seen.path.replace("/v2/team/app/manifests/", "");
    seen.iter()
        .map(|seen| format!("{} {}", seen.method, path(seen)))
        .collect()
}

async fn as_alice(client: &Client, registry: &Hostile, tag: &str) -> Result<String, Cause> {
    outcome(
        client,
        ask_as(&alice(), ask(&registry.host(), "team/app", tag)),
    )
    .await
}

#[tokio::test]
async fn cold_is_three_requests_and_warm_is_one() {
    let registry = Hostile::start(bearer()).await;
    let client = client_of(&registry);
    assert!(as_alice(&client, &registry, "dev").await.is_ok());
    let seen = registry.take_seen();
    assert_eq!(paths(&seen), ["HEAD dev", "GET /token", "HEAD dev"]);
    let sent: Vec<_> = seen
        .iter()
        .map(|seen| seen.authorization.as_deref())
        .collect();
    assert_eq!(sent, [None, Some(ALICE), Some("Bearer granted")]);
    assert!(as_alice(&client, &registry, "other").await.is_ok());
    assert_eq!(paths(&registry.take_seen()), ["HEAD other"]);
}

#[tokio::test]
async fn a_well_behaved_registry_is_asked_no_more_than_needed() {
    let registry = OciRegistry::start().await;
    registry.add_user("alice", "wonderland", &["team/app"]);
    let digest = registry.push("team/app", "dev", &Image::new("1"));
    let client = client_with(settings(vec![listed(&registry.host(), registry.ca_pem())]));
    let dev = || ask_as(&alice(), ask(&registry.host(), "team/app", "dev"));
    let cold = Counts {
        challenges: 1,
        tokens: 1,
        heads: 1,
        ..Counts::default()
    };
    let warm = Counts {
        heads: 1,
        ..Counts::default()
    };
    for expected in [cold, warm] {
        assert_eq!(outcome(&client, dev()).await, Ok(digest.clone()));
        assert_eq!(registry.take_counts(), expected);
    }
    registry.revoke_tokens();
    assert_eq!(outcome(&client, dev()).await, Ok(digest));
    assert_eq!(
        registry.take_counts(),
        cold,
        "a revoked token is replaced once"
    );
}

#[tokio::test]
async fn a_grant_that_does_not_do_is_not_repeated() {
    let registry = OciRegistry::start().await;
    registry.add_user("alice", "wonderland", &["team/other"]);
    registry.push("team/app", "dev", &Image::new("1"));
    let client = client_with(settings(vec![listed(&registry.host(), registry.ca_pem())]));
    let dev = || ask_as(&alice(), ask(&registry.host(), "team/app", "dev"));
    assert_eq!(outcome(&client, dev()).await, Err(Cause::Unauthorized));
    let counts = registry.take_counts();
    assert_eq!((counts.challenges, counts.tokens), (2, 1));
    let wrong = Arc::new(Credential::new("alice", "guess"));
    let found = outcome(&client, ask_as(&wrong, dev())).await;
    assert_eq!(found, Err(Cause::Unauthorized));
}

#[tokio::test]
async fn a_stale_token_is_exchanged_once() {
    let registry = Hostile::start(bearer()).await;
    let client = client_of(&registry);
    assert!(as_alice(&client, &registry, "dev").await.is_ok());
    registry.grant("renewed");
    registry.take_seen();
    assert!(as_alice(&client, &registry, "dev").await.is_ok());
    assert_eq!(
        paths(&registry.take_seen()),
        ["HEAD dev", "GET /token", "HEAD dev"]
    );
    registry.grant("never granted");
    registry.trick(|t| t.token = Some(Grant::Body(r#"{"token":"worthless"}"#.into())));
    assert_eq!(
        as_alice(&client, &registry, "dev").await,
        Err(Cause::Unauthorized)
    );
    assert_eq!(registry.take_seen().len(), 3);
}

#[rstest]
#[case::line_break(Grant::Body(r#"{"token":"a\nb"}"#.into()), Cause::Unavailable)]
#[case::injected_header(Grant::Body(r#"{"token":"a\r\nX-Evil: 1"}"#.into()), Cause::Unavailable)]
#[case::not_ascii(Grant::Body(r#"{"token":"ÿ"}"#.into()), Cause::Unavailable)]
#[case::none(Grant::Body("{}".into()), Cause::Unavailable)]
#[case::a_web_page(Grant::Body("<html>".into()), Cause::Unavailable)]
#[case::endless(Grant::Endless, Cause::Unavailable)]
#[case::status_401(Grant::Status(401), Cause::Unauthorized)]
#[case::ghcr_403(Grant::Status(403), Cause::Unauthorized)]
#[case::status_404(Grant::Status(404), Cause::Unavailable)]
#[case::status_429(Grant::Status(429), Cause::Unavailable)]
#[case::status_500(Grant::Status(500), Cause::Unavailable)]
#[case::redirect(Grant::Redirect("/elsewhere".into()), Cause::Unavailable)]
#[tokio::test]
async fn token_servers_may_fail(#[case] grant: Grant, #[case] cause: Cause) {
    let registry = Hostile::start(Tricks {
        token: Some(grant),
        ..bearer()
    })
    .await;
    assert_eq!(
        as_alice(&client_of(&registry), &registry, "dev").await,
        Err(cause)
    );
    assert_eq!(paths(&registry.take_seen()), ["HEAD dev", "GET /token"]);
}

#[rstest]
#[case::another_host("https://localhost:{port}/token")]
#[case::another_port("https://127.0.0.1:{other}/token")]
#[case::plain_http("http://127.0.0.1:{port}/token")]
#[case::user_info("https://me@127.0.0.1:{port}/token")]
#[case::metadata("http://169.254.169.254/latest/api/token")]
#[case::file("file:///etc/passwd")]
#[tokio::test]
async fn a_realm_elsewhere_gets_nothing(#[case] realm: &str) {
    let other = Hostile::start(Tricks::default()).await;
    let registry = Hostile::start(bearer()).await;
    let port = registry.port().to_string();
    let realm = realm
        .replace("{port}", &port)
        .replace("{other}", &other.port().to_string());
    registry.trick(|t| t.realm = Some(realm));
    let client = client_with(settings(vec![
        listed(&registry.host(), registry.ca_pem()),
        listed(&other.host(), other.ca_pem()),
    ]));
    assert_eq!(
        as_alice(&client, &registry, "dev").await,
        Err(Cause::Refused)
    );
    assert_eq!(paths(&registry.take_seen()), ["HEAD dev"]);
    assert!(other.take_seen().is_empty());
}

#[tokio::test]
async fn a_listed_token_server_is_asked() {
    let server = Hostile::start(bearer()).await;
    let registry = Hostile::start(bearer()).await;
    registry.trick(|t| t.realm = Some(format!("https://{}/token?account=x", server.host())));
    let client = client_with(settings(vec![
        HostSettings {
            auth_hosts: vec![server.host().into()],
            ..listed(&registry.host(), registry.ca_pem())
        },
        listed(&server.host(), server.ca_pem()),
    ]));
    assert!(as_alice(&client, &registry, "dev").await.is_ok());
    let asked = server.take_seen();
    assert_eq!(paths(&asked), ["GET /token"]);
    assert_eq!(asked[0].authorization.as_deref(), Some(ALICE));
}

#[tokio::test]
async fn a_token_server_shares_its_registrys_ca() {
    let registry = Hostile::start(bearer()).await;
    let port = registry.port();
    registry.trick(|t| t.realm = Some(format!("https://localhost:{port}/token")));
    let client = client_with(settings(vec![HostSettings {
        auth_hosts: vec!["localhost".into()],
        ..listed(&registry.host(), registry.ca_pem())
    }]));
    assert!(as_alice(&client, &registry, "dev").await.is_ok());
}

#[tokio::test]
async fn basic_is_sent_at_once_the_second_time() {
    let registry = Hostile::start(Tricks {
        wants: Wants::Basic,
        ..Tricks::default()
    })
    .await;
    let client = client_of(&registry);
    let odd = Arc::new(Credential::new(vec![0xff, 0xfe], "p"));
    for expected in [2, 1, 1] {
        let found = outcome(
            &client,
            ask_as(&odd, ask(&registry.host(), "team/app", "dev")),
        )
        .await;
        assert!(found.is_ok());
        let seen = registry.take_seen();
        assert_eq!(seen.len(), expected);
        assert_eq!(
            seen[expected - 1].authorization.as_deref(),
            Some("Basic //46cA==")
        );
    }
    let anonymous = outcome(&client, ask(&registry.host(), "team/app", "dev")).await;
    assert_eq!(anonymous, Err(Cause::Unauthorized));
    assert_eq!(registry.take_seen()[0].authorization, None);
}

#[tokio::test]
async fn a_401_without_a_challenge_is_explained_by_the_root() {
    let registry = Hostile::start(Tricks {
        silent: true,
        ..bearer()
    })
    .await;
    assert!(
        as_alice(&client_of(&registry), &registry, "dev")
            .await
            .is_ok()
    );
    assert_eq!(
        paths(&registry.take_seen()),
        ["HEAD dev", "GET /v2/", "GET /token", "HEAD dev"]
    );
}

#[tokio::test]
async fn an_empty_credential_is_anonymous() {
    let registry = Hostile::start(bearer()).await;
    let empty = Arc::new(Credential::new("", ""));
    let found = outcome(
        &client_of(&registry),
        ask_as(&empty, ask(&registry.host(), "team/app", "dev")),
    )
    .await;
    assert!(found.is_ok());
    assert_eq!(registry.take_seen()[1].authorization, None);
}
