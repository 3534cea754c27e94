//! What the API server takes for a `Registry`, and how kubectl shows one.

use serde_json::Value;

use super::{REGISTRIES, Site};
use crate::{
    lab::{eventually, lab},
    support::registry_part::ALICE,
};

/// Changes of a spec, and what is said to each; "" where it is taken.
const SPECS: [(&str, &str, &str); 24] = [
    ("as it is", "{}", ""),
    (
        "ACR without a host",
        r#"{"type": "ACR", "host": null}"#,
        "set spec.host",
    ),
    (
        "ACR with a login server",
        r#"{"type": "ACR", "host": null, "loginServer": "a.azurecr.io"}"#,
        "",
    ),
    (
        "Custom without a host",
        r#"{"host": null}"#,
        "set spec.host",
    ),
    (
        "Custom with a URL",
        r#"{"host": null, "url": "https://r.example.com/v2/"}"#,
        "",
    ),
    (
        "two names of one thing",
        r#"{"url": "https://r.example.com"}"#,
        "set one of them",
    ),
    (
        "ECR without a region",
        r#"{"type": "ECR", "host": null}"#,
        "set spec.region",
    ),
    (
        "ECR without a credential",
        r#"{"type": "ECR", "host": null, "region": "eu-central-1", "credentials": null}"#,
        "",
    ),
    (
        "GAR without a region",
        r#"{"type": "GAR", "host": null}"#,
        "set spec.region",
    ),
    (
        "GHCR without a host",
        r#"{"type": "GHCR", "host": null}"#,
        "",
    ),
    (
        "Docker Hub by its other name",
        r#"{"type": "Docker", "host": null}"#,
        "",
    ),
    (
        "Public with a credential",
        r#"{"type": "Public", "host": "quay.io"}"#,
        "leave out spec.credentials",
    ),
    (
        "Public without a host",
        r#"{"type": "Public", "host": null, "credentials": null}"#,
        "set spec.host",
    ),
    (
        "Public",
        r#"{"type": "Public", "host": "quay.io", "credentials": null}"#,
        "",
    ),
    (
        "GHCR without a credential",
        r#"{"type": "GHCR", "host": null, "credentials": null}"#,
        "set spec.credentials.secretRef.name",
    ),
    (
        "a scheme",
        r#"{"host": "https://r.example.com"}"#,
        "a host has no scheme",
    ),
    (
        "upper case",
        r#"{"host": "R.example.com"}"#,
        "written in lower case",
    ),
    ("a wildcard", r#"{"host": "*.example.com"}"#, "no wildcards"),
    (
        "a user",
        r#"{"host": "me@r.example.com"}"#,
        "without user, tag or digest",
    ),
    ("an owner in upper case", r#"{"owner": "ByteQuester"}"#, ""),
    (
        "an owner with a tag",
        r#"{"owner": "acme:dev"}"#,
        "an owner is a part of a path",
    ),
    (
        "an account of eleven figures",
        r#"{"type": "ECR", "region": "eu-central-1", "account": "12345678901"}"#,
        "twelve figures",
    ),
    ("another type", r#"{"type": "Harbor"}"#, "supported values"),
    (
        "values that nobody asks for",
        r#"{"namespaces": {"selector": {"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]}}}"#,
        "Exists and DoesNotExist take none",
    ),
];

/// What the API server says to a spec that is changed in one place; "" where it takes it.
fn said_to(site: &Site<'_>, change: &str) -> String {
    let change: Value = serde_json::from_str(change).unwrap();
    let mut registry = site.registry(&[]);
    for (member, value) in change.as_object().unwrap() {
        registry["spec"][member] = value.clone();
    }
    let spec = registry["spec"].as_object_mut().unwrap();
    spec.retain(|_, value| !value.is_null());
    let path = format!("{REGISTRIES}?dryRun=All");
    let reply = site.lab.plane.request("POST", &path, Some(&registry));
    if reply.status == 201 {
        String::new()
    } else {
        reply.json()["message"].as_str().unwrap().to_owned()
    }
}

#[test]
fn the_api_server_refuses_what_one_field_can_tell() {
    let lab = lab!();
    let site = Site::start(&lab);
    for (row, change, expected) in SPECS {
        let said = said_to(&site, change);
        let fits = if expected.is_empty() {
            said.is_empty()
        } else {
            said.to_lowercase().contains(&expected.to_lowercase())
        };
        assert!(fits, "{row}: {said:?}");
    }
}

#[test]
fn a_name_that_is_no_label_is_refused() {
    let lab = lab!();
    let site = Site::start(&lab);
    let mut registry = site.registry(&[]);
    registry["metadata"]["name"] = "r".repeat(64).into();
    let reply = lab
        .plane
        .request("POST", &format!("{REGISTRIES}?dryRun=All"), Some(&registry));
    let said = reply.text();
    assert!(said.contains("63 characters at most"), "{said}");
}

#[test]
fn kubectl_shows_it_as_people_read_it() {
    let lab = lab!();
    let site = Site::start(&lab);
    site.ready_in("shop");
    let table = lab.plane.kubectl(&["get", "reg", &site.name]).ok();
    let lines: Vec<&str> = table.lines().collect();
    let words = |line: &str| {
        line.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let head = [
        "NAME",
        "TYPE",
        "HOST",
        "READY",
        "AUTHENTICATED",
        "EXPIRES",
        "NAMESPACES",
        "PODS",
        "AGE",
    ];
    assert_eq!(words(lines[0]), head);
    let row = words(lines[1]);
    assert_eq!(
        row[..5],
        [&*site.name, "Custom", site.host(), "True", "True"],
        "{table}"
    );
    assert_eq!(row[5], "1/1", "{table}");
    let told = eventually("the Events", || {
        let told = lab.plane.kubectl(&["describe", "reg", &site.name]).ok();
        let all = ["Valid", "Accepted", "Synced"]
            .iter()
            .all(|reason| told.contains(reason));
        (all && told.contains("Events:") && told.contains("regcred is in 1 of 1 namespaces"))
            .then_some(told)
    });
    assert!(!told.contains(ALICE.1), "{told}");
    let explained = lab
        .plane
        .kubectl(&["explain", "reg.spec.namespaces.selector"])
        .ok();
    assert!(
        explained.contains("Whoever may label a namespace"),
        "{explained}"
    );
    let all = lab.plane.kubectl(&["get", "cotter", "-o", "name"]).ok();
    assert!(
        all.contains(&format!("registry.cotter.dev/{}", site.name)),
        "{all}"
    );
}
