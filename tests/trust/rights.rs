//! Rights that are taken away while a replica serves: named, and taken back when they are granted.

use serde_json::{Value, json};

use crate::site::{Replica, Site, eventually, site};

pub const CONFIGURATIONS: &str = "mutatingwebhookconfigurations";

/// The rights without this verb on the first rule that has it on this resource.
pub fn less(rights: &(&'static str, Value), resource: &str, verb: &str) -> (&'static str, Value) {
    let (kind, mut rules) = rights.clone();
    let has = |rule: &&mut Value| {
        let verbs = rule["verbs"].as_array().unwrap();
        rule["resources"][0] == resource && verbs.contains(&json!(verb))
    };
    let rule = rules.as_array_mut().unwrap().iter_mut().find(has);
    let verbs = rule.unwrap()["verbs"].as_array_mut().unwrap();
    verbs.retain(|one| one != verb);
    if verbs.is_empty() {
        verbs.push(json!("get"));
    }
    (kind, rules)
}

/// Waits for the line of the ready replica that says so.
fn says(replica: &Replica, line: &str) {
    eventually(line, || {
        let (status, page) = replica.ops("/readyz?verbose");
        assert_eq!(status, 200, "{page}");
        page.contains(line).then_some(())
    });
}

/// Waits until nothing is missing.
fn is_content(replica: &Replica) {
    eventually("nothing is missing", || {
        let (status, page) = replica.ops("/readyz?verbose");
        let named = page.contains("may not ");
        let counted = replica
            .ops("/metrics")
            .1
            .contains("cotter_missing_permissions{");
        (status == 200 && !named && !counted).then_some(())
    });
}

/// The Events about cotter's own Pod whose note has this part.
fn events(site: &Site<'_>, part: &str) -> Vec<Value> {
    let path = format!("/apis/events.k8s.io/v1/namespaces/{}/events", site.name);
    let events = site.plane.get(&path)["items"].clone();
    let says = |event: &Value| {
        event["reason"] == "MissingPermission"
            && event["regarding"]["name"] == "one"
            && event["note"]
                .as_str()
                .is_some_and(|note| note.contains(part))
    };
    let events = events.as_array().unwrap().iter();
    events.filter(|event| says(event)).cloned().collect()
}

#[test]
fn a_registration_that_cannot_be_mended_is_named_until_it_can_or_need_not() {
    let site = site!();
    let [role, cluster] = site.rights();
    let replica = site.ready(&["--pod-name", "one"]);
    is_content(&replica);
    let path = json!(site.hook(0).1);
    let broken =
        json!([{"op": "replace", "path": "/webhooks/0/clientConfig/service/path", "value": "/x"}]);
    let mended =
        json!([{"op": "replace", "path": "/webhooks/0/clientConfig/service/path", "value": path}]);
    for by_others in [false, true] {
        site.grant(&[role.clone(), less(&cluster, CONFIGURATIONS, "patch")]);
        eventually("the right to be gone", || {
            (!site.may("patch", false)).then_some(())
        });
        site.edit(&broken);
        let right = format!("may not patch {CONFIGURATIONS}/{}", site.name);
        says(&replica, &format!("[!] registration: {right}"));
        let metric =
            "cotter_missing_permissions{verb=\"patch\",resource=\"mutatingwebhookconfigurations\"";
        eventually("the metric", || {
            (replica.metric(metric) > 0.0).then_some(())
        });
        eventually("one Event", || {
            (events(&site, &right).len() == 1).then_some(())
        });
        assert!(replica.process.log().contains(&right));
        if by_others {
            site.edit(&mended);
        } else {
            site.grant(&site.rights());
        }
        is_content(&replica);
        site.grant(&site.rights());
        eventually("mended", || site.is_answered(&replica).then_some(()));
    }
}

#[test]
fn a_lease_that_cannot_be_read_is_named_until_it_can() {
    let site = site!();
    let [role, cluster] = site.rights();
    let replica = site.ready(&["--pod-name", "one"]);
    site.grant(&[less(&role, "leases", "get"), cluster]);
    says(&replica, "[!] lease: may not get leases in namespace ");
    eventually("one Event", || {
        (events(&site, "may not get leases").len() == 1).then_some(())
    });
    site.grant(&site.rights());
    is_content(&replica);
}
