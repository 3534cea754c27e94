//! `cotter registry rotate`.

use serde_json::{Value, json};

use crate::{
    desk::{ANNA, desk},
    support::registry_part::ALICE,
};

#[test]
fn a_new_credential_is_tested_written_and_rolled_out_and_a_bad_one_is_not() {
    let desk = desk!();
    let _cotter = desk.cotter();
    let shop = desk.namespace("shop");
    desk.add(&["--namespaces", &shop]).ok();
    let before = desk.secret(&desk.own, &desk.name).unwrap();

    let (document, code) = desk.json(&["rotate", &desk.name, "--password-stdin"], "wrong-hunter2");
    assert_eq!(
        (code, &document["changed"]),
        (1, &Value::Bool(false)),
        "{document}"
    );
    assert!(!document.to_string().contains("hunter2"), "{document}");
    assert_eq!(desk.secret(&desk.own, &desk.name).unwrap(), before);

    let (document, code) = desk.json(&["rotate", &desk.name, "--password-stdin"], ALICE.1);
    assert_eq!(
        (code, &document["changed"]),
        (0, &Value::Bool(false)),
        "the same again: {document}"
    );

    let rotate = [
        "rotate",
        &desk.name,
        "--username",
        ANNA.0,
        "--password-stdin",
    ];
    let (document, code) = desk.json(&rotate, ANNA.1);
    assert_eq!(
        (code, &document["changed"]),
        (0, &Value::Bool(true)),
        "{document}"
    );
    let standing = &document["outcome"]["standing"];
    assert_eq!(
        (&standing["ready"], &standing["namespaces"]),
        (&"True".into(), &json!({"desired": 1, "synced": 1}))
    );
    assert_eq!(desk.user_in(&shop).as_deref(), Some(ANNA.0));
    let after = desk.secret(&desk.own, &desk.name).unwrap();
    assert_eq!(
        after["metadata"]["annotations"],
        before["metadata"]["annotations"]
    );
}

#[test]
fn one_that_only_cotter_refuses_is_told_with_its_words() {
    let desk = desk!();
    let _cotter = desk.cotter();
    let shop = desk.namespace("shop");
    desk.add(&["--namespaces", &shop]).ok();
    let rotate = ["rotate", &desk.name, "--password-stdin", "--no-test"];
    let outcome = desk.run(&rotate, "wrong-hunter2");
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(
        outcome.stdout.contains("Authenticated Degraded"),
        "{outcome:?}"
    );
    assert!(
        outcome.stdout.contains("the new credential is not used"),
        "{outcome:?}"
    );
    assert_eq!(desk.user_in(&shop).as_deref(), Some(ALICE.0));
}

#[test]
fn a_credential_that_cannot_work_is_mended() {
    let desk = desk!();
    let _cotter = desk.cotter();
    let shop = desk.namespace("shop");
    desk.add(&["--namespaces", &shop]).ok();
    let broken = r#"{"data":{"password":""}}"#;
    let patch = ["patch", "secret", "-n", &desk.own, &desk.name, "-p", broken];
    desk.plane.kubectl(&patch).ok();
    crate::lab::eventually("cotter says so", || {
        let status = desk.object()?["status"].to_string();
        status.contains("key password of the Secret").then_some(())
    });
    let rotate = ["rotate", &desk.name, "--password-stdin"];
    let said = desk.run(&rotate, ALICE.1).ok();
    assert!(said.contains("is ready"), "{said}");
}

#[test]
fn a_cluster_in_which_no_cotter_looks_is_not_taken_for_a_good_one() {
    let desk = desk!();
    let cotter = desk.cotter();
    desk.add(&[]).ok();
    drop(cotter);
    let rotate = [
        "rotate",
        &desk.name,
        "--username",
        ANNA.0,
        "--password-stdin",
        "--timeout",
        "1s",
    ];
    let outcome = desk.run(&rotate, ANNA.1);
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(
        outcome
            .stdout
            .contains("cotter has not looked at the new credential yet"),
        "{outcome:?}"
    );
    assert_eq!(desk.member("username"), ANNA.0);
}

#[test]
fn there_is_nothing_to_rotate_where_cotter_has_an_identity_of_its_own() {
    let desk = desk!();
    let add = [
        "add",
        &desk.name,
        "--type",
        "ECR",
        "--region",
        "eu-central-1",
        "--ambient",
        "--yes",
        "--no-wait",
    ];
    desk.run(&add, "").ok();
    let said = desk.run(&["rotate", &desk.name], "").failed();
    assert!(said.contains("nothing to rotate"), "{said}");
    desk.run(&["delete", &desk.name, "--yes"], "").ok();
}
