//! A second review of the patched Pod patches nothing, whatever the Pod and the registries are.

use cotter::domain::policy::Cause;
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};

use crate::support::{World, create, failed, images, pod};

const IMAGES: &[&str] = &[
    "ghcr.io/a/app:dev",
    "ghcr.io/A/App:Dev",
    "ghcr.io/a/app:sha-c6cd88e",
    "ghcr.io/b/lib",
    "ghcr.io/b/lib@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "ghcr.io/b/tool:v1",
    "nginx",
    "ByteQuester/app:dev",
    "index.docker.io/x/y:dev",
    "docker.io/x/y:dev",
    "down.example/x/y:dev",
    "private.example:5000/x:dev",
    "example_host.com/foo:dev",
    "registry.k8s.io/pause:3.9",
    " quay.io/x/y:dev ",
    "Bad Image",
    "",
    "@",
    "a:b:c",
    "https://x/y",
    "é/x",
];

const SERVERS: &[&str] = &[
    "ghcr.io",
    "ghcr.io/a",
    "ghcr.io/b/lib",
    "*.io",
    "docker.io",
    "index.docker.io",
    "quay.io/x",
    "private.example:5000",
];

const REPOSITORIES: &[&str] = &[
    "ghcr.io/a/*",
    "ghcr.io/b/*",
    "ghcr.io/b/lib*",
    "docker.io/*",
    "quay.io/*",
    "private.example:5000/*",
];

const NAMES: &[&str] = &["alpha", "beta", "gamma", "delta"];

#[derive(Debug)]
struct Scene {
    pod: Value,
    secrets: Vec<(&'static str, Vec<&'static str>)>,
    failures: Vec<(&'static str, &'static str, Cause)>,
}

fn image() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => select(IMAGES).prop_map(str::to_owned),
        1 => "[a-zA-Z0-9./:@_ -]{0,30}",
        1 => any::<String>(),
    ]
}

prop_compose! {
    fn scene()(
        containers in vec(image(), 0..4),
        inits in vec(image(), 0..2),
        volumes in vec(image(), 0..2),
        own in prop::option::of(vec(select(&["alpha", "beta", "gone", ""][..]), 0..3)),
        secrets in vec(vec(select(SERVERS), 1..3), 0..=NAMES.len()),
        failures in vec(
            (select(REPOSITORIES), select(&["alpha", "beta", "gamma", "delta", "", "*"][..]),
             select(&[Cause::NotFound, Cause::Unauthorized][..])), 0..6),
        owned in any::<bool>(),
        annotations in prop::option::of(select(&["{}", "nonsense", r#"{"c0":{"from":"a","to":"b"}}"#][..])),
    ) -> Scene {
        let texts: Vec<_> = containers.iter().map(String::as_str).collect();
        let mut pod = pod(&texts);
        let init = |(n, image): (usize, &String)| json!({"name": format!("i{n}"), "image": image});
        pod["spec"]["initContainers"] = inits.iter().enumerate().map(init).collect();
        let volume = |(n, image): (usize, &String)| json!({"name": format!("v{n}"), "image": {"reference": image}});
        pod["spec"]["volumes"] = volumes.iter().enumerate().map(volume).collect();
        if let Some(own) = own {
            pod["spec"]["imagePullSecrets"] = own.iter().map(|n| json!({"name": n})).collect();
        }
        if let Some(text) = annotations {
            pod["metadata"]["annotations"] = json!({"cotter.dev/images": text, "mine": "x"});
            pod["metadata"]["labels"] = json!({"cotter.dev/pinned": "true"});
        }
        if owned {
            pod["metadata"]["ownerReferences"] =
                json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "uid": "u", "controller": true}]);
        }
        let secrets = NAMES.iter().copied().zip(secrets).collect();
        Scene { pod, secrets, failures }
    }
}

fn world(scene: &Scene) -> World {
    let secrets: Vec<_> = scene.secrets.iter().map(|(n, s)| (*n, &s[..])).collect();
    let world = World::new().secrets(&secrets);
    world
        .registry
        .answers("down.example/*", "*", failed(Cause::Unavailable));
    for (image, who, cause) in &scene.failures {
        world.registry.answers(image, who, failed(*cause));
    }
    world
}

async fn check(scene: Scene) {
    let world = world(&scene);
    let first = world.review(&create(scene.pod.clone())).await;
    assert!(first.allowed());
    let before = names(&scene.pod);
    let after = names(&first.object);
    assert!(after.starts_with(&before), "{before:?} became {after:?}");
    for (was, is) in images(&scene.pod).iter().zip(images(&first.object)) {
        let asked = first.operations.iter().any(|op| op["value"] == is);
        assert!(*was == is || asked);
        let is_pinned = was.contains("@sha256:") || was.starts_with("registry.k8s.io/");
        assert!(!is_pinned || *was == is, "{was:?} became {is:?}");
    }
    let second = world.review(&create(first.object.clone())).await;
    assert_eq!(
        second.operations,
        [Value::Null; 0],
        "after {:#}",
        first.object
    );
}

fn names(pod: &Value) -> Vec<Value> {
    let list = pod["spec"]["imagePullSecrets"].as_array();
    list.cloned().unwrap_or_default()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_second_review_patches_nothing(scene in scene()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.unwrap().block_on(check(scene));
    }
}
