//! How it reads, to whoever describes a Registry.

use serde_json::json;

use super::Site;
use crate::{
    lab::{eventually, lab},
    support::registry_part::ALICE,
};

#[test]
fn its_events_tell_what_happened_with_what_to_do() {
    let lab = lab!();
    let site = Site::start(&lab);
    let shop = site.namespace("shop");
    let mut registry = site.registry(&[&shop]);
    site.apply(&registry);
    site.becomes("Valid", "False", "NoCredential");
    site.credential("wrong");
    site.becomes("Authenticated", "False", "Refused");
    site.credential(ALICE.1);
    site.becomes("Ready", "True", "Ready");
    for probe in [
        json!({"repository": "beta/app", "tag": "dev"}),
        json!({"repository": "acme/app", "tag": "gone"}),
    ] {
        registry["spec"]["probe"] = probe.clone();
        site.apply(&registry);
        let failed = |part: &str| {
            eventually(part, || {
                let (_, _, said) = site.condition("Authenticated")?;
                said.contains(part).then_some(())
            });
        };
        failed(if probe["tag"] == "gone" {
            "Manifest failed"
        } else {
            "Scope failed"
        });
    }
    registry["spec"]["probe"] = json!(null);
    site.apply(&registry);
    let said = site.becomes("Authenticated", "True", "Accepted");
    assert!(
        said.ends_with(
            "Whether it opens a repository is not tested: name one in spec.probe.repository"
        ),
        "{said}"
    );

    let told = eventually("the story", || {
        let told = lab.plane.kubectl(&["describe", "reg", &site.name]).ok();
        told.contains("Manifest failed").then_some(told)
    });
    let events = told.split("Events:").nth(1).unwrap();
    let mut rest = events;
    for part in story(&site) {
        let found = rest.split_once(&part);
        (_, rest) = found.unwrap_or_else(|| panic!("{part:?} not in its place in {events}"));
    }
}

fn story(site: &Site<'_>) -> [String; 7] {
    [
        format!("Valid: there is no Secret {}/{}, which spec.credentials names: create it", site.own, site.name),
        "Valid: the spec and the keys of the credential are well".to_owned(),
        "Authenticated: token failed: the token server answered 401 Unauthorized. Check user and password, and that this user may \
         pull the repository. Before that: reachable: "
            .to_owned(),
        "scope: pull of acme/app; manifest: sha256:".to_owned(),
        "Synced: regcred is in 1 of 1 namespaces".to_owned(),
        "Authenticated: it worked before, so the pull secrets stay as they are. Scope failed: the token grants no pull of beta/app. \
         Check user"
            .to_owned(),
        "Manifest failed: the registry knows no such tag or repository. Check repository and tag".to_owned(),
    ]
}
