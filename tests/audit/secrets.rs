//! Pull secrets that are missing, broken, ended or of no use, and references that mean nothing.

use serde_json::json;

use crate::lab::lab;

/// `{"exp":1700000000}`, which was in 2023, signed by nobody.
const ENDED: &str = "eyJhbGciOiJub25lIn0.eyJleHAiOjE3MDAwMDAwMDB9.c2ln";

#[test]
fn each_kind_is_found_and_no_password_is_shown() {
    let lab = lab!();
    let ns = lab.namespace(&[]);
    let public = format!(
        "{}@{}",
        lab.image("public/app"),
        lab.registry.digest("public/app", "dev")
    );
    ns.secret("broken", r#"{"auths": 5}"#);
    let ended = json!({"auths": {"ghcr.io": {"username": "u", "password": ENDED}}});
    ns.secret("ended", &ended.to_string());
    let unused = json!({"auths": {"quay.io": {"username": "u", "password": "hunter2"}}});
    ns.secret("unused", &unused.to_string());
    ns.pod("breaks", &public, &["broken"], "");
    ns.pod("names-none", &public, &["not-there"], "");
    ns.pod("private", &lab.image("acme/app:dev"), &[], "");
    ns.pod("typo", &lab.image("public/app:devv"), &[], "");
    ns.pod("upper", &lab.image("ByteQuester/app:dev"), &[], "");
    ns.pod("no-reference", "a//b:::c", &[], "");
    let said = ns.audit(&[]);
    let mut found = said.findings();
    found.retain(|(kind, _)| *kind != "unpinned");
    assert_eq!(
        found,
        [
            ("unresolved", "Pod/no-reference"),
            ("unresolved", "Pod/private"),
            ("unresolved", "Pod/typo"),
            ("unresolved", "Pod/upper"),
            ("missing-secret", "not-there"),
            ("missing-secret", "Pod/private"),
            ("missing-secret", "Pod/upper"),
            ("broken-secret", "broken"),
            ("expired-secret", "ended"),
            ("unused-secret", "ended"),
            ("unused-secret", "unused"),
            ("upper-case", "Pod/upper"),
        ]
    );
    assert_eq!(said.image("Pod/typo")["cause"], "notFound");
    assert_eq!(said.image("Pod/private")["cause"], "unauthorized");
    for form in ["table", "wide", "json", "markdown", "sarif"] {
        let shown = lab.cotter(&["-n", &ns.name, "-o", form]);
        assert_eq!(shown.code, 1);
        for hidden in ["hunter2", ENDED, "rabbit-hole"] {
            assert!(
                !shown.stdout.contains(hidden) && !shown.stderr.contains(hidden),
                "{form}"
            );
        }
    }
}

#[test]
fn a_credential_that_is_turned_away_is_named() {
    let lab = lab!();
    let ns = lab.namespace(&[]);
    ns.secret(
        "wrong",
        &lab.registry.docker_config("alice", "wrong-password"),
    );
    ns.pod("web", &lab.image("acme/app:dev"), &["wrong"], "");
    let said = ns.audit(&["--fail-on", "unresolved"]);
    assert_eq!(
        said.findings(),
        [("unpinned", "Pod/web"), ("unresolved", "Pod/web")]
    );
    let message = said.report["findings"][1]["message"].as_str().unwrap();
    assert!(
        message.contains("turned away pull secret wrong"),
        "{message}"
    );
    assert_eq!(said.code, 1);
}

#[test]
fn a_namespace_where_all_is_well_ends_with_0() {
    let lab = lab!();
    let ns = lab.namespace(&[("cotter.dev/mode", "enforce")]);
    ns.secret("pull", &lab.alice());
    let digest = lab.registry.digest("acme/app", "dev");
    let pinned = format!("{}@{digest}", lab.image("acme/app:dev"));
    ns.pod(
        "web",
        &pinned,
        &["pull"],
        &format!("{}@{digest}", lab.image("acme/app")),
    );
    let said = ns.audit(&["--fail-on", "all"]);
    assert_eq!(
        (said.code, said.stderr.as_str()),
        (0, ""),
        "{}",
        said.report
    );
    let table = lab.cotter(&["-n", &ns.name]).ok();
    assert!(table.contains("Nothing was found."), "{table}");
}
