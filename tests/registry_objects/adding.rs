//! `cotter registry add`, as scripts use it, and whoever keeps manifests in Git.

use serde_json::Value;

use crate::{
    desk::{ANNA, desk},
    support::registry_part::ALICE,
};

#[test]
fn a_registry_and_its_credential_are_made_and_rolled_out() {
    let desk = desk!();
    let _cotter = desk.cotter();
    let shop = desk.namespace("shop");
    let said = desk.add(&["--namespaces", &shop]).ok();
    let name = &desk.name;
    assert!(said.contains("✓ manifest"), "{said}");
    assert!(
        said.contains(&format!(
            "secret/{name} created\nregistry.cotter.dev/{name} created\n{name} is ready"
        )),
        "{said}"
    );
    assert_eq!(desk.user_in(&shop).as_deref(), Some(ALICE.0));
    let secret = desk.secret(&desk.own, name).unwrap();
    let annotations = &secret["metadata"]["annotations"];
    assert_eq!(annotations["cotter.dev/registry"], **name);
    assert_eq!(annotations["cotter.dev/host"], desk.registry.host());
    let object = desk.object().unwrap();
    assert_eq!(object["spec"]["credentials"]["secretRef"]["name"], **name);

    let again = desk.add(&[]).failed();
    assert!(
        again.contains("there is a Registry") && again.contains("rotate"),
        "{again}"
    );
}

#[test]
fn a_credential_that_is_refused_makes_nothing_unless_the_test_is_left_out() {
    let desk = desk!();
    let host = desk.registry.host();
    let add = |more: &[&str]| {
        let own = [
            "add",
            &desk.name,
            "--type",
            "Custom",
            "--host",
            host,
            "--username",
            ALICE.0,
            "--password-stdin",
            "--probe",
            "acme/app:dev",
            "--yes",
            "--no-wait",
        ];
        desk.json(&[&own[..], more].concat(), "wrong-hunter2")
    };
    let (document, code) = add(&[]);
    assert_eq!(
        (code, &document["created"]),
        (1, &Value::Bool(false)),
        "{document}"
    );
    let steps = document["test"]["ways"][0]["steps"].as_array().unwrap();
    let failed = steps.last().unwrap();
    assert_eq!(
        (&failed["step"], &failed["outcome"]),
        (&"token".into(), &"failed".into()),
        "{document}"
    );
    assert!(
        failed["remedy"]
            .as_str()
            .unwrap()
            .contains("check user and password"),
        "{failed}"
    );
    assert!(!document.to_string().contains("hunter2"), "{document}");
    assert_eq!(
        (desk.object(), desk.secret(&desk.own, &desk.name)),
        (None, None)
    );

    let (document, code) = add(&["--no-test"]);
    assert_eq!(
        (code, &document["created"]),
        (0, &Value::Bool(true)),
        "{document}"
    );
    assert_eq!(document["test"], Value::Null);
    assert_eq!(desk.member("password"), "wrong-hunter2");
}

#[test]
fn what_cannot_work_is_refused_before_anybody_is_asked() {
    let desk = desk!();
    let rows: [(&[&str], &str, &str); 7] = [
        (
            &["--type", "GHCR", "--username", "bot", "--password-stdin"],
            "",
            "key token of the Secret: empty",
        ),
        (
            &["--type", "Custom", "--username", "bot", "--password-stdin"],
            "p",
            "--host: missing",
        ),
        (
            &["--type", "ECR", "--region", "eu-central-1a", "--ambient"],
            "",
            "--region: eu-central-1a is an availability zone",
        ),
        (
            &[
                "--type",
                "ECR",
                "--region",
                "eu-central-1",
                "--password-stdin",
            ],
            "p",
            "missing: --account ACCOUNT",
        ),
        (
            &["--type", "GHCR", "--password-stdin"],
            "p",
            "missing: --username USER",
        ),
        (
            &["--type", "GHCR"],
            "",
            "missing: --username USER, --password-stdin",
        ),
        (
            &["--type", "GHCR", "--from-file", "pasword=/dev/null"],
            "",
            "pasword is no part of a credential for GHCR",
        ),
    ];
    for (flags, stdin, expected) in rows {
        let line = [&["add", &desk.name, "--yes"], flags].concat();
        let outcome = desk.run(&line, stdin);
        assert_eq!(outcome.code, 2, "{flags:?}: {outcome:?}");
        assert!(
            outcome.stderr.contains(expected),
            "{flags:?}: {}",
            outcome.stderr
        );
    }
    assert_eq!(desk.object(), None);
}

#[test]
fn manifests_for_git_hold_the_credential_only_when_asked_for() {
    let desk = desk!();
    let host = desk.registry.host();
    let line = |more: &[&str]| {
        let own = [
            "add",
            &desk.name,
            "--type",
            "Custom",
            "--host",
            host,
            "--username",
            ALICE.0,
            "--password-stdin",
            "--namespaces",
            "default",
            "--dry-run=client",
            "-o",
            "yaml",
        ];
        desk.run(&[&own[..], more].concat(), ALICE.1)
    };
    let outcome = line(&[]);
    assert!(
        !outcome.stdout.contains(ALICE.1) && outcome.stderr.contains("--show-secret"),
        "{outcome:?}"
    );
    assert!(
        outcome.stderr.contains("accepted"),
        "it is tested all the same: {outcome:?}"
    );
    assert!(outcome.stdout.contains("username: alice"), "{outcome:?}");
    assert_eq!(desk.object(), None);

    let manifests = line(&["--show-secret", "--no-test"]).ok();
    desk.plane.apply(&manifests, &[]).ok();
    assert_eq!(desk.member("password"), ALICE.1);
    let secret = desk.secret(&desk.own, &desk.name).unwrap();
    assert_eq!(secret["metadata"]["labels"], Value::Null);
    assert_eq!(
        desk.object().unwrap()["spec"]["namespaces"]["names"][0],
        "default"
    );
}

#[test]
fn nothing_is_left_of_a_secret_whose_registry_is_refused() {
    let desk = desk!();
    // The rules of the kind let this pass, for a Custom registry has no region; its definition does not.
    let outcome = desk.add(&["--no-wait", "--region", "EU"]);
    assert_eq!(outcome.code, 2, "{outcome:?}");
    let said = &outcome.stderr;
    assert!(
        said.contains("nothing is made: ") && said.contains("a region is written like"),
        "{said}"
    );
    assert_eq!(desk.secret(&desk.own, &desk.name), None);
}

#[test]
fn what_is_missing_in_the_cluster_is_named() {
    let desk = desk!();
    let wrong = desk.run(
        &[
            "add",
            &desk.name,
            "--type",
            "Public",
            "--host",
            "r.test",
            "--no-test",
            "--no-wait",
        ],
        "",
    );
    assert!(wrong.failed().contains("missing: --yes"));
    let there_is_none = desk.run(
        &[
            "add",
            &desk.name,
            "--type",
            "GHCR",
            "--username",
            ANNA.0,
            "--password-stdin",
            "--yes",
            "--no-test",
            "--cotter-namespace",
            "elsewhere",
        ],
        "ghp_0123456789",
    );
    let said = there_is_none.failed();
    assert!(
        said.contains("namespaces \"elsewhere\" not found") && said.contains("--cotter-namespace"),
        "{said}"
    );
    let line = [
        "add",
        &desk.name,
        "--type",
        "GHCR",
        "--username",
        ANNA.0,
        "--password-stdin",
        "--yes",
        "--no-test",
    ];
    let said = desk.run_as(&desk.nobody(), &line, ANNA.1).failed();
    assert!(
        said.contains("may not get registries.cotter.dev/"),
        "{said}"
    );
    assert!(!said.contains(ANNA.1), "{said}");
}
