//! `cotter registry test` and `login` by the name of a Registry.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::{
    desk::desk,
    support::{control_plane::NEEDS, moto::Moto, ports, registry_part::ALICE, require},
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
fn a_key_of_aws_is_tested_with_the_password_that_aws_makes_for_it() {
    require!("moto_server");
    let desk = desk!();
    let aws = Moto::start("127.0.0.1", ports::free());
    let add = [
        "add",
        &desk.name,
        "--type",
        "ECR",
        "--region",
        "eu-central-1",
        "--host",
        desk.registry.host(),
        "--access-key-id",
        "AKIAIOSFODNN7EXAMPLE",
        "--password-stdin",
        "--probe",
        "acme/app:dev",
        "--yes",
        "--no-wait",
    ];
    let key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    let nowhere = format!("AWS_ENDPOINT_URL=http://127.0.0.1:{}", ports::free());
    let said = desk.run_with(&nowhere, &add, key).failed();
    assert!(said.contains("AWS makes no password for ECR"), "{said}");
    assert_eq!(desk.object(), None);

    let endpoint = format!("AWS_ENDPOINT_URL={}", aws.url());
    let said = desk.run_with(&endpoint, &add, key).ok();
    assert!(said.contains("✓ manifest"), "{said}");
    let said = desk.run_with(&endpoint, &["test", &desk.name], "").ok();
    assert!(said.contains("✓ manifest"), "{said}");
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
