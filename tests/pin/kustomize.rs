//! The KRM function, called by a real kustomize; and what kustomize makes of pinned `images:`.

use std::path::Path;

use serde_json::{Value, json};

use crate::{
    support::{
        command::{self, Outcome},
        parts,
    },
    world::{SHA, World},
};

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: app\n    image: HOST/Public/App:dev\n";

fn kustomize(world: &World, args: &[&str]) -> Outcome {
    let outcome = command::run(
        &parts::program("kustomize"),
        args,
        &[],
        world.scratch.path(),
        b"",
    );
    Outcome {
        code: outcome.code,
        stdout: world.plain(&outcome.stdout),
        stderr: world.plain(&outcome.stderr),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kustomize_builds_with_the_function() {
    parts::require!("kustomize");
    let world = World::start().await;
    world.write("pod.yaml", POD);
    world.write(
        "kustomization.yaml",
        "resources: [pod.yaml]\ntransformers: [pin.yaml]\n",
    );
    let config = world.scratch.path().join("cotter.yaml");
    let script = format!(
        "#!/bin/sh\nexec {} krm --config {}\n",
        env!("CARGO_BIN_EXE_cotter"),
        config.display()
    );
    world.write("pin.sh.source", &script);
    // A file that this process has open for writing while another thread forks cannot be run.
    let install = ["-m", "755", "pin.sh.source", "pin.sh"];
    command::run(
        Path::new("/usr/bin/install"),
        &install,
        &[],
        world.scratch.path(),
        b"",
    )
    .ok();
    world.write(
        "pin.yaml",
        "apiVersion: cotter.dev/v1alpha1\nkind: Pin\nmetadata:\n  name: pin\n  annotations:\n    config.kubernetes.io/function: |\n      exec: {path: ./pin.sh}\n",
    );
    let args = ["build", "--enable-alpha-plugins", "--enable-exec", "."];
    let outcome = kustomize(&world, &args);
    assert!(
        outcome.stdout.contains("image: HOST/public/app:dev@APP\n"),
        "{}{}",
        outcome.stdout,
        outcome.stderr
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn kustomize_reads_pinned_images() {
    parts::require!("kustomize");
    let world = World::start().await;
    world.write("pod.yaml", &POD.replace("HOST/Public/App:dev", "app:1"));
    world.write("kustomization.yaml", "resources: [pod.yaml]\nimages:\n- name: app\n  newName: HOST/bytequester/hosting-monorepo\n  newTag: dev\n");
    world.cotter(&["pin", "-i", "kustomization.yaml"]).ok();
    let built = kustomize(&world, &["build", "."]).ok();
    assert!(
        built.contains("image: HOST/bytequester/hosting-monorepo:dev@MONOREPO\n"),
        "{built}"
    );
    world.write("kustomization.yaml", "resources: [pod.yaml]\nimages:\n- name: app\n  newName: HOST/bytequester/hosting-monorepo\n  newTag: dev\n");
    world
        .cotter(&["pin", "-i", "--style", "git-sha", "kustomization.yaml"])
        .ok();
    let built = kustomize(&world, &["build", "."]).ok();
    assert!(
        built.contains(&format!("image: HOST/bytequester/hosting-monorepo:{SHA}\n")),
        "{built}"
    );
}

fn list(world: &World, image: &str, config: &Value) -> Outcome {
    let item = json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "web", "namespace": "shop", "annotations": {"config.kubernetes.io/path": "a/pod.yaml", "config.kubernetes.io/index": "2"}},
        "spec": {"containers": [{"name": "app", "image": image.replace("HOST", &world.registry.host())}]}});
    let list = json!({"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "functionConfig": config, "items": [item]});
    world.cotter_with(&["krm"], list.to_string().as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_says_where_and_how_bad() {
    let world = World::start().await;
    let outcome = list(&world, "HOST/public/app:none", &json!({}));
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let list: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let expected = json!([{
        "message": "HOST/public/app:none: the registry knows no such tag or repository; there is dev",
        "severity": "warning",
        "resourceRef": {"apiVersion": "v1", "kind": "Pod", "name": "web", "namespace": "shop"},
        "field": {"path": "spec.containers[0].image"},
        "file": {"path": "a/pod.yaml", "index": 2}}]);
    assert_eq!(list["results"], expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_policy_denies_is_an_error() {
    let world = World::start().await;
    let outcome = list(
        &world,
        "HOST/public/app:none",
        &json!({"spec": {"policy": "strict"}}),
    );
    assert_eq!(outcome.code, 1, "{}", outcome.stderr);
    let list: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(list["results"][0]["severity"], "error");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_configuration_of_the_function_does_not_know_is_refused() {
    let world = World::start().await;
    for (config, expected) in [
        (json!({"spec": {"style": "sha"}}), "\"sha\" is no style"),
        (json!({"data": {"color": "red"}}), "\"color\" is not known"),
        (
            json!({"spec": {"policy": "none"}}),
            "no policy is called \"none\"",
        ),
    ] {
        let outcome = list(&world, "HOST/public/app:dev", &config);
        assert_eq!(outcome.code, 2);
        assert!(outcome.stderr.contains(expected), "{}", outcome.stderr);
    }
    let outcome = world.cotter_with(&["krm"], b"a: 1\n");
    assert!(
        outcome.stderr.contains("no ResourceList"),
        "{}",
        outcome.stderr
    );
}
