//! The guard, through the whole client.

use std::sync::Arc;

use cotter::{domain::policy::Cause, registry::settings::Settings};
use rstest::rstest;

use crate::{
    common::{Names, ask, client_with, client_with_names, outcome, settings},
    hostile::{Hostile, Tricks},
};

#[rstest]
#[case::loopback("127.0.0.1:{port}")]
#[case::localhost("localhost:{port}")]
#[case::short("127.1:{port}")]
#[case::one_number("2130706433:{port}")]
#[case::hex("0x7f.0.0.1:{port}")]
#[case::octal("0177.0.0.01:{port}")]
#[case::mapped("[::ffff:127.0.0.1]:{port}")]
#[case::v6_loopback("[::1]:{port}")]
#[case::metadata("169.254.169.254")]
#[case::metadata_hex("0xa9.0xfe.0xa9.0xfe")]
#[case::metadata_octal("0251.0376.0251.0376")]
#[case::metadata_one_number("2852039166")]
#[case::metadata_v6("[fd00:ec2::254]")]
#[case::metadata_mapped("[::ffff:a9fe:a9fe]")]
#[case::metadata_name("metadata.google.internal")]
#[case::service("kubernetes.default.svc")]
#[case::service_in_full("kubernetes.default.svc.cluster.local")]
#[case::one_label("registry:5000")]
#[case::empty("")]
#[case::no_host("a b")]
#[case::port_too_big("ghcr.io:99999")]
#[case::user_info("me@ghcr.io")]
#[tokio::test]
async fn hosts_that_are_not_dialled(#[case] host: &str) {
    let registry = Hostile::start(Tricks::default()).await;
    let names = Names::new(&[&["127.0.0.1"]]);
    let client = client_with_names(Settings::default(), &names);
    let host = host.replace("{port}", &registry.port().to_string());
    let found = outcome(&client, ask(&host, "team/app", "dev")).await;
    assert_eq!(found, Err(Cause::Refused), "{host}");
    assert!(registry.take_seen().is_empty() && names.asked().is_empty());
}

#[rstest]
#[case::loopback(&["127.0.0.1"])]
#[case::private(&["10.0.0.1"])]
#[case::metadata(&["169.254.169.254"])]
#[case::mapped(&["::ffff:10.0.0.1"])]
#[case::nat64(&["64:ff9b::10.0.0.1"])]
#[case::six_to_four(&["2002:a00:1::"])]
#[case::ula(&["fd00::1"])]
#[case::second_of_two(&["93.184.216.34", "127.0.0.1"])]
#[case::first_of_two(&["127.0.0.1", "93.184.216.34"])]
#[tokio::test]
async fn names_of_forbidden_addresses(#[case] addresses: &[&str]) {
    let names = Names::new(&[addresses]);
    let client = client_with_names(Settings::default(), &names);
    let found = outcome(&client, ask("registry.example", "team/app", "dev")).await;
    assert_eq!(found, Err(Cause::Refused));
    assert_eq!(names.asked(), ["registry.example"]);
}

#[tokio::test]
async fn an_answer_that_changes_is_checked_each_time_and_asked_once() {
    let registry = Hostile::speaking(&["http/1.1"], Tricks::default()).await;
    let names = Names::new(&[&["127.0.0.1"], &["169.254.169.254"]]);
    let host = format!("registry.example:{}", registry.port());
    let allowed = |ca: &str| Settings {
        allow_cidrs: vec!["127.0.0.1/32".parse().unwrap()],
        ..settings(vec![cotter::registry::settings::HostSettings {
            host: host.as_str().into(),
            ca: crate::ca::certificates(ca),
            ..Default::default()
        }])
    };
    let client = client_with_names(allowed(registry.ca_pem()), &names);
    let dev = || ask(&host, "team/app", "dev");
    assert!(outcome(&client, dev()).await.is_ok());
    assert_eq!(
        names.asked().len(),
        1,
        "the dialled address is the checked one"
    );
    assert!(
        outcome(&client, dev()).await.is_ok(),
        "over the same connection"
    );
    assert_eq!(names.asked().len(), 1);
    // Another rule drops the connection; the next one meets the DNS's other answer.
    let mut other = allowed(registry.ca_pem());
    other.deny_cidrs.push("203.0.113.0/24".parse().unwrap());
    client.swap(other).unwrap();
    assert_eq!(outcome(&client, dev()).await, Err(Cause::Refused));
    assert_eq!(names.asked().len(), 2);
}

#[tokio::test]
async fn denied_ranges_are_denied_though_public() {
    let names = Names::new(&[&["93.184.216.34"]]);
    let denied = Settings {
        deny_cidrs: vec!["93.184.0.0/16".parse().unwrap()],
        ..Settings::default()
    };
    let client = client_with_names(denied, &names);
    let found = outcome(&client, ask("registry.example", "team/app", "dev")).await;
    assert_eq!(found, Err(Cause::Refused));
}

#[tokio::test]
async fn plain_http_only_where_it_is_listed() {
    let registry = Hostile::plain(Tricks::default()).await;
    let listed = |plain_http| {
        settings(vec![cotter::registry::settings::HostSettings {
            host: registry.host().into(),
            plain_http,
            allow_private: true,
            ..Default::default()
        }])
    };
    let dev = || ask(&registry.host(), "team/app", "dev");
    assert!(outcome(&client_with(listed(true)), dev()).await.is_ok());
    assert_eq!(
        outcome(&client_with(listed(false)), dev()).await,
        Err(Cause::Unavailable)
    );
}

#[tokio::test]
async fn offline_asks_nobody() {
    use cotter::admission::ports::Registry as _;
    let names = Names::new(&[&["93.184.216.34"]]);
    let offline = Settings {
        offline: true,
        ..Settings::default()
    };
    let client = client_with_names(offline, &Arc::clone(&names));
    let dev = || ask("ghcr.io", "team/app", "dev");
    assert_eq!(outcome(&client, dev()).await, Err(Cause::Refused));
    assert!(client.known(&dev()).is_some_and(|known| known.is_err()));
    assert!(names.asked().is_empty());
}
