//! The live test: each step by itself, and where a pull would end.

use cotter::{
    domain::policy::Cause,
    registry::{
        client::Client,
        reading::Place,
        settings::Settings,
        steps::{Hint, Outcome, Step, Taken},
    },
};
use rstest::rstest;

use crate::{
    ca::Ca,
    common::{Names, alice, bob, client_of, client_with, client_with_names, listed, settings},
    hostile::{Grant, Hostile, Tricks, Wants},
    oci_registry::{Image, OciRegistry},
};

async fn start() -> (OciRegistry, Client) {
    let registry = OciRegistry::start().await;
    registry.add_user("alice", "wonderland", &["team/app"]);
    registry.add_user("bob", "builder", &[]);
    let client = client_with(settings(vec![listed(&registry.host(), registry.ca_pem())]));
    (registry, client)
}

fn place(host: &str) -> Place {
    Place {
        host: host.into(),
        repository: "team/app".into(),
        credential: Some(alice()),
    }
}

/// What each step came to: `passed`, `needless`, or the cause of its failure.
fn told(taken: &[Taken]) -> Vec<(Step, &'static str)> {
    let outcome = |taken: &Taken| match &taken.outcome {
        Outcome::Passed(_) => "passed",
        Outcome::Needless(_) => "needless",
        Outcome::Failed(failure, _) => {
            assert!(!failure.detail.contains("wonderland"), "{failure}");
            failure.cause.as_str()
        }
    };
    taken
        .iter()
        .map(|taken| (taken.step, outcome(taken)))
        .collect()
}

async fn reached(client: &Client, host: &str) -> (bool, Vec<Taken>) {
    let mut taken = Vec::new();
    let went_through = client.reach(host, &mut |one| taken.push(one)).await;
    (went_through, taken)
}

async fn pulled(
    client: &Client,
    place: Place,
    tag: Option<&str>,
) -> (bool, Vec<(Step, &'static str)>) {
    let mut taken = Vec::new();
    let went_through = client.pull(place, tag, &mut |one| taken.push(one)).await;
    (went_through, told(&taken))
}

#[tokio::test]
async fn a_pull_that_goes_through() {
    let (registry, client) = start().await;
    let digest = registry.push("team/app", "dev", &Image::new("1"));
    let (went_through, taken) = reached(&client, &registry.host()).await;
    assert!(went_through);
    assert_eq!(
        told(&taken),
        [(Step::Connect, "passed"), (Step::Tls, "passed")]
    );
    assert_eq!(taken[0].outcome, Outcome::Passed(registry.host()));
    assert_eq!(taken[1].outcome, Outcome::Passed("TLS 1.3".to_owned()));
    let mut taken = Vec::new();
    let place = place(&registry.host());
    assert!(
        client
            .pull(place, Some("dev"), &mut |one| taken.push(one))
            .await
    );
    let expected = [
        (Step::Challenge, "passed"),
        (Step::Token, "passed"),
        (Step::Scope, "needless"),
        (Step::Manifest, "passed"),
    ];
    assert_eq!(told(&taken), expected);
    assert_eq!(taken[3].outcome, Outcome::Passed(digest));
}

#[tokio::test]
async fn a_host_alone_ends_where_the_credential_is_taken() {
    let (registry, client) = start().await;
    let place = Place {
        repository: "".into(),
        ..place(&registry.host())
    };
    let (went_through, taken) = pulled(&client, place, None).await;
    let expected = [
        (Step::Challenge, "passed"),
        (Step::Token, "passed"),
        (Step::Accepted, "passed"),
    ];
    assert_eq!((went_through, taken.as_slice()), (true, &expected[..]));
}

#[rstest]
#[case::wrong_password(Some(("alice", "x")), "dev", Step::Token, "unauthorized")]
#[case::no_right(Some(("bob", "builder")), "dev", Step::Manifest, "unauthorized")]
#[case::nobody(None, "dev", Step::Manifest, "unauthorized")]
#[case::no_such_tag(Some(("alice", "wonderland")), "gone", Step::Manifest, "notFound")]
#[tokio::test]
async fn where_a_pull_ends(
    #[case] who: Option<(&str, &str)>,
    #[case] tag: &str,
    #[case] step: Step,
    #[case] cause: &str,
) {
    let (registry, client) = start().await;
    registry.push("team/app", "dev", &Image::new("1"));
    let credential = who.map(|(user, password)| {
        let credential = cotter::domain::credential::Credential::new(user, password);
        std::sync::Arc::new(credential)
    });
    let place = Place {
        credential,
        ..place(&registry.host())
    };
    let (went_through, taken) = pulled(&client, place, Some(tag)).await;
    assert!(!went_through);
    assert_eq!(taken.last(), Some(&(step, cause)), "{taken:?}");
}

fn tricks(change: impl FnOnce(&mut Tricks)) -> Tricks {
    let mut tricks = Tricks::default();
    change(&mut tricks);
    tricks
}

#[rstest]
#[case::open(Tricks::default(), &[(Step::Challenge, "passed"), (Step::Token, "needless"), (Step::Scope, "needless"), (Step::Manifest, "passed")])]
#[case::basic(tricks(|t| t.wants = Wants::Basic), &[(Step::Challenge, "passed"), (Step::Token, "needless"), (Step::Scope, "needless"), (Step::Manifest, "passed")])]
#[case::realm_elsewhere(tricks(|t| { t.wants = Wants::Bearer; t.realm = Some("https://evil.example/token".into()); }), &[(Step::Challenge, "passed"), (Step::Token, "refused")])]
#[case::no_grant(tricks(|t| { t.wants = Wants::Bearer; t.token = Some(Grant::Body("{}".into())); }), &[(Step::Challenge, "passed"), (Step::Token, "unavailable")])]
#[case::token_server_down(tricks(|t| { t.wants = Wants::Bearer; t.token = Some(Grant::Status(503)); }), &[(Step::Challenge, "passed"), (Step::Token, "unavailable")])]
#[tokio::test]
async fn what_registries_want(#[case] tricks: Tricks, #[case] expected: &[(Step, &'static str)]) {
    let registry = Hostile::start(tricks).await;
    let (_, taken) = pulled(&client_of(&registry), place(&registry.host()), Some("dev")).await;
    assert_eq!(taken, expected);
}

#[tokio::test]
async fn user_and_password_go_to_the_registry_alone() {
    let registry = Hostile::start(tricks(|t| {
        t.wants = Wants::Bearer;
        t.realm = Some("https://evil.example/token".into());
    }))
    .await;
    pulled(&client_of(&registry), place(&registry.host()), Some("dev")).await;
    assert!(
        registry
            .take_seen()
            .iter()
            .all(|seen| seen.authorization.is_none())
    );
}

#[tokio::test]
async fn a_token_that_grants_nothing_is_told_by_its_claims() {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let claims = URL_SAFE_NO_PAD.encode(r#"{"access":[]}"#);
    let grant = format!(r#"{{"token":"e30.{claims}.c2ln"}}"#);
    let registry = Hostile::start(tricks(|t| {
        t.wants = Wants::Bearer;
        t.token = Some(Grant::Body(grant));
    }))
    .await;
    let (_, taken) = pulled(&client_of(&registry), place(&registry.host()), Some("dev")).await;
    assert_eq!(taken.last(), Some(&(Step::Scope, "unauthorized")));
    // Two users of one registry are two questions.
    let place = Place {
        credential: Some(bob()),
        ..place(&registry.host())
    };
    let (_, taken) = pulled(&client_of(&registry), place, Some("dev")).await;
    assert_eq!(taken.last(), Some(&(Step::Scope, "unauthorized")));
}

#[tokio::test]
async fn a_certificate_that_nobody_trusts() {
    let (registry, _) = start().await;
    let client = client_with(settings(vec![listed(
        &registry.host(),
        Ca::new("another").pem(),
    )]));
    let (went_through, taken) = reached(&client, &registry.host()).await;
    assert!(!went_through);
    assert_eq!(
        told(&taken),
        [(Step::Connect, "passed"), (Step::Tls, "unavailable")]
    );
    let Outcome::Failed(_, hint) = &taken[1].outcome else {
        panic!("{taken:?}");
    };
    assert_eq!(*hint, Some(Hint::UnknownIssuer));
}

#[tokio::test]
async fn a_certificate_of_another_name() {
    let registry = Hostile::start(Tricks::default()).await;
    let host = format!("other.example:{}", registry.port());
    let names = Names::new(&[&["127.0.0.1"]]);
    let settings = settings(vec![listed(&host, registry.ca_pem())]);
    let (_, taken) = reached(&client_with_names(settings, &names), &host).await;
    let Some(Outcome::Failed(_, hint)) = taken.last().map(|taken| &taken.outcome) else {
        panic!("{taken:?}");
    };
    assert_eq!(*hint, Some(Hint::WrongName));
}

#[tokio::test]
async fn a_registry_without_tls() {
    let registry = Hostile::plain(Tricks::default()).await;
    let mut host = listed(&registry.host(), "");
    let (_, taken) = reached(&client_with(settings(vec![host.clone()])), &registry.host()).await;
    let Some(Outcome::Failed(_, hint)) = taken.last().map(|taken| &taken.outcome) else {
        panic!("{taken:?}");
    };
    assert_eq!(*hint, Some(Hint::NoTls));
    host.plain_http = true;
    let (went_through, taken) = reached(&client_with(settings(vec![host])), &registry.host()).await;
    assert!(went_through);
    assert_eq!(
        told(&taken),
        [(Step::Connect, "passed"), (Step::Tls, "needless")]
    );
}

#[rstest]
#[case::metadata("169.254.169.254", Cause::Refused)]
#[case::private("10.0.0.1", Cause::Refused)]
#[case::of_the_cluster("registry.default.svc", Cause::Refused)]
#[tokio::test]
async fn the_guard_stands_before_the_first_step(#[case] host: &str, #[case] cause: Cause) {
    let (_, taken) = reached(&client_with(Settings::default()), host).await;
    assert_eq!(told(&taken), [(Step::Connect, cause.as_str())]);
}

#[tokio::test]
async fn a_port_where_nobody_listens() {
    let registry = Hostile::start(Tricks::default()).await;
    let (host, ca) = (registry.host(), registry.ca_pem().to_owned());
    drop(registry);
    let (_, taken) = reached(&client_with(settings(vec![listed(&host, &ca)])), &host).await;
    assert_eq!(told(&taken), [(Step::Connect, "unavailable")]);
}

#[tokio::test]
async fn offline_takes_no_step() {
    let (registry, _) = start().await;
    let settings = Settings {
        offline: true,
        ..settings(vec![listed(&registry.host(), registry.ca_pem())])
    };
    let client = client_with(settings);
    let (_, taken) = reached(&client, &registry.host()).await;
    assert_eq!(told(&taken), [(Step::Connect, "refused")]);
    let (_, taken) = pulled(&client, place(&registry.host()), Some("dev")).await;
    assert_eq!(taken, [(Step::Challenge, "refused")]);
}
