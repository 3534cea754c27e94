//! What runs against what its tag means, by the imageIDs that container runtimes write.

use serde_json::{Value, json};

use crate::{
    lab::{lab, new, old},
    support::image::digest,
};

#[test]
fn a_tag_has_drifted_unless_any_part_of_its_image_runs() {
    let lab = lab!();
    let ns = lab.namespace(&[]);
    ns.secret("pull", &lab.alice());
    let image = lab.image("acme/app:dev");
    let repository = lab.image("acme/app");
    let now = new();
    let arm = &now.children[1];
    let config = digest(&arm.blobs[0]);
    for (name, id, expected) in [
        ("index", format!("{repository}@{}", now.digest()), "same"),
        ("manifest", format!("{repository}@{}", arm.digest()), "same"),
        ("config", config.clone(), "same"),
        ("docker", format!("docker://{config}"), "same"),
        ("old", format!("{repository}@{}", old().digest()), "drifted"),
        (
            "pullable",
            format!("docker-pullable://{repository}@{}", old().digest()),
            "drifted",
        ),
        ("other", digest(b"elsewhere"), "unknown"),
    ] {
        ns.pod(name, &image, &["pull"], &id);
        let said = ns.audit(&[]);
        let found = said.image(&format!("Pod/{name}"));
        assert_eq!(found["drift"], expected, "{name}: {found}");
        assert_eq!(found["digest"], now.digest());
    }
    let said = ns.audit(&[]);
    let drifted: Vec<_> = said
        .findings()
        .into_iter()
        .filter(|(kind, _)| *kind == "drifted")
        .collect();
    assert_eq!(
        drifted,
        [("drifted", "Pod/old"), ("drifted", "Pod/pullable")]
    );
    assert_eq!(said.report["totals"]["driftUnknown"], 1);
    assert_eq!(said.report["totals"]["findings"]["unpinned"], 7);
    assert_eq!(said.code, 1);
}

#[test]
fn a_pinned_pod_is_fine_and_its_tag_may_have_moved_on() {
    let lab = lab!();
    let ns = lab.namespace(&[("cotter.dev/mode", "enforce")]);
    ns.secret("pull", &lab.alice());
    let old = old().digest();
    let pinned = format!("{}@{old}", lab.image("acme/app:dev"));
    ns.pod(
        "web",
        &pinned,
        &["pull"],
        &format!("{}@{old}", lab.image("acme/app")),
    );
    let said = ns.audit(&[]);
    assert_eq!(said.findings(), [("drifted", "Pod/web")]);
    assert_eq!(
        said.code, 0,
        "drifted does not count unless it is asked for: {}",
        said.report
    );
    assert_eq!(ns.audit(&["--fail-on", "drifted"]).code, 1);
    let image = said.image("Pod/web");
    assert_eq!(
        (&image["state"], &image["secret"]),
        (&json!("pinned"), &json!("pull"))
    );
    assert_eq!(said.report["namespaces"][0]["mode"], "enforce");
    assert_eq!(said.report["totals"]["enforcing"]["podsChanged"], 0);
}

#[test]
fn the_pods_of_a_deployment_are_one_workload_and_ask_once() {
    let lab = lab!();
    let ns = lab.namespace(&[]);
    ns.secret("pull", &lab.alice());
    let image = lab.image("acme/app:dev");
    let template = json!({"metadata": {"labels": {"app": "web"}}, "spec": {
        "containers": [{"name": "app", "image": image}], "imagePullSecrets": [{"name": "pull"}]}});
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "web"}}, "template": template}});
    ns.create("/apis/apps/v1", "deployments", &deployment);
    let path = format!("/api/v1/namespaces/{}/pods", ns.name);
    crate::support::wait::until("three Pods", std::time::Duration::from_secs(30), || {
        let pods = lab.plane.get(&path);
        (pods["items"].as_array().map_or(0, Vec::len) == 3).then_some(())
    });
    let before = lab.registry.requests().len();
    let said = ns.audit(&["--workloads"]);
    let asked: Vec<_> = lab.registry.requests().split_off(before);
    let heads = asked
        .iter()
        .filter(|r| r.method == "HEAD" && r.status == 200)
        .count();
    assert_eq!(heads, 1, "{asked:?}");
    assert_eq!(said.findings(), [("unpinned", "Deployment/web")]);
    let finding = &said.report["findings"][0];
    assert_eq!(
        (&finding["pods"], &finding["template"]),
        (&json!(3), &Value::Bool(true))
    );
}
