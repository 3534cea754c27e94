//! Mirrors: who is asked in which order, with whose credential, and for how long.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use cotter::{
    admission::ports::{Ask, Registry as _},
    domain::{
        docker_config::SecretType,
        keyring::Keyring,
        policy::{Cause, PinStyle},
        pull_secret::PullSecret,
    },
    registry::{
        client::Client,
        settings::{HostSettings, Mirror, Settings},
    },
};
use rstest::rstest;
use serde_json::json;

use crate::{
    common::{
        Names, alice, ask, ask_as, ask_old, bob, client_with, client_with_names, listed, outcome,
        settings,
    },
    hostile::{Hostile, Tricks, Wants},
    oci_registry::{Counts, Image, OciRegistry},
};

/// `alice` and `wonderland`, who may read the registry.
const ALICE: &str = "YWxpY2U6d29uZGVybGFuZA==";
/// `robot` and `cogwheel`, cotter's own account at the mirror.
const ROBOT: &str = "cm9ib3Q6Y29nd2hlZWw=";

/// A registry and its mirror, each with users of its own.
struct Two {
    origin: OciRegistry,
    mirror: OciRegistry,
}

impl Two {
    async fn start() -> Self {
        let (origin, mirror) = (OciRegistry::start().await, OciRegistry::start().await);
        origin.add_user("alice", "wonderland", &["team/app"]);
        mirror.add_user("robot", "cogwheel", &["hub/team/app"]);
        Self { origin, mirror }
    }

    fn settings(&self) -> Settings {
        let origin = listed(&self.origin.host(), self.origin.ca_pem());
        let mirror = listed(&self.mirror.host(), self.mirror.ca_pem());
        Settings {
            // Nothing stands in for an answer that does not come.
            max_stale: Duration::ZERO,
            ..settings(vec![mirrored(origin, &[&self.at_mirror()]), mirror])
        }
    }

    /// The mirror as `cotter.yaml` names it.
    fn at_mirror(&self) -> String {
        format!("{}/hub", self.mirror.host())
    }

    fn client(&self) -> Client {
        let client = client_with(self.settings());
        client.ask_mirrors_with(robots(&self.mirror.host()));
        client
    }

    fn dev(&self) -> Ask {
        ask_as(&alice(), ask(&self.origin.host(), "team/app", "dev"))
    }
}

fn mirrored(host: HostSettings, mirrors: &[&str]) -> HostSettings {
    HostSettings {
        mirrors: mirrors.iter().map(|text| Mirror::named(text)).collect(),
        ..host
    }
}

/// A keyring of cotter's own that is for one server.
fn robots(server: &str) -> Arc<Keyring> {
    let login = json!({"username": "robot", "password": "cogwheel"});
    let config = json!({"auths": {server: login}}).to_string();
    let secret = PullSecret::read("mirrors", SecretType::DockerConfigJson, config.as_bytes());
    Arc::new(Keyring::new([&secret]))
}

#[tokio::test]
async fn a_mirror_answers_in_the_registrys_place() {
    let two = Two::start().await;
    two.origin.push("team/app", "dev", &Image::new("old"));
    let there = two.mirror.push("hub/team/app", "dev", &Image::new("new"));
    let client = two.client();
    assert_eq!(outcome(&client, two.dev()).await, Ok(there));
    let expected = Counts {
        challenges: 1,
        tokens: 1,
        heads: 1,
        ..Counts::default()
    };
    assert_eq!(two.mirror.take_counts(), expected);
    assert_eq!(two.origin.take_counts(), Counts::default());
    assert_eq!(two.mirror.take_logins(), [ROBOT]);
}

#[tokio::test]
async fn what_a_mirror_does_not_have_is_asked_of_the_registry() {
    let two = Two::start().await;
    let here = two.origin.push("team/app", "dev", &Image::new("1"));
    assert_eq!(outcome(&two.client(), two.dev()).await, Ok(here));
    assert_eq!(two.mirror.take_logins(), [ROBOT]);
    assert_eq!(two.origin.take_logins(), [ALICE]);
}

#[rstest]
#[case::none("registry.example")]
#[case::for_a_longer_path("{mirror}/hub/team/apps")]
#[case::for_the_registry("{origin}")]
#[tokio::test]
async fn without_a_credential_of_its_own_a_mirror_is_asked_anonymously(#[case] server: &str) {
    let two = Two::start().await;
    two.mirror.push("hub/team/app", "dev", &Image::new("new"));
    let here = two.origin.push("team/app", "dev", &Image::new("old"));
    let client = client_with(two.settings());
    let server = server
        .replace("{mirror}", &two.mirror.host())
        .replace("{origin}", &two.origin.host());
    client.ask_mirrors_with(robots(&server));
    assert_eq!(outcome(&client, two.dev()).await, Ok(here));
    assert_eq!(two.mirror.take_logins(), [""; 0]);
    assert_eq!(two.origin.take_logins(), [ALICE]);
}

#[tokio::test]
async fn a_mirrors_credential_is_not_for_pods_that_name_the_mirror() {
    let two = Two::start().await;
    two.mirror.push("hub/team/app", "dev", &Image::new("1"));
    let client = two.client();
    assert!(outcome(&client, two.dev()).await.is_ok());
    two.mirror.take_logins();
    for who in [None, Some(alice())] {
        let direct = Ask {
            credential: who,
            ..ask(&two.mirror.host(), "hub/team/app", "dev")
        };
        assert_eq!(outcome(&client, direct).await, Err(Cause::Unauthorized));
    }
    assert_eq!(two.mirror.take_logins(), [ALICE], "the Pod's own");
}

#[rstest]
#[case::not_found(Tricks { status: Some((404, "MANIFEST_UNKNOWN")), ..Tricks::default() })]
#[case::unauthorized(Tricks { wants: Wants::Basic, ..Tricks::default() })]
#[case::denied(Tricks { status: Some((403, "DENIED")), ..Tricks::default() })]
#[case::unavailable(Tricks { status: Some((503, "UNAVAILABLE")), ..Tricks::default() })]
#[case::limited(Tricks { limited: Some("60".to_owned()), ..Tricks::default() })]
#[case::realm_elsewhere(Tricks { wants: Wants::Bearer, realm: Some("https://evil.example/token".to_owned()), ..Tricks::default() })]
#[case::lies(Tricks { digest: Some(String::new()), content: crate::hostile::Content::Bytes(b"{}".to_vec()), ..Tricks::default() })]
#[case::hangs(Tricks { hangs: true, ..Tricks::default() })]
#[tokio::test]
async fn whatever_a_mirror_fails_with_the_next_is_asked(#[case] tricks: Tricks) {
    let two = Two::start().await;
    let there = two.mirror.push("hub/team/app", "dev", &Image::new("1"));
    let first = Hostile::start(tricks).await;
    let mut settings = two.settings();
    settings.hosts[0] = mirrored(
        settings.hosts[0].clone(),
        &[&format!("{}/x", first.host()), &two.at_mirror()],
    );
    settings.hosts.push(listed(&first.host(), first.ca_pem()));
    let client = client_with(settings);
    client.ask_mirrors_with(robots(&two.mirror.host()));
    let dev = Ask {
        deadline: Instant::now() + Duration::from_secs(2),
        ..two.dev()
    };
    assert_eq!(outcome(&client, dev).await, Ok(there));
    let seen = first.take_seen();
    assert!(seen[0].path.starts_with("/v2/x/team/app/"), "{seen:?}");
    assert!(seen.iter().all(|seen| seen.authorization.is_none()));
    assert_eq!(two.origin.take_counts(), Counts::default());
}

#[tokio::test]
async fn dead_mirrors_leave_the_registry_its_share_and_are_left_alone() {
    let two = Two::start().await;
    let here = two.origin.push("team/app", "dev", &Image::new("1"));
    let dead = Hostile::start(Tricks {
        hangs: true,
        ..Tricks::default()
    })
    .await;
    let mut settings = two.settings();
    settings.hosts[0] = mirrored(settings.hosts[0].clone(), &[&dead.host()]);
    settings.hosts.push(listed(&dead.host(), dead.ca_pem()));
    let client = client_with(settings);
    let limit = Duration::from_millis(800);
    for look_up in 0..7 {
        let start = Instant::now();
        let dev = Ask {
            deadline: start + limit,
            ..two.dev()
        };
        assert_eq!(outcome(&client, dev).await, Ok(here.clone()));
        let took = start.elapsed();
        assert!(took < limit, "{took:?}");
        // Five failures in a row close it.
        let is_asked = look_up < 5;
        assert_eq!(took >= limit / 2, is_asked, "{look_up}: {took:?}");
        assert_eq!(!dead.take_seen().is_empty(), is_asked, "{look_up}");
    }
}

#[tokio::test]
async fn a_mirror_is_not_blamed_for_an_ask_that_had_no_time() {
    let two = Two::start().await;
    two.origin.set_round_trip(Duration::from_millis(20));
    two.origin.push("team/app", "dev", &Image::new("old"));
    let there = two.mirror.push("hub/team/app", "dev", &Image::new("new"));
    let client = two.client();
    for _ in 0..6 {
        let hasty = Ask {
            deadline: Instant::now() + Duration::from_millis(5),
            ..two.dev()
        };
        let found = outcome(&client, hasty).await;
        assert_eq!(found, Err(Cause::Unavailable));
        // The look-up goes on at the registry.
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(two.mirror.take_counts(), Counts::default());
    assert_eq!(outcome(&client, two.dev()).await, Ok(there));
}

#[tokio::test]
async fn a_private_mirror_has_to_be_listed() {
    let two = Two::start().await;
    two.mirror.push("hub/team/app", "dev", &Image::new("new"));
    let here = two.origin.push("team/app", "dev", &Image::new("old"));
    let mut settings = two.settings();
    settings.hosts.pop();
    let client = client_with(settings);
    assert_eq!(outcome(&client, two.dev()).await, Ok(here));
    assert_eq!(two.mirror.take_counts(), Counts::default());
}

#[tokio::test]
async fn the_registrys_own_failure_counts() {
    let two = Two::start().await;
    let client = two.client();
    assert_eq!(outcome(&client, two.dev()).await, Err(Cause::NotFound));
    let as_bob = ask_as(&bob(), ask(&two.origin.host(), "team/app", "dev"));
    assert_eq!(outcome(&client, as_bob).await, Err(Cause::Unauthorized));
    assert_eq!(two.mirror.take_logins(), [ROBOT], "its token serves again");
}

#[tokio::test]
async fn docker_hub_is_known_by_its_name() {
    let two = Two::start().await;
    two.mirror
        .add_user("robot", "cogwheel", &["hub/library/nginx"]);
    let there = two
        .mirror
        .push("hub/library/nginx", "1.27", &Image::new("1"));
    let hub = HostSettings {
        host: "docker.io".into(),
        ..HostSettings::default()
    };
    let mirror = listed(&two.mirror.host(), two.mirror.ca_pem());
    let settings = settings(vec![mirrored(hub, &[&two.at_mirror()]), mirror]);
    let names = Names::new(&[]);
    let client = client_with_names(settings, &names);
    client.ask_mirrors_with(robots(&format!("{}/hub/", two.mirror.host())));
    let found = outcome(&client, ask("docker.io", "library/nginx", "1.27")).await;
    assert_eq!(found, Ok(there));
    assert!(names.asked().is_empty(), "Docker Hub itself is not asked");
}

#[tokio::test]
async fn a_mirrors_answer_is_kept_for_who_asked() {
    let two = Two::start().await;
    let there = two.mirror.push("hub/team/app", "dev", &Image::new("1"));
    let client = two.client();
    let old = |ask| ask_old(Duration::from_mins(1), ask);
    assert_eq!(outcome(&client, two.dev()).await, Ok(there));
    assert!(client.known(&old(two.dev())).is_some());
    let dev = || ask(&two.origin.host(), "team/app", "dev");
    assert!(client.known(&old(dev())).is_none());
    assert!(client.known(&old(ask_as(&bob(), dev()))).is_none());
    // Without its mirrors the registry is asked anew.
    let mut settings = two.settings();
    settings.hosts[0].mirrors.clear();
    client.swap(settings).unwrap();
    assert!(client.known(&old(two.dev())).is_none());
    assert_eq!(outcome(&client, two.dev()).await, Err(Cause::NotFound));
}

#[tokio::test]
async fn another_way_to_a_mirror_ends_its_answers() {
    let two = Two::start().await;
    let there = two.mirror.push("hub/team/app", "dev", &Image::new("1"));
    let client = two.client();
    let old = || ask_old(Duration::from_mins(1), two.dev());
    assert_eq!(outcome(&client, two.dev()).await, Ok(there));
    let mut settings = two.settings();
    client.swap(settings.clone()).unwrap();
    assert!(client.known(&old()).is_some(), "nothing changed");
    settings.hosts[1].ca.clear();
    client.swap(settings).unwrap();
    assert!(client.known(&old()).is_none());
    // Nobody trusts its certificate any more.
    assert_eq!(outcome(&client, two.dev()).await, Err(Cause::NotFound));
}

#[tokio::test]
async fn commits_are_looked_up_where_the_answer_is_from() {
    const COMMIT: &str = "c6cd88efc6cd88efc6cd88efc6cd88efc6cd88ef";
    let two = Two::start().await;
    let image = Image::new("1").labelled("org.opencontainers.image.revision", COMMIT);
    let there = two.mirror.push("hub/team/app", "dev", &image);
    two.mirror.move_tag("hub/team/app", COMMIT, &there);
    let by_commit = Ask {
        style: PinStyle::GitSha,
        ..two.dev()
    };
    let resolved = two.client().resolve(by_commit).await.unwrap();
    assert_eq!(resolved.digest.as_str(), there);
    assert_eq!(resolved.sha_tag.as_deref(), Some(COMMIT));
    assert_eq!(two.origin.take_counts(), Counts::default());
}

#[tokio::test]
async fn lists_and_descriptions_are_the_registrys_own() {
    let two = Two::start().await;
    two.origin.push("team/app", "dev", &Image::new("1"));
    two.mirror.push("hub/team/app", "other", &Image::new("1"));
    let place = cotter::registry::reading::Place::of(&two.dev());
    let list = two.client().tags(place).await.unwrap();
    let names: Vec<_> = list.tags.iter().map(|tag| tag.name.as_str()).collect();
    assert_eq!(names, ["dev"]);
    assert_eq!(two.mirror.take_counts(), Counts::default());
}
