//! `--apply` beside a real API server.

use cotter::{
    cli::credentials::namespace::PullSecrets, cluster::client, domain::reference::Reference,
};
use serde_json::Value;

use crate::{
    home::Home,
    support::{
        command::Outcome,
        control_plane::{ControlPlane, NEEDS},
        parts::{self, are_here},
    },
};

/// Ends the test, as passed, where the parts of a control plane are missing.
macro_rules! plane {
    () => {{
        fn here() {}
        if !are_here(std::any::type_name_of_val(&here), &NEEDS) {
            return;
        }
        ControlPlane::shared()
    }};
}

fn apply(home: &Home, kubeconfig: &str, args: &[&str]) -> Outcome {
    let login = [
        "pull-secret",
        "--server",
        "r.test",
        "--username",
        "bot",
        "--password-stdin",
        "--apply",
        "--kubeconfig",
        kubeconfig,
    ];
    home.cotter(&[login.as_slice(), args].concat(), "hunter2")
}

fn secret(plane: &ControlPlane, namespace: &str, name: &str) -> Value {
    let args = [
        "get",
        "secret",
        name,
        "-n",
        namespace,
        "-o",
        "json",
        "--show-managed-fields",
    ];
    serde_json::from_str(&plane.kubectl(&args).ok()).unwrap()
}

#[test]
fn a_secret_is_applied_as_kubectl_would_and_again_without_a_change() {
    let plane = plane!();
    plane.namespace("applied", &[]);
    let (home, kubeconfig) = (Home::new(), plane.kubeconfig().to_str().unwrap().to_owned());
    for _ in 0..2 {
        let outcome = apply(&home, &kubeconfig, &["-n", "applied"]);
        assert_eq!(outcome.ok(), "secret/regcred serverside-applied\n");
    }
    let secret = secret(&plane, "applied", "regcred");
    assert_eq!(secret["type"], "kubernetes.io/dockerconfigjson");
    let manifest = [
        "pull-secret",
        "--server",
        "r.test",
        "--username",
        "bot",
        "--password-stdin",
        "-n",
        "applied",
        "-o",
        "json",
    ];
    let manifest: Value = serde_json::from_str(&home.cotter(&manifest, "hunter2").ok()).unwrap();
    assert_eq!(secret["data"], manifest["data"]);
    let managers = secret["metadata"]["managedFields"].as_array().unwrap();
    assert_eq!(managers.len(), 1);
    assert_eq!(
        (&managers[0]["manager"], &managers[0]["operation"]),
        (&"cotter".into(), &"Apply".into())
    );
}

#[test]
fn the_namespace_of_the_kubeconfig_is_the_default() {
    let plane = plane!();
    plane.namespace("of-the-context", &[]);
    let home = Home::new();
    let own = std::fs::read(plane.kubeconfig()).unwrap();
    let kubeconfig = home.write("kubeconfig", own);
    let args = [
        "config",
        "set-context",
        "--current",
        "--namespace=of-the-context",
        "--kubeconfig",
        &kubeconfig,
    ];
    home.run(&parts::program("kubectl"), &args, b"").ok();
    apply(&home, &kubeconfig, &[]).ok();
    secret(&plane, "of-the-context", "regcred");
}

#[test]
fn what_others_keep_is_taken_over_only_when_asked() {
    let plane = plane!();
    plane.namespace("kept", &[]);
    plane.pull_secret(
        "kept",
        "regcred",
        r#"{"auths":{"other.test":{"auth":"dTpw"}}}"#,
    );
    let before = secret(&plane, "kept", "regcred")["data"].clone();
    let (home, kubeconfig) = (Home::new(), plane.kubeconfig().to_str().unwrap().to_owned());
    let Outcome {
        code,
        stdout,
        stderr,
    } = apply(&home, &kubeconfig, &["-n", "kept"]);
    assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
    assert!(
        stderr.contains("is kept by others") && stderr.contains("--force-conflicts"),
        "{stderr}"
    );
    assert_eq!(secret(&plane, "kept", "regcred")["data"], before);
    apply(&home, &kubeconfig, &["-n", "kept", "--force-conflicts"]).ok();
    assert_ne!(secret(&plane, "kept", "regcred")["data"], before);
}

#[test]
fn a_right_that_is_missing_is_named() {
    let plane = plane!();
    let kubeconfig = plane.kubeconfig_for("nobody", &[]);
    let Outcome { code, stderr, .. } = apply(
        &Home::new(),
        kubeconfig.to_str().unwrap(),
        &["-n", "default"],
    );
    assert_eq!(code, 2, "{stderr}");
    assert!(
        stderr.contains("may not patch secrets/regcred in namespace default"),
        "{stderr}"
    );
    assert!(!stderr.contains("hunter2"), "{stderr}");
}

#[test]
fn what_no_pull_could_use_is_not_applied() {
    let plane = plane!();
    plane.namespace("useless", &[]);
    let (home, kubeconfig) = (Home::new(), plane.kubeconfig().to_str().unwrap().to_owned());
    let useless = [
        ("broken", r#"{"auths":5}"#, "the kubelet cannot read this"),
        ("empty", "{}", "there is no password in it"),
    ];
    for (name, file, said) in useless {
        let file = home.write(&format!("{name}.json"), file);
        let args = [
            "pull-secret",
            "--from-docker-config",
            &file,
            "--apply",
            "--kubeconfig",
            &kubeconfig,
            "-n",
            "useless",
        ];
        let stderr = home.cotter(&args, "").failed();
        assert!(stderr.contains(said), "{stderr}");
    }
    let outcome = apply(
        &home,
        &kubeconfig,
        &["-n", "useless", "--server", "not a host"],
    );
    assert!(outcome.code == 2, "{}", outcome.stderr);
    assert_eq!(
        plane
            .kubectl(&["get", "secrets", "-n", "useless", "-o", "name"])
            .ok(),
        ""
    );
}

#[test]
fn the_pull_secrets_of_a_namespace_are_tried_as_the_kubelet_would() {
    let plane = plane!();
    plane.namespace("asked", &[]);
    for (name, key) in [
        ("wide", "ghcr.io"),
        ("narrow", "ghcr.io/acme/"),
        ("other", "quay.io"),
    ] {
        let config =
            format!("{{\"auths\":{{\"{key}\":{{\"username\":\"{name}\",\"password\":\"p\"}}}}}}");
        plane.pull_secret("asked", name, &config);
    }
    plane.pull_secret("asked", "broken", r#"{"auths":5}"#);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let secrets = runtime.block_on(async {
        let client = client::connect(Some(plane.kubeconfig()), None)
            .await
            .unwrap();
        PullSecrets::of_cluster(&client, "asked").await.unwrap()
    });
    let ways = secrets.ways(&Reference::parse("ghcr.io/acme/app:dev").unwrap());
    let origins: Vec<String> = ways.iter().map(|way| way.origin.to_string()).collect();
    let expected = [
        "pull secret narrow, key ghcr.io/acme/",
        "pull secret wide, key ghcr.io",
        "anonymous",
    ];
    assert_eq!(origins, expected);
    assert!(
        secrets.notices()[0].contains("Secret asked/broken breaks every pull"),
        "{:?}",
        secrets.notices()
    );
}
