//! cotter with the rights that the chart gives it, called by the name that the chart gives it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    helm::NAMESPACE,
    line::one,
    release::{Bench, bench},
    replica::Replica,
    support::{image::Image, registry_part::Registry, require, wait},
};

const FOLLOW: Duration = Duration::from_secs(30);

/// A registry with one public image.
fn registry() -> Registry {
    let registry = Registry::token();
    registry.push("public/app", &Image::new("public").build(), &["dev", "v1"]);
    registry
}

/// `cotter.yaml` for it.
fn config(registry: &Registry) -> Value {
    let host = |host: &str| json!({"host": host, "caFile": registry.ca_file(), "allowPrivate": true, "authHosts": [registry.auth_host()]});
    let auth = registry.auth_host().unwrap();
    json!({"registries": [host(registry.host()), {"host": auth, "caFile": registry.ca_file(), "allowPrivate": true}]})
}

/// The image of a Pod that is created in this namespace, as it is stored.
fn stored(bench: &Bench, namespace: &str, image: &str) -> String {
    let path = format!("/api/v1/namespaces/{namespace}/pods?dryRun=All");
    let reply = bench.plane.request("POST", &path, Some(&one("web", image)));
    assert_eq!(reply.status, 201, "{}", reply.text());
    reply.json()["spec"]["containers"][0]["image"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn installed_by_helm_it_pins_a_pod_with_no_more_rights_than_the_chart_gives() {
    let bench = bench!();
    require!("registry");
    let registry = registry();
    let before = bench.objects(true);
    let release = bench.install(&json!({"config": config(&registry), "failurePolicy": "Fail"}));
    let replica = Replica::serving(&release);
    bench.namespace("shop", &[("cotter.dev/mode", "enforce")]);
    let image = registry.image("public/app:dev");
    let expected = format!("{image}@{}", registry.digest("public/app", "dev"));
    wait::until("the Pod to be pinned", FOLLOW, || {
        (stored(&bench, "shop", &image) == expected).then_some(())
    });
    let log = replica.process.log();
    for word in ["orbidden", "\"level\":\"ERROR\""] {
        assert!(!log.contains(word), "{log}");
    }
    release.uninstall();
    drop(replica);
    wait::until("what cotter made to go with the release", FOLLOW, || {
        let left = bench.objects(true);
        left.difference(&before).next().is_none().then_some(())
    });
}

#[test]
fn in_listed_namespaces_it_needs_no_right_beyond_them() {
    let bench = bench!();
    require!("registry");
    let registry = registry();
    let values = json!({"config": config(&registry), "failurePolicy": "Fail", "rbac": {"scope": "namespaces", "namespaces": ["shop", "till"]}});
    let release = bench.install(&values);
    for name in ["shop", "elsewhere"] {
        bench.namespace(name, &[("cotter.dev/mode", "enforce")]);
    }
    let replica = Replica::serving(&release);
    let image = registry.image("public/app:dev");
    wait::until("the Pod to be pinned", FOLLOW, || {
        stored(&bench, "shop", &image)
            .contains("@sha256:")
            .then_some(())
    });
    assert_eq!(stored(&bench, "elsewhere", &image), image);
    assert!(
        !replica.process.log().contains("orbidden"),
        "{}",
        replica.process.log()
    );
    let may = |verb: &str, what: &str, namespace: &str| {
        let account = format!("--as=system:serviceaccount:{NAMESPACE}:cotter");
        let asked = ["auth", "can-i", verb, what, "-n", namespace, &account];
        bench.plane.kubectl(&asked).stdout.trim() == "yes"
    };
    assert!(may("list", "secrets", "shop"));
    assert!(!may("list", "secrets", "elsewhere") && !may("get", "secrets", NAMESPACE));
}

#[test]
fn the_test_pod_of_helm_is_mended() {
    let bench = bench!();
    require!("registry", "crane");
    let registry = registry();
    registry.push("public/cotter", &Image::new("cotter").build(), &["0.1.0"]);
    let repository = registry.image("public/cotter");
    let values = json!({"config": config(&registry), "image": {"repository": repository}});
    let release = bench.install(&values);
    let _replica = Replica::serving(&release);
    // There is no node to run it: that it is stored under a name that a node can run is all that can be seen here.
    let hooks = bench.helm(&["get", "hooks", "cotter"], &Value::Null).ok();
    bench.plane.apply(&hooks, &[]).ok();
    let pod = bench.plane.pod("cotter-system-cotter-test", "cotter-test");
    let expected = format!(
        "{repository}:0.1.0@{}",
        registry.digest("public/cotter", "0.1.0")
    );
    assert_eq!(pod["spec"]["containers"][0]["image"], expected);
    bench
        .plane
        .kubectl(&[
            "delete",
            "namespace",
            "cotter-system-cotter-test",
            "--wait=false",
        ])
        .ok();
}
