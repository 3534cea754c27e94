//! `-n NS`: what the kubelet of a namespace will try, on a real API server.

use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    desk::{Desk, docker_config},
    oci_registry::Image,
    support::{
        command::Outcome,
        control_plane::{ControlPlane, NEEDS},
        parts,
    },
};

macro_rules! require_control_plane {
    () => {{
        fn here() {}
        if !parts::are_here(std::any::type_name_of_val(&here), &NEEDS) {
            return;
        }
        tokio::task::block_in_place(ControlPlane::shared)
    }};
}

/// Makes a namespace with pull secrets, and has its default account name some of them.
fn namespace(
    plane: &ControlPlane,
    name: &str,
    mode: Option<&str>,
    secrets: &[(&str, String)],
    account: &[&str],
) {
    let labels = mode.map_or_else(|| json!({}), |mode| json!({"cotter.dev/mode": mode}));
    let mut objects = vec![
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}),
    ];
    for (secret, config) in secrets {
        objects.push(json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": secret, "namespace": name},
            "type": "kubernetes.io/dockerconfigjson", "stringData": {".dockerconfigjson": config}}));
    }
    let named: Vec<_> = account
        .iter()
        .map(|secret| json!({"name": secret}))
        .collect();
    objects.push(
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "imagePullSecrets": named,
        "metadata": {"name": "default", "namespace": name}}),
    );
    let objects: Vec<_> = objects.iter().map(Value::to_string).collect();
    let apply = || {
        plane
            .apply(
                &objects.join("\n---\n"),
                &["--server-side", "--force-conflicts"],
            )
            .ok()
    };
    tokio::task::block_in_place(apply);
}

/// `cotter resolve -n name` of `team/app:dev`.
fn resolved(desk: &Desk, plane: &ControlPlane, name: &str) -> (Value, Outcome) {
    let (image, kubeconfig) = (
        desk.image("team/app:dev"),
        plane.kubeconfig().to_string_lossy(),
    );
    let args = [
        "resolve",
        "-n",
        name,
        "--kubeconfig",
        &kubeconfig,
        "--config",
        "cotter.yaml",
        "-o",
        "json",
        &image,
    ];
    let said = desk.run(&args, &[]);
    let document: Value = serde_json::from_str(&said.stdout).unwrap_or_default();
    (document["images"][0].clone(), said)
}

fn ways(image: &Value) -> Vec<(&str, &str)> {
    let ways = image["ways"]
        .as_array()
        .unwrap_or_else(|| panic!("{image}"))
        .iter();
    let told = ways.map(|way| {
        let credential = &way["credential"];
        let name = credential["secret"].as_str().unwrap_or("anonymous");
        (name, way["outcome"].as_str().unwrap())
    });
    told.collect()
}

/// A desk whose image alice may pull, and what the secrets of these names hold.
async fn desk() -> (Desk, impl Fn(&str) -> String) {
    let desk = Desk::new().await;
    desk.registry.push("team/app", "dev", &Image::new("1"));
    let host = desk.registry.host();
    let config = move |name: &str| match name {
        "good" => docker_config(&[(&host, "alice", "wonderland")]),
        "stale" => docker_config(&[(&host, "alice", "looking-glass")]),
        _ => r#"{"auths":5}"#.to_owned(),
    };
    (desk, config)
}

const ENFORCE: Option<&str> = Some("enforce");
const OUT: Option<&str> = None;

#[rstest]
#[case::injected("injected", ENFORCE, &["good"], &[], &[("good", "answered"), ("anonymous", "notAsked")])]
#[case::only_the_accounts_where_one_matches("stale", ENFORCE, &["good", "stale"], &["stale"], &[("stale", "unauthorized")])]
#[case::in_the_accounts_order("own", ENFORCE, &["good", "stale"], &["stale", "good"], &[("stale", "unauthorized"), ("good", "answered")])]
#[case::not_opted_in("out", OUT, &["good"], &[], &[("anonymous", "unauthorized")])]
#[case::not_opted_in_and_named("out-own", OUT, &["good"], &["good"], &[("good", "answered")])]
#[case::audited("audited", Some("audit"), &["good"], &[], &[("anonymous", "unauthorized")])]
#[tokio::test(flavor = "multi_thread")]
async fn what_the_kubelet_of_a_namespace_will_try(
    #[case] name: &str,
    #[case] mode: Option<&str>,
    #[case] secrets: &[&str],
    #[case] account: &[&str],
    #[case] expected: &[(&str, &str)],
) {
    let plane = require_control_plane!();
    let (desk, config) = desk().await;
    let secrets: Vec<_> = secrets.iter().map(|name| (*name, config(name))).collect();
    let name = format!("asked-{name}");
    namespace(&plane, &name, mode, &secrets, account);
    let (image, said) = resolved(&desk, &plane, &name);
    assert_eq!(ways(&image), expected, "{}", said.stderr);
    let is_answered = expected.iter().any(|(_, outcome)| *outcome == "answered");
    assert_eq!(said.code, i32::from(!is_answered));
    let is_told = said
        .stderr
        .contains(&format!("injects nothing into the Pods of {name}"));
    assert_eq!(is_told, mode != ENFORCE, "{}", said.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_the_kubelet_cannot_read_ends_every_pull() {
    let plane = require_control_plane!();
    let (desk, config) = desk().await;
    let secrets = ["good", "broken"].map(|name| (name, config(name)));
    namespace(
        &plane,
        "asked-broken",
        ENFORCE,
        &secrets,
        &["broken", "good", "gone"],
    );
    let (image, said) = resolved(&desk, &plane, "asked-broken");
    assert_eq!(
        (said.code, &image["error"]["cause"]),
        (1, &"noCredential".into())
    );
    let message = image["error"]["message"].as_str().unwrap();
    assert!(message.contains("asked-broken/broken"), "{image}");
    assert!(
        said.stderr.contains("the pull secret gone"),
        "{}",
        said.stderr
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_that_is_not_there() {
    let plane = require_control_plane!();
    let (desk, _) = desk().await;
    let (_, said) = resolved(&desk, &plane, "asked-nowhere");
    assert_eq!((said.code, said.stdout.as_str()), (2, ""));
    assert!(said.stderr.contains("asked-nowhere"), "{}", said.stderr);
}
