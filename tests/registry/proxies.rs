//! Through a proxy: what it is asked, what it never hears, and what is not asked through it.

use std::{sync::Arc, time::Duration};

use cotter::{
    admission::ports::Registry as _,
    domain::{credential::Credential, policy::Cause},
    registry::{
        client::Client,
        settings::{HostSettings, ProxySettings, Settings},
        steps::{Outcome, Step},
    },
};
use rstest::rstest;

use crate::{
    common::{Names, alice, ask, ask_as, client_with_names, listed, outcome, settings},
    connect_proxy::{Asked, ConnectProxy, Manners},
    hostile::{Hostile, Tricks, Wants},
};

/// `squid` and `s3cret`.
const SQUID: &str = "Basic c3F1aWQ6czNjcmV0";

fn through(proxy: &ConnectProxy) -> ProxySettings {
    ProxySettings {
        host: "127.0.0.1".into(),
        port: proxy.port(),
        credential: None,
        except: String::new(),
    }
}

/// A registry that is called `registry.example`, and wants a token.
async fn registry() -> (Hostile, String) {
    let registry = Hostile::start(Tricks {
        wants: Wants::Bearer,
        ..Tricks::default()
    })
    .await;
    let host = format!("registry.example:{}", registry.port());
    registry.trick(|t| t.realm = Some(format!("https://{host}/token")));
    (registry, host)
}

/// The entry of a public host with a private CA.
fn public(host: &str, registry: &Hostile) -> HostSettings {
    HostSettings {
        allow_private: false,
        ..listed(host, registry.ca_pem())
    }
}

fn client(hosts: Vec<HostSettings>, proxy: ProxySettings, names: &Arc<Names>) -> Client {
    let settings = Settings {
        proxy: Some(proxy),
        ..settings(hosts)
    };
    client_with_names(settings, names)
}

#[tokio::test]
async fn a_registry_is_asked_through_one_tunnel() {
    let (registry, host) = registry().await;
    let (proxy, names) = (
        ConnectProxy::start(Manners::default()).await,
        Names::new(&[&["127.0.0.1"]]),
    );
    let client = client(vec![public(&host, &registry)], through(&proxy), &names);
    for tag in ["dev", "other"] {
        let found = outcome(&client, ask_as(&alice(), ask(&host, "team/app", tag))).await;
        assert!(found.is_ok(), "{found:?}");
    }
    let expected = Asked {
        target: host,
        authorization: None,
    };
    assert_eq!(proxy.take_asked(), [expected]);
    assert_eq!(registry.take_seen().len(), 4, "a token, then two answers");
    assert!(names.asked().is_empty(), "the proxy resolves it");
}

#[tokio::test]
async fn the_proxy_is_found_by_its_name_and_may_be_private() {
    let (registry, host) = registry().await;
    let (proxy, names) = (
        ConnectProxy::start(Manners::default()).await,
        Names::new(&[&["127.0.0.1"]]),
    );
    let by_name = ProxySettings {
        host: "proxy".into(),
        ..through(&proxy)
    };
    let client = client(vec![public(&host, &registry)], by_name, &names);
    assert!(outcome(&client, ask(&host, "a/b", "dev")).await.is_ok());
    assert_eq!(names.asked(), ["proxy"]);
}

#[tokio::test]
async fn the_proxys_password_goes_to_the_proxy_alone() {
    let (registry, host) = registry().await;
    let (proxy, names) = (
        ConnectProxy::start(Manners {
            wants: Some(SQUID),
            ..Manners::default()
        })
        .await,
        Names::new(&[]),
    );
    let hosts = || vec![public(&host, &registry)];
    let known = ProxySettings {
        credential: Some(Arc::new(Credential::new("squid", "s3cret"))),
        ..through(&proxy)
    };
    let dev = || ask_as(&alice(), ask(&host, "team/app", "dev"));
    let found = outcome(&client(hosts(), known.clone(), &names), dev()).await;
    assert!(found.is_ok(), "{found:?}");
    assert_eq!(proxy.take_asked()[0].authorization.as_deref(), Some(SQUID));
    let sent: Vec<_> = registry.take_seen();
    let sent = sent.iter().filter_map(|seen| seen.authorization.as_deref());
    assert!(sent.clone().count() > 0 && sent.clone().all(|value| value != SQUID));
    let wrong = ProxySettings {
        credential: Some(Arc::new(Credential::new("squid", "guess3cret"))),
        ..known
    };
    for unknown in [through(&proxy), wrong] {
        let shown = format!("{unknown:?}");
        assert!(!shown.contains("3cret"), "{shown}");
        let failure = client(hosts(), unknown, &names)
            .resolve(dev())
            .await
            .unwrap_err();
        assert_eq!(failure.cause, Cause::Unavailable);
        let said = "the proxy 127.0.0.1 answered CONNECT with 407";
        assert!(failure.detail.contains(said), "{failure}");
        assert!(!failure.detail.contains("3cret"), "{failure}");
    }
    assert!(registry.take_seen().is_empty());
}

#[rstest]
#[case::private("10.0.0.1")]
#[case::private_v6("[fd00::1]")]
#[case::link_local("169.254.1.1:5000")]
#[case::metadata("169.254.169.254")]
#[case::metadata_mapped("[::ffff:a9fe:a9fe]")]
#[case::metadata_name("metadata.google.internal")]
#[case::in_disguise("0xa9.0xfe.0xa9.0xfe")]
#[case::denied("93.184.216.34")]
#[case::localhost("localhost:5000")]
#[case::below_localhost("a.localhost:5000")]
#[case::loopback("127.0.0.1:5000")]
#[case::service("kubernetes.default.svc")]
#[case::service_in_full("kubernetes.default.svc.cluster.local")]
#[case::one_label("registry:5000")]
#[tokio::test]
async fn what_is_refused_without_asking_the_proxy(#[case] host: &str) {
    let (proxy, names) = (
        ConnectProxy::start(Manners::default()).await,
        Names::new(&[&["127.0.0.1"]]),
    );
    let settings = Settings {
        proxy: Some(through(&proxy)),
        deny_cidrs: vec!["93.184.0.0/16".parse().unwrap()],
        ..Settings::default()
    };
    let client = client_with_names(settings, &names);
    let found = outcome(&client, ask(host, "team/app", "dev")).await;
    assert_eq!(found, Err(Cause::Refused));
    assert!(proxy.take_asked().is_empty() && names.asked().is_empty());
}

#[rstest]
#[case::service("registry.default.svc:5000")]
#[case::one_label("registry:5000")]
#[case::private("10.0.0.1:5000")]
#[tokio::test]
async fn what_is_listed_as_private_may_be_asked_for(#[case] host: &str) {
    let (proxy, names) = (
        ConnectProxy::start(Manners {
            refuses: Some("403 Forbidden"),
            ..Manners::default()
        })
        .await,
        Names::new(&[]),
    );
    let client = client(vec![listed(host, "")], through(&proxy), &names);
    let found = outcome(&client, ask(host, "team/app", "dev")).await;
    assert_eq!(found, Err(Cause::Unavailable));
    assert_eq!(proxy.take_targets(), [host]);
}

#[tokio::test]
async fn exceptions_are_asked_directly_and_guarded() {
    let (registry, host) = registry().await;
    let (proxy, names) = (
        ConnectProxy::start(Manners::default()).await,
        Names::new(&[&["127.0.0.1"]]),
    );
    let without = || ProxySettings {
        except: ".internal,registry.example".to_owned(),
        ..through(&proxy)
    };
    let dev = || ask(&host, "team/app", "dev");
    let private = client(vec![listed(&host, registry.ca_pem())], without(), &names);
    assert!(outcome(&private, dev()).await.is_ok());
    let public = client(vec![public(&host, &registry)], without(), &names);
    assert_eq!(outcome(&public, dev()).await, Err(Cause::Refused));
    assert_eq!(names.asked(), ["registry.example", "registry.example"]);
    assert!(proxy.take_asked().is_empty());
}

#[tokio::test]
async fn this_machine_and_plain_http_are_asked_directly() {
    let (proxy, names) = (
        ConnectProxy::start(Manners::default()).await,
        Names::new(&[&["127.0.0.1"]]),
    );
    let registry = Hostile::start(Tricks::default()).await;
    let plain = Hostile::plain(Tricks::default()).await;
    let plain_host = format!("registry.example:{}", plain.port());
    let hosts = vec![
        listed(&registry.host(), registry.ca_pem()),
        HostSettings {
            plain_http: true,
            ..listed(&plain_host, "")
        },
    ];
    let client = client(hosts, through(&proxy), &names);
    for host in [registry.host(), plain_host] {
        let found = outcome(&client, ask(&host, "team/app", "dev")).await;
        assert!(found.is_ok(), "{host}: {found:?}");
    }
    assert!(proxy.take_asked().is_empty());
}

#[rstest]
#[case::another_name("https://cdn.example:{port}/m", Cause::Unavailable, true)]
#[case::private("https://10.0.0.1:{port}/m", Cause::Refused, false)]
#[case::of_the_cluster("https://cdn.default.svc:{port}/m", Cause::Refused, false)]
#[tokio::test]
async fn redirects_go_the_same_way(
    #[case] location: &str,
    #[case] cause: Cause,
    #[case] is_asked: bool,
) {
    let (registry, host) = registry().await;
    let location = location.replace("{port}", &registry.port().to_string());
    registry.trick(|t| t.redirect = Some(location));
    let (proxy, names) = (
        ConnectProxy::start(Manners::default()).await,
        Names::new(&[]),
    );
    let client = client(vec![public(&host, &registry)], through(&proxy), &names);
    // The other host has a certificate that is not its own, so its answer is none.
    let found = outcome(&client, ask(&host, "team/app", "dev")).await;
    assert_eq!(found, Err(cause));
    let targets = proxy.take_targets();
    assert_eq!(targets.len() > 1, is_asked, "{targets:?}");
}

#[rstest]
#[case::refuses(Manners { refuses: Some("403 Forbidden"), ..Manners::default() }, "the proxy 127.0.0.1 answered CONNECT with 403 Forbidden")]
#[case::redirects(Manners { refuses: Some("302 Found"), ..Manners::default() }, "the proxy 127.0.0.1 answered CONNECT with 302 Found")]
#[case::no_http(Manners { refuses: Some("nonsense"), ..Manners::default() }, "the proxy 127.0.0.1 broke CONNECT off")]
#[case::meddles(Manners { meddles: true, ..Manners::default() }, "the proxy 127.0.0.1 sent something in the registry's place")]
#[case::hangs(Manners { hangs: true, ..Manners::default() }, "no answer within 300 ms")]
#[tokio::test]
async fn a_proxy_that_opens_no_tunnel(#[case] manners: Manners, #[case] said: &str) {
    let (registry, host) = registry().await;
    let (proxy, names) = (ConnectProxy::start(manners).await, Names::new(&[]));
    let settings = Settings {
        proxy: Some(through(&proxy)),
        timeout: Duration::from_millis(300),
        ..settings(vec![public(&host, &registry)])
    };
    let client = client_with_names(settings, &names);
    let failure = client
        .resolve(ask_as(&alice(), ask(&host, "team/app", "dev")))
        .await
        .unwrap_err();
    assert_eq!(failure.cause, Cause::Unavailable);
    assert!(failure.detail.contains(said), "{failure}");
    assert!(registry.take_seen().is_empty());
}

#[tokio::test]
async fn a_proxy_that_is_away_is_named() {
    let (registry, host) = registry().await;
    let proxy = ConnectProxy::start(Manners::default()).await;
    let (away, names) = (through(&proxy), Names::new(&[&["127.0.0.1"]]));
    drop(proxy);
    tokio::task::yield_now().await;
    let client = client(vec![public(&host, &registry)], away, &names);
    let failure = client.resolve(ask(&host, "a/b", "dev")).await.unwrap_err();
    assert_eq!(failure.cause, Cause::Unavailable);
    let said = "the proxy 127.0.0.1 cannot be reached: ";
    assert!(failure.detail.contains(said), "{failure}");
    assert!(registry.take_seen().is_empty() && names.asked().is_empty());
}

#[tokio::test]
async fn the_first_step_names_the_proxy() {
    let (registry, host) = registry().await;
    let (proxy, names) = (
        ConnectProxy::start(Manners::default()).await,
        Names::new(&[]),
    );
    let client = client(vec![public(&host, &registry)], through(&proxy), &names);
    let mut taken = Vec::new();
    assert!(client.reach(&host, &mut |one| taken.push(one)).await);
    let through = Outcome::Passed("through the proxy 127.0.0.1".to_owned());
    assert_eq!(
        (taken[0].step, &taken[0].outcome),
        (Step::Connect, &through)
    );
    assert_eq!(taken[1].outcome, Outcome::Passed("TLS 1.3".to_owned()));
}
