//! How replicas begin: with nothing there, many at once, and with something wrong or missing.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use cotter::tls::authority::Authority;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::site::{Site, eventually, site};

#[test]
fn a_replica_registers_itself_and_touches_nothing_else() {
    let site = site!();
    let before = site.configuration();
    let replica = site.ready(&[]);
    assert!(site.is_answered(&replica));
    let after = site.configuration();
    let (bundle, path) = site.hook(0);
    assert_eq!(site.hook(2), (bundle.clone(), path.clone()));
    assert_eq!(rewrapped(&bundle), rewrapped(&site.shared("ca.crt")));
    assert_eq!(path, format!("/mutate/{}", site.shared("path")));
    assert_eq!(
        after["webhooks"][1], before["webhooks"][1],
        "another's webhook"
    );
    let without = |mut hook: Value| {
        let config = hook["clientConfig"].as_object_mut().unwrap();
        config.remove("caBundle");
        config["service"].as_object_mut().unwrap().remove("path");
        hook
    };
    for index in [0, 2] {
        let (now, then) = (&after["webhooks"][index], &before["webhooks"][index]);
        assert_eq!(without(now.clone()), without(then.clone()));
    }
    assert_eq!(after["webhooks"].as_array().unwrap().len(), 3);
    for kind in ["ca", "leaf"] {
        let metric = format!("cotter_certificate_not_after_timestamp_seconds{{kind=\"{kind}\"}}");
        assert!(replica.metric(&metric) > 1.7e9, "{metric}");
    }
}

fn rewrapped(pem: &str) -> String {
    pem.replace("\r\n", "\n")
}

#[test]
fn ten_replicas_that_start_at_once_agree() {
    let site = site!();
    let mut replicas: Vec<_> = (0..10).map(|_| site.start(&[])).collect();
    for replica in &mut replicas {
        replica.wait_until_ready();
    }
    let (bundle, _) = site.hook(0);
    assert_eq!(bundle.matches("BEGIN CERTIFICATE").count(), 1, "{bundle}");
    for replica in &replicas {
        assert!(site.is_answered(replica));
    }
}

#[test]
fn an_authority_that_is_not_valid_is_replaced_at_the_start() {
    let site = site!();
    let day = Duration::from_hours(24);
    for (name, made) in [
        ("expired", Timestamp::now() - 3 * day),
        ("made by a clock in the future", Timestamp::now() + 3 * day),
    ] {
        let authority = Authority::make("cotter", made, 2 * day).unwrap();
        let text = |text: &str| json!(BASE64_STANDARD.encode(text));
        let data = json!({"ca.crt": text(authority.pem()), "ca.key": text(&authority.key_pem()), "path": text(&"a".repeat(52))});
        write_secret(&site, &data);
        let replica = site.ready(&[]);
        assert!(site.is_answered(&replica), "{name}");
        assert_ne!(site.shared("ca.crt"), authority.pem(), "{name}");
        assert_eq!(site.shared("path"), "a".repeat(52), "{name}");
    }
}

#[test]
fn a_damaged_secret_is_made_good_by_who_remembers_nothing() {
    let site = site!();
    for (name, data) in [
        ("empty", json!({})),
        (
            "garbage",
            json!({"ca.crt": "eA==", "ca.key": "eA==", "path": "eA=="}),
        ),
        (
            "half",
            json!({"path": BASE64_STANDARD.encode("b".repeat(52))}),
        ),
    ] {
        write_secret(&site, &data);
        let replica = site.ready(&[]);
        assert!(site.is_answered(&replica), "{name}");
    }
    assert_eq!(site.shared("path"), "b".repeat(52), "what is good is kept");
}

fn write_secret(site: &Site<'_>, data: &Value) {
    site.plane.request("DELETE", &site.secret_path(), None);
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "cotter-trust"}, "data": data});
    let path = format!("/api/v1/namespaces/{}/secrets", site.name);
    let made = site.plane.request("POST", &path, Some(&secret));
    assert_eq!(made.status, 201, "{}", made.text());
}

const CONFIGURATIONS: &str = "mutatingwebhookconfigurations";

fn has(rule: &Value, verb: &str) -> bool {
    rule["verbs"]
        .as_array()
        .is_some_and(|verbs| verbs.iter().any(|one| one == verb))
}

#[test]
fn what_is_missing_is_named_until_it_is_there() {
    let site = site!();
    let [role, cluster] = site.rights();
    let less = |rights: &(&'static str, Value), resource: &str, verb: &str| {
        let (kind, mut rules) = rights.clone();
        let mut rules_of = rules.as_array_mut().unwrap().iter_mut();
        let found = rules_of.find(|one| one["resources"][0] == resource && has(one, verb));
        let verbs = found.unwrap()["verbs"].as_array_mut().unwrap();
        verbs.retain(|one| one != verb);
        if verbs.is_empty() {
            verbs.push(json!("get"));
        }
        (kind, rules)
    };
    for (name, rights, expected) in [
        (
            "no list of the configuration",
            [role.clone(), less(&cluster, CONFIGURATIONS, "list")],
            "grant the verb list on mutatingwebhookconfigurations",
        ),
        (
            "no patch of the configuration",
            [role.clone(), less(&cluster, CONFIGURATIONS, "patch")],
            "grant the verb patch on mutatingwebhookconfigurations",
        ),
        (
            "no creation of secrets",
            [less(&role, "secrets", "create"), cluster.clone()],
            "grant the verb create on secrets",
        ),
    ] {
        site.grant(&rights);
        let verb = expected.split(' ').nth(3).unwrap();
        let on_secrets = expected.ends_with("secrets");
        eventually("the API server to know of the rights", || {
            (!site.may(verb, on_secrets)).then_some(())
        });
        let mut replica = site.start(&[]);
        let said = eventually(name, || {
            let (status, text) = replica.ops("/readyz");
            (status == 503 && text.contains(expected)).then_some(text)
        });
        let object = if on_secrets {
            "cotter-trust"
        } else {
            site.name.as_str()
        };
        assert!(said.contains(object), "{name}: {said}");
        let metric = format!("cotter_missing_permissions{{verb=\"{verb}\"");
        eventually("the metric", || {
            (replica.metric(&metric) > 0.0).then_some(())
        });
        site.grant(&site.rights());
        replica.wait_until_ready();
        drop(replica);
        let empty = site.as_installed()["webhooks"].clone();
        site.edit(&json!([{"op": "replace", "path": "/webhooks", "value": empty}]));
        site.plane.request("DELETE", &site.secret_path(), None);
    }
}

#[test]
fn a_replica_that_may_not_touch_the_lease_serves_and_says_so() {
    let site = site!();
    let [(kind, mut rules), cluster] = site.rights();
    rules.as_array_mut().unwrap().pop();
    site.grant(&[(kind, rules), cluster]);
    let replica = site.ready(&["--pod-name", "one"]);
    let expected = "[!] lease: may not get leases in namespace ";
    eventually(expected, || {
        let (status, text) = replica.ops("/readyz?verbose");
        (status == 200 && text.contains(expected)).then_some(())
    });
    let path = format!("/apis/events.k8s.io/v1/namespaces/{}/events", site.name);
    eventually("an Event", || {
        let events = site.plane.get(&path)["items"].clone();
        let mut events = events.as_array()?.iter();
        events
            .any(|event| {
                event["reason"] == "MissingPermission" && event["regarding"]["name"] == "one"
            })
            .then_some(())
    });
    assert!(site.is_answered(&replica));
}

#[test]
fn a_configuration_that_is_missing_or_calls_others_is_named() {
    let site = site!();
    let all = site.as_installed()["webhooks"].clone();
    site.edit(&json!([{"op": "replace", "path": "/webhooks", "value": [all[1]]}]));
    let mut replica = site.start(&[]);
    let expected = format!(
        "[-] trusted: MutatingWebhookConfiguration {}: none of its webhooks calls the Service {}",
        site.name,
        site.host()
    );
    eventually(&expected, || {
        replica.ops("/readyz").1.contains(&expected).then_some(())
    });
    site.delete(&site.configuration_path());
    let expected = format!(
        "[-] trusted: MutatingWebhookConfiguration {}: there is none",
        site.name
    );
    eventually(&expected, || {
        replica.ops("/readyz").1.contains(&expected).then_some(())
    });
    site.install();
    replica.wait_until_ready();
}

#[test]
fn without_an_api_server_a_replica_waits_and_says_for_what() {
    use crate::support::control_plane::ControlPlane;

    if !crate::site::parts_are_here("without_an_api_server_a_replica_waits_and_says_for_what") {
        return;
    }
    let plane = ControlPlane::start();
    let site = Site::new(&plane);
    let mut waiting = None;
    plane.restart_api_server(|| {
        let replica = site.start(&[]);
        eventually("what it waits for", || {
            let (status, text) = replica.ops("/readyz");
            let named = [
                "certificate: Secret ",
                "trusted: MutatingWebhookConfiguration ",
            ];
            let all = named.iter().all(|name| text.contains(name)) && text.contains("cannot list");
            (status == 503 && all).then_some(())
        });
        waiting = Some(replica);
    });
    let mut replica = waiting.unwrap();
    replica.wait_until_ready();
    assert!(site.is_answered(&replica));
    // What it has it keeps serving.
    let (bundle, path) = site.hook(0);
    plane.restart_api_server(|| {
        let reply = replica.post(&site.host(), &bundle, &path).unwrap();
        assert_eq!((reply.status, replica.ops("/readyz").0), (200, 200));
    });
}
