//! `cotter registry test` and `login` by the name of a Registry.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::{
    desk::desk,
    support::{control_plane::NEEDS, registry_part::ALICE},
};

#[test]
fn a_registry_is_tested_with_its_own_credential_and_probe() {
    let desk = desk!();
    desk.add(&["--no-wait"]).ok();
    for target in [
        desk.name.clone(),
        format!("registry.cotter.dev/{}", desk.name),
    ] {
        let (document, code) = desk.json(&["test", &target], "");
        assert_eq!(
            (code, &document["passed"]),
            (0, &Value::Bool(true)),
            "{document}"
        );
        assert_eq!(
            document["image"],
            format!("{}/acme/app:dev", desk.registry.host())
        );
        let credential = &document["ways"][0]["credential"];
        assert_eq!(
            (&credential["kind"], &credential["user"]),
            (&"registry".into(), &ALICE.0.into())
        );
        assert_eq!(credential["registry"], *desk.name);
    }
    let secret = [
        "annotate",
        "secret",
        "-n",
        &desk.own,
        &desk.name,
        "cotter.dev/host=ghcr.io",
        "--overwrite",
    ];
    desk.plane.kubectl(&secret).ok();
    let said = desk.run(&["test", &desk.name], "").failed();
    assert!(said.contains("does not say that it is for this"), "{said}");
}

#[test]
fn a_machine_is_logged_in_with_the_login_of_a_registry() {
    let desk = desk!();
    desk.add(&["--no-wait"]).ok();
    desk.run(&["login", &desk.name], "").ok();
    let kept: Value = serde_json::from_str(&desk.home.read(".docker/config.json")).unwrap();
    let auth = kept["auths"][desk.registry.host()]["auth"]
        .as_str()
        .unwrap();
    let login = String::from_utf8(STANDARD.decode(auth).unwrap()).unwrap();
    assert_eq!(login, format!("{}:{}", ALICE.0, ALICE.1));

    let said = desk
        .run_as(&desk.nobody(), &["login", &desk.name], "")
        .failed();
    assert!(
        said.contains("may not get registries.cotter.dev/"),
        "{said}"
    );
}

#[test]
fn a_cluster_without_the_kind_says_how_to_get_it() {
    if !crate::support::parts::are_here("a_cluster_without_the_kind", &NEEDS) {
        return;
    }
    let plane = crate::support::control_plane::ControlPlane::start();
    let home = crate::home::Home::new();
    let kubeconfig = plane.kubeconfig().to_str().unwrap();
    for command in [&["list"][..], &["delete", "hub", "--yes"], &["test", "hub"]] {
        let line = [&["registry"], command, &["--kubeconfig", kubeconfig]].concat();
        let said = home.cotter(&line, "").failed();
        assert!(
            said.contains("does not know the kind Registry") && said.contains("helm install"),
            "{said}"
        );
    }
}
