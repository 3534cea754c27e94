//! Hosts whose credential the nodes hold: whoever's Pod it is, cotter's own identity asks.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use cotter::{
    admission::ports::{Ask, Registry as _},
    domain::{
        cloud::Cloud,
        credential::{Credential, Fingerprint},
        policy::Cause,
        question::OwnIdentity,
    },
    registry::{
        client::Client,
        held::{Held, NoLogin, NodeHeld},
        settings::{HostSettings, Mirror, Settings},
    },
};
use http::Request;
use rstest::rstest;

use crate::{
    common::{alice, ask, ask_as, ask_old, client_of, client_with, listed, outcome, settings},
    hostile::{Hostile, Tricks},
    oci_registry::{Counts, Image, OciRegistry},
};

/// `own` and `first`.
const FIRST: &str = "b3duOmZpcnN0";
/// `own` and `second`.
const SECOND: &str = "b3duOnNlY29uZA==";
const ALICE: &str = "YWxpY2U6d29uZGVybGFuZA==";

const REFUSAL: &str = "Google Cloud makes no login";

/// One host, and its login of now.
struct Logins {
    host: String,
    login: Mutex<Option<Result<&'static str, NoLogin>>>,
}

impl Logins {
    fn of(host: &str, login: Result<&'static str, NoLogin>) -> Arc<Self> {
        Arc::new(Self {
            host: host.to_owned(),
            login: Mutex::new(Some(login)),
        })
    }

    fn set(&self, login: Result<&'static str, NoLogin>) {
        *self.login.lock().unwrap() = Some(login);
    }

    /// The host is held no longer.
    fn end(&self) {
        *self.login.lock().unwrap() = None;
    }
}

impl NodeHeld for Logins {
    fn login(&self, host: &str) -> Option<Held> {
        let who = Fingerprint::of_own_identity(host);
        let login = self.login.lock().unwrap().clone()?;
        (host == self.host).then(|| Held {
            who,
            cloud: Cloud::Google,
            login: login.map(|password| Arc::new(Credential::of_identity(who, "own", password))),
        })
    }
}

/// A registry that `own` and `alice` may read, and a client whose own login is `login`.
async fn held(login: Result<&'static str, NoLogin>) -> (OciRegistry, Client, Arc<Logins>) {
    let registry = OciRegistry::start().await;
    registry.add_user("own", "first", &["team/app"]);
    registry.add_user("alice", "wonderland", &["team/app"]);
    let client = client_with(Settings {
        max_stale: Duration::from_hours(1),
        ..settings(vec![listed(&registry.host(), registry.ca_pem())])
    });
    let logins = Logins::of(&registry.host(), login);
    client.ask_as_nodes(logins.clone());
    (registry, client, logins)
}

fn dev(registry: &OciRegistry) -> Ask {
    ask(&registry.host(), "team/app", "dev")
}

#[tokio::test]
async fn whoevers_pod_it_is_cotter_asks_as_itself_and_all_share_the_answer() {
    let (registry, client, _) = held(Ok("first")).await;
    let digest = registry.push("team/app", "dev", &Image::new("1"));
    let as_alice = ask_as(&alice(), dev(&registry));
    assert_eq!(outcome(&client, as_alice).await, Ok(digest));
    assert_eq!(registry.take_logins(), [FIRST]);
    let minute = Duration::from_mins(1);
    assert!(client.known(&ask_old(minute, dev(&registry))).is_some());
}

#[tokio::test]
async fn its_answers_are_for_nobody_else() {
    let (registry, client, logins) = held(Ok("first")).await;
    registry.push("team/app", "dev", &Image::new("1"));
    assert!(outcome(&client, dev(&registry)).await.is_ok());
    logins.end();
    let old = |ask| ask_old(Duration::from_mins(1), ask);
    assert!(client.known(&old(dev(&registry))).is_none());
    let as_alice = || ask_as(&alice(), dev(&registry));
    assert!(client.known(&old(as_alice())).is_none());
    assert_eq!(
        outcome(&client, dev(&registry)).await,
        Err(Cause::Unauthorized)
    );
    assert!(outcome(&client, as_alice()).await.is_ok());
    assert_eq!(registry.take_logins(), [FIRST, ALICE]);
}

#[tokio::test]
async fn a_host_that_is_not_held_is_asked_as_the_pod_would() {
    let (registry, client, _) = held(Ok("first")).await;
    let other = OciRegistry::start().await;
    other.add_user("alice", "wonderland", &["team/app"]);
    other.push("team/app", "dev", &Image::new("1"));
    let hosts = [&registry, &other].map(|one| listed(&one.host(), one.ca_pem()));
    client.swap(settings(hosts.to_vec())).unwrap();
    let as_alice = ask_as(&alice(), dev(&other));
    assert!(outcome(&client, as_alice).await.is_ok());
    assert_eq!(other.take_logins(), [ALICE]);
}

#[rstest]
#[case::awaited(
    NoLogin::Awaited,
    OwnIdentity::Awaited(Cloud::Google),
    "has not made a login"
)]
#[case::refused(NoLogin::Refused(REFUSAL.to_owned()), OwnIdentity::Refused(Cloud::Google), REFUSAL)]
#[tokio::test]
async fn without_a_login_nobody_is_asked_and_the_failure_says_so(
    #[case] none: NoLogin,
    #[case] own: OwnIdentity,
    #[case] said: &str,
) {
    let (registry, client, _) = held(Err(none)).await;
    registry.push("team/app", "dev", &Image::new("1"));
    let failure = client.resolve(dev(&registry)).await.unwrap_err();
    assert_eq!(
        (failure.cause, failure.own),
        (Cause::Unavailable, Some(own))
    );
    assert!(failure.detail.contains(said), "{failure}");
    assert_eq!(registry.take_counts(), Counts::default());
}

#[tokio::test]
async fn a_renewed_login_and_none_at_all_know_what_was_known_before() {
    let (registry, client, logins) = held(Ok("first")).await;
    let digest = registry.push("team/app", "dev", &Image::new("1"));
    assert!(outcome(&client, dev(&registry)).await.is_ok());
    logins.set(Ok("second"));
    let old = || ask_old(Duration::from_mins(1), dev(&registry));
    assert!(client.known(&old()).is_some());
    logins.set(Err(NoLogin::Awaited));
    let stale = client.resolve(dev(&registry)).await.unwrap();
    assert_eq!(stale.digest.to_string(), digest);
    assert!(stale.stale.is_some());
}

#[tokio::test]
async fn a_renewed_login_is_sent_once_a_token_of_the_old_one_has_ended() {
    let (registry, client, logins) = held(Ok("second")).await;
    registry.push("team/app", "dev", &Image::new("1"));
    assert_eq!(
        outcome(&client, dev(&registry)).await,
        Err(Cause::Unauthorized)
    );
    logins.set(Ok("first"));
    // The failure is remembered for a moment only where somebody asks for what was known before.
    assert!(outcome(&client, dev(&registry)).await.is_ok());
    assert_eq!(registry.take_logins(), [SECOND, FIRST]);
}

#[rstest]
#[case::no_such_tag("team/app", Cause::NotFound)]
#[case::no_access("other/app", Cause::Unauthorized)]
#[tokio::test]
async fn what_turns_cotter_away_tells_what_its_identity_needs(
    #[case] repository: &str,
    #[case] cause: Cause,
) {
    let (registry, client, _) = held(Ok("first")).await;
    let asked = ask(&registry.host(), repository, "dev");
    let failure = client.resolve(asked).await.unwrap_err();
    let expected = Some(OwnIdentity::TurnedAway(Cloud::Google));
    assert_eq!((failure.cause, failure.own), (cause, expected));
    assert!(
        failure.detail.contains("roles/artifactregistry.reader"),
        "{failure}"
    );
}

#[rstest]
#[case::with_a_login(Ok("first"), &[FIRST])]
#[case::without(Err(NoLogin::Awaited), &[])]
#[tokio::test]
async fn a_mirror_is_asked_with_its_own_login_or_passed_over(
    #[case] login: Result<&'static str, NoLogin>,
    #[case] logins: &[&str],
) {
    let (mirror, client, _) = held(login).await;
    let origin = OciRegistry::start().await;
    origin.add_user("alice", "wonderland", &["team/app"]);
    for registry in [&mirror, &origin] {
        registry.push("team/app", "dev", &Image::new("1"));
    }
    let hosts = vec![
        HostSettings {
            mirrors: vec![Mirror::named(&mirror.host())],
            ..listed(&origin.host(), origin.ca_pem())
        },
        listed(&mirror.host(), mirror.ca_pem()),
    ];
    client.swap(settings(hosts)).unwrap();
    let as_alice = ask_as(&alice(), dev(&origin));
    assert!(outcome(&client, as_alice).await.is_ok());
    assert_eq!(mirror.take_logins(), logins);
    assert_eq!(origin.take_logins().is_empty(), !logins.is_empty());
}

fn get(url: &str) -> Request<bytes::Bytes> {
    Request::get(url).body(bytes::Bytes::new()).unwrap()
}

#[tokio::test]
async fn what_makes_logins_is_sought_anywhere_but_at_a_metadata_service() {
    let client = client_with(settings(Vec::new()));
    let said = client
        .send(get("http://169.254.169.254/"))
        .await
        .err()
        .unwrap();
    assert!(said.contains("is not dialled"), "{said}");
    // A private address may be: nobody listens there.
    let said = client.send(get("http://127.0.0.1:1/")).await.err().unwrap();
    assert!(said.contains("does not accept"), "{said}");
}

#[tokio::test]
async fn no_redirect_takes_a_form_elsewhere() {
    let elsewhere = Hostile::start(Tricks::default()).await;
    let registry = Hostile::start(Tricks {
        redirect: Some(format!("https://{}/", elsewhere.host())),
        ..Tricks::default()
    })
    .await;
    let url = format!("https://{}/v2/team/app/manifests/dev", registry.host());
    let answer = client_of(&registry).post_form(&url, "a=b").await.unwrap();
    assert!(answer.status.is_redirection(), "{}", answer.status);
    assert!(elsewhere.take_seen().is_empty());
}
