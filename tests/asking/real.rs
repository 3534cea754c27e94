//! The same on the registry that most people run, with tokens that say what they grant.

use serde_json::{Value, json};

use crate::{
    desk::{SHA, docker_config, run},
    support::{
        image::{Artifact, Image, REVISION},
        registry_part::{ALICE, Registry},
        require,
        scratch::Scratch,
    },
};

struct Real {
    registry: Registry,
    scratch: Scratch,
}

impl Real {
    fn start() -> Self {
        let registry = tokio::task::block_in_place(Registry::token);
        let scratch = Scratch::new("asking-real");
        let ca = registry.ca_file();
        let auth = registry.auth_host();
        let hosts = json!([
            {"host": registry.host(), "caFile": ca, "allowPrivate": true, "authHosts": [auth]},
            {"host": auth, "caFile": ca, "allowPrivate": true},
        ]);
        scratch.write("cotter.yaml", json!({"registries": hosts}).to_string());
        let config = docker_config(&[(registry.host(), ALICE.0, ALICE.1)]);
        scratch.write("config.json", config);
        Self { registry, scratch }
    }

    fn json(&self, args: &[&str]) -> (Value, i32) {
        let more = [
            "--config",
            "cotter.yaml",
            "--docker-config",
            ".",
            "-o",
            "json",
        ];
        let said = run(self.scratch.path(), &[args, &more].concat(), &[]);
        let document = serde_json::from_str(&said.stdout);
        let document = document.unwrap_or_else(|e| panic!("{e}: {}{}", said.stdout, said.stderr));
        (document, said.code)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn resolve_tags_and_test_a_real_registry() {
    require!("registry");
    let real = Real::start();
    let build = |seed: &str| Image::new(seed).label(REVISION, SHA);
    let platforms = vec![build("a").build(), build("b").architecture("arm64").build()];
    let index = Artifact::index(platforms, &[]);
    let push = || {
        real.registry
            .push("acme/app", &index, &["dev", "latest", "sha-c6cd88e"])
    };
    let digest = tokio::task::block_in_place(push);

    let image = real.registry.image("acme/app:dev");
    let (document, code) = real.json(&["resolve", &image]);
    let found = &document["images"][0];
    assert_eq!(
        (code, &found["digest"]),
        (0, &digest.as_str().into()),
        "{document}"
    );
    assert_eq!(found["gitSha"]["tag"], "sha-c6cd88e");
    let platforms = found["platforms"].as_array().unwrap();
    assert!(
        platforms.iter().all(|one| one["size"].as_u64() > Some(0)),
        "{document}"
    );

    let (document, code) = real.json(&["tags", &image]);
    assert_eq!(code, 0, "{document}");
    let tags = document["tags"].as_array().unwrap();
    assert_eq!(tags.len(), 3);
    assert!(
        tags.iter()
            .all(|tag| tag["isLatest"] == true && tag["gitSha"] == SHA),
        "{document}"
    );

    let (document, code) = real.json(&["registry", "test", &image]);
    assert_eq!((code, &document["passed"]), (0, &true.into()), "{document}");
    let steps = document["ways"][0]["steps"].as_array().unwrap();
    let scope = steps.iter().find(|step| step["step"] == "scope").unwrap();
    assert_eq!(
        (&scope["outcome"], &scope["detail"]),
        (&"passed".into(), &"pull of acme/app".into())
    );

    let (document, code) = real.json(&["registry", "test", &real.registry.image("beta/app:dev")]);
    assert_eq!(code, 1, "{document}");
    let last = document["ways"][0]["steps"]
        .as_array()
        .unwrap()
        .last()
        .unwrap();
    assert_eq!(
        (&last["step"], &last["cause"]),
        (&"scope".into(), &"unauthorized".into())
    );

    let (document, code) = real.json(&["registry", "test", real.registry.host()]);
    assert_eq!((code, &document["passed"]), (0, &true.into()), "{document}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_registrys_pages_are_followed() {
    require!("registry");
    let real = Real::start();
    let artifact = Image::new("1").build();
    let tags: Vec<String> = (0..1_100).map(|number| format!("t{number}")).collect();
    let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
    tokio::task::block_in_place(|| real.registry.push("acme/many", &artifact, &tags));
    let (document, code) = real.json(&["tags", &real.registry.image("acme/many"), "--limit", "1"]);
    assert_eq!(
        (code, &document["matching"]),
        (0, &1_100.into()),
        "{document}"
    );
    assert_eq!(document["tags"][0]["tag"], "t1099");
}
