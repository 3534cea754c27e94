//! What others break, and how soon it is right again.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::site::{Site, eventually, site};

/// What nothing may change while the shared Secret is mended.
fn kept(site: &Site<'_>) -> [String; 3] {
    ["ca.crt", "ca.key", "path"].map(|key| site.shared(key))
}

fn garbage(text: &str) -> Value {
    json!(BASE64_STANDARD.encode(text))
}

#[test]
fn a_damaged_secret_is_mended_from_memory() {
    let site = site!();
    let replica = site.ready(&[]);
    let before = kept(&site);
    let other = json!(BASE64_STANDARD.encode(crate::support::ca::Ca::new("other").pem()));
    for (name, patch) in [
        ("no certificate", json!({"data": {"ca.crt": garbage("x")}})),
        ("no key", json!({"data": {"ca.key": null}})),
        ("another's certificate", json!({"data": {"ca.crt": other}})),
        ("no path", json!({"data": {"path": null}})),
        (
            "a path that is none",
            json!({"data": {"path": garbage("../x")}}),
        ),
        (
            "half a successor",
            json!({"data": {"next.path": garbage(&"a".repeat(52))}}),
        ),
        (
            "unreadable predecessors",
            json!({"data": {"previous.crt": garbage("x")}}),
        ),
        ("nothing at all", json!({"data": null})),
        ("immutable", json!({"immutable": true})),
    ] {
        site.edit_secret(&patch);
        eventually(name, || {
            let secret = site.secret()?;
            let next = &secret["data"]["next.path"];
            let mended = kept(&site) == before && next.is_null() && secret["immutable"].is_null();
            (mended && secret["data"]["previous.crt"].is_null()).then_some(())
        });
        assert!(site.is_answered(&replica), "{name}");
        // Patience with those who break things again and again begins after four repairs within a minute.
        if name == "no path" {
            assert!(replica.metric("cotter_trust_repairs_total{what=\"secret\"}") >= 4.0);
        }
    }
}

#[test]
fn a_deleted_secret_is_written_again_with_the_same_authority() {
    let site = site!();
    let replica = site.ready(&[]);
    let before = kept(&site);
    site.delete(&site.secret_path());
    assert!(site.is_answered(&replica));
    eventually("the secret", || (kept(&site) == before).then_some(()));
    assert!(site.is_answered(&replica));
}

#[test]
fn a_registration_is_put_right_and_nobody_becomes_unready() {
    let site = site!();
    let replica = site.ready(&[]);
    let (bundle, path) = site.hook(0);
    let at = |index: usize, member: &str| format!("/webhooks/{index}/clientConfig/{member}");
    for (name, operation) in [
        (
            "no bundle",
            json!({"op": "remove", "path": at(0, "caBundle")}),
        ),
        (
            "no PEM",
            json!({"op": "replace", "path": at(2, "caBundle"), "value": garbage("x")}),
        ),
        (
            "no path",
            json!({"op": "remove", "path": at(2, "service/path")}),
        ),
        (
            "another path",
            json!({"op": "replace", "path": at(0, "service/path"), "value": "/mutate"}),
        ),
    ] {
        site.edit(&json!([operation]));
        eventually(name, || site.is_answered(&replica).then_some(()));
        assert_eq!(replica.ops("/readyz").0, 200, "{name}");
        assert_eq!(
            (site.hook(0), site.hook(2)),
            (
                (bundle.clone(), path.clone()),
                (bundle.clone(), path.clone())
            ),
            "{name}"
        );
    }
    for what in ["bundle", "path"] {
        let metric = format!("cotter_trust_repairs_total{{what=\"{what}\"}}");
        assert!((replica.metric(&metric) - 2.0).abs() < 0.1, "{metric}");
    }
}

#[test]
fn an_authority_that_somebody_adds_is_left_beside_ours_for_a_while() {
    let site = site!();
    let replica = site.ready(&[]);
    let foreign = crate::support::ca::Ca::new("foreign");
    let (ours, _) = site.hook(0);
    let value = json!(BASE64_STANDARD.encode(foreign.pem()));
    site.edit(
        &json!([{"op": "replace", "path": "/webhooks/0/clientConfig/caBundle", "value": value}]),
    );
    eventually("ours beside it", || {
        site.is_answered(&replica).then_some(())
    });
    assert_eq!(
        site.hook(0).0,
        format!("{ours}{}", rewrapped(foreign.pem()))
    );
}

/// The same PEM with this program's line ends.
fn rewrapped(pem: &str) -> String {
    pem.replace("\r\n", "\n")
}

#[test]
fn what_a_person_edits_otherwise_stays() {
    let site = site!();
    let replica = site.ready(&[]);
    site.edit(&json!([
        {"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Fail"},
        {"op": "replace", "path": "/webhooks/2/timeoutSeconds", "value": 3},
        {"op": "add", "path": "/webhooks/1/clientConfig/caBundle", "value": garbage("x")},
        {"op": "remove", "path": "/webhooks/0/clientConfig/caBundle"},
    ]));
    eventually("a repair", || site.is_answered(&replica).then_some(()));
    let after = site.configuration();
    assert_eq!(after["webhooks"][0]["failurePolicy"], "Fail");
    assert_eq!(after["webhooks"][2]["timeoutSeconds"], 3);
    assert_eq!(
        after["webhooks"][1]["clientConfig"]["caBundle"],
        garbage("x")
    );
}

#[test]
fn a_configuration_that_is_made_anew_is_registered_and_keeps_the_secret() {
    let site = site!();
    let replica = site.ready(&[]);
    let before = kept(&site);
    site.delete(&site.configuration_path());
    site.install();
    eventually("the registration", || {
        site.is_answered(&replica).then_some(())
    });
    let uid = site.configuration()["metadata"]["uid"].clone();
    eventually("the Secret to go with it", || {
        let secret = site.secret()?;
        (secret["metadata"]["ownerReferences"][0]["uid"] == uid).then_some(())
    });
    assert_eq!(kept(&site), before);
}

#[test]
fn an_uninstall_takes_the_secret_away_for_good() {
    let site = site!();
    let replica = site.ready(&[]);
    site.delete(&site.configuration_path());
    eventually("the garbage collector", || {
        site.secret().is_none().then_some(())
    });
    eventually("the replica to see that", || {
        (replica.metric("cotter_trusted") < 0.5).then_some(())
    });
    assert!(site.secret().is_none());
    assert_eq!(replica.ops("/readyz").0, 200, "trust latches");
}

#[test]
fn webhooks_that_are_taken_away_and_brought_back_are_found_again() {
    let site = site!();
    let replica = site.ready(&[]);
    let hooks = site.as_installed()["webhooks"].clone();
    site.edit(&json!([{"op": "replace", "path": "/webhooks", "value": [hooks[1]]}]));
    eventually("the loss", || {
        (replica.metric("cotter_trusted") < 0.5).then_some(())
    });
    site.edit(&json!([{"op": "replace", "path": "/webhooks", "value": hooks}]));
    eventually("the registration", || {
        site.is_answered(&replica).then_some(())
    });
}
