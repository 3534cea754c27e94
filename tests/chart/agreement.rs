//! The rules of the validating policy, in CEL, are those of `domain::assess`: text by text, policy by policy.

use cotter::{
    config::file,
    domain::{
        assess::{Left, Verdict, assess},
        policy::{Policy, PolicySet},
        slots::{List, Slot},
    },
};
use serde_json::{Value, json};

use crate::{
    line::{DIGEST, Line},
    release::bench,
};

const IMAGES: &[&str] = &[
    "nginx",
    "nginx:1.25",
    "nginx:latest",
    "library/nginx:1",
    "docker.io/nginx:1",
    "docker.io/library/nginx",
    "index.docker.io/nginx:1",
    "index.docker.io/library/nginx:1",
    "index.docker.io/acme/app:1",
    "docker.io/acme/app:v1",
    "acme/app",
    "acme/app:v1",
    "Acme/App:v1",
    "acme/app:V1",
    "ghcr.io/acme/app",
    "ghcr.io/acme/app:dev",
    "ghcr.io/Acme/deep/app:v1.2.3",
    "GHCR.io/acme/app:dev",
    "ghcr.io/acmeevil/app:dev",
    "ghcr.io.evil/acme/app:dev",
    "registry.k8s.io/pause:3.9",
    "registry.k8s.io/a/b/c",
    "registry.k8s.io.evil/pause:3.9",
    "Registry.K8s.io/pause:3.9",
    "localhost/app:v1",
    "localhost:5000/app",
    "localhost:5000/app:v1",
    "LOCALHOST/app:c6cd88e",
    "10.0.0.1:5000/a/b:release-01",
    "[::1]:5000/app:v1",
    "[::1]/app",
    "example_host.com/app:v1",
    "c6cd88e/app",
    "c6cd88e:5000/app",
    "a/b:c6cd88e",
    "a/b:C6CD88E",
    "a/b:c6cd88",
    "a/b:deadbeef",
    "a/b:20240115",
    "a/b:1234567890",
    "a/b:c6cd88ef7de43520f6e95fcb87e6f2452b45edd4",
    "a/b:1111111111111111111111111111111111111111",
    "a/b:c6cd88ef7de43520f6e95fcb87e6f2452b45edd",
    "a/b:c6cd88ef7de43520f6e95fcb87e6f2452b45edd4a",
    "a/b:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "a/b:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "a/b:sha-c6cd88e",
    "a/b:sha-1234567",
    "a/b:git-c6cd88e",
    "a/b:gc6cd88e",
    "a/b:sha-c6cd88",
    "a/b:sha-c6cd88ef7de43520f6e95fcb87e6f2452b45edd4a",
    "a/b:release-01",
    "a/b:release-001",
    "a/b:v",
    "a/b:xv1",
    "quay.io/a.b/c+d:1",
    "quay.io/a.b/c:1",
    "quay-io/ab/c:1",
    "host.io:5000/v1",
    "host.io:5000/x/v1:dev",
    "host.io:80/c6cd88e",
];

fn policies() -> Value {
    let deny = json!({"invalid": "deny", "notFound": "deny", "unauthorized": "deny", "unavailable": "deny", "refused": "deny"});
    json!({"defaultPolicy": "plain", "policies": {
        "plain": null,
        "hard": {"pin": {"pinImmutable": true}, "onFailure": deny, "allowSkip": false},
        "tags": {"pin": {"immutableTags": ["v*", "release-??", "1.2?"], "skip": []}},
        "latest": {"pin": {"immutableTags": ["l*t"]}},
        "any-tag": {"pin": {"immutableTags": ["**"], "pinImmutable": true}},
        "skips": {"pin": {"skip": ["ghcr.io/acme/**", "docker.io/library/*", "*:5000/a?p", "quay.io/a.b/*"]}},
        "skip-all": {"pin": {"skip": ["**"]}},
        "leave": {"canonicalise": {"shortNames": "leave"}},
        "full.names": {"canonicalise": {"shortNames": "deny", "qualify": true}},
    }})
}

fn slot(list: List, image: &str, never_pulled: bool) -> Slot<'_> {
    Slot {
        list,
        index: 0,
        name: "slot",
        image,
        never_pulled,
    }
}

fn pod(slot: &Slot<'_>) -> Value {
    let policy = if slot.never_pulled {
        "Never"
    } else {
        "IfNotPresent"
    };
    let image =
        |name: &str, image: &str| json!({"name": name, "image": image, "imagePullPolicy": policy});
    let fixed = format!("fixed@{DIGEST}");
    let mut spec = json!({"containers": [image("main", &fixed)]});
    match slot.list {
        List::InitContainers => spec["initContainers"] = json!([image("slot", slot.image)]),
        List::Volumes => {
            let image = json!({"reference": slot.image, "pullPolicy": policy});
            spec["volumes"] = json!([{"name": "slot", "image": image}]);
        }
        _ => spec["containers"] = json!([image("slot", slot.image)]),
    }
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec})
}

/// Whether the policy is content with the text as it stands; nothing where a node would refuse it anyway, or where cotter
/// refuses it for another reason.
fn content(slot: Slot<'_>, policy: &Policy) -> Option<bool> {
    match assess(slot, policy, false).verdict {
        Verdict::Invalid(_) | Verdict::Left(_, Left::ShortNameDenied) => None,
        Verdict::Left(..) => Some(true),
        Verdict::Ask(_) => Some(false),
    }
}

fn read(config: &Value) -> PolicySet {
    let read = file::parse(
        "cotter.yaml",
        None,
        config.to_string().as_bytes(),
        &|path| std::fs::read(path),
    );
    read.unwrap().policies
}

#[test]
fn cel_and_the_domain_agree() {
    let bench = bench!();
    let line = Line::install(&bench, &policies());
    let set = read(&policies());
    let mut disagreed = Vec::new();
    for name in policies()["policies"].as_object().unwrap().keys() {
        let policy = set.choose(Some(name)).unwrap();
        let namespace = line.enforced(name);
        for image in IMAGES {
            let lists = [List::Containers, List::InitContainers, List::Volumes];
            let slots = lists.map(|list| slot(list, image, false));
            for slot in slots
                .into_iter()
                .chain([slot(List::Containers, image, true)])
            {
                let reply = line.create(&namespace, &pod(&slot), "?dryRun=All");
                let expected = content(slot, policy);
                let admitted = reply.status == 201;
                if expected.is_some_and(|expected| expected != admitted) {
                    disagreed.push(format!("{name}: {slot} {image}: {}", reply.text()));
                }
            }
        }
    }
    assert!(disagreed.is_empty(), "{}", disagreed.join("\n"));
}

#[test]
fn a_namespace_that_names_no_known_policy_has_the_default() {
    let bench = bench!();
    let mut config = policies();
    config["defaultPolicy"] = "skip-all".into();
    let line = Line::install(&bench, &config);
    let unpinned = pod(&slot(List::Containers, "ghcr.io/acme/app:dev", false));
    for (policy, admitted) in [("nobody-knows-it", true), ("plain", false)] {
        let namespace = line.enforced(policy);
        let reply = line.create(&namespace, &unpinned, "?dryRun=All");
        assert_eq!(reply.status == 201, admitted, "{policy}: {}", reply.text());
    }
}
