//! `cotter registry list`.

use crate::{desk::desk, support::registry_part::ALICE};

#[test]
fn what_is_not_ready_is_told_with_its_remedy() {
    let desk = desk!();
    let _cotter = desk.cotter();
    let shop = desk.namespace("shop");
    desk.add(&["--namespaces", &shop]).ok();
    let (document, code) = desk.json(&["list"], "");
    let registries = document["registries"].as_array().unwrap();
    let own = registries
        .iter()
        .find(|one| one["name"] == *desk.name)
        .unwrap();
    assert_eq!(own["ready"], "True", "{own}");
    assert_eq!(
        (&own["namespaces"]["desired"], &own["namespaces"]["synced"]),
        (&1.into(), &1.into())
    );
    assert_eq!(
        (&own["type"], &own["host"]),
        (&"Custom".into(), &desk.registry.host().into())
    );
    assert_eq!(code, 0, "{document}");

    let secret = ["delete", "secret", "-n", &desk.own, &desk.name];
    desk.plane.kubectl(&secret).ok();
    let outcome = crate::lab::eventually("the list tells of it", || {
        let outcome = desk.run(&["list"], "");
        outcome.stdout.contains("NoCredential").then_some(outcome)
    });
    assert_eq!(outcome.code, 1, "{outcome:?}");
    let table = &outcome.stdout;
    assert!(table.starts_with("NAME"), "{table}");
    assert!(
        table.contains("there is no Secret") && table.contains("create it"),
        "{table}"
    );
    assert!(!table.contains(ALICE.1), "{table}");
}

#[test]
fn a_name_that_is_not_there_is_told_with_the_one_that_is_meant() {
    let desk = desk!();
    desk.add(&["--no-wait"]).ok();
    let wrong = desk.name.replace("registry", "regsitry");
    for command in ["rotate", "delete", "test"] {
        let target = format!("reg/{wrong}");
        let said = desk.run(&[command, &target], "").failed();
        let expected = format!("there is no Registry {wrong}; {} is meant?", desk.name);
        assert!(said.contains(&expected), "{command}: {said}");
    }
}
