//! What is stored when a Pod is created in an enforced, an audited and an unlabelled namespace.

use serde_json::{Value, json};

use crate::lab::{SHA, annotation, lab, one, pinned, secrets};

/// The three steps at once, in each of the three lists that a new Pod may have.
#[test]
fn a_pod_gets_canonical_references_digests_and_its_pull_secret() {
    let lab = lab!();
    let ns = lab.enforced();
    ns.secret("ghcr", &lab.alice());
    let spec = json!({
        "initContainers": [{"name": "init", "image": lab.image("public/tool")}],
        "containers": [{"name": "app", "image": lab.image("ACME/App:dev")}],
        "volumes": [{"name": "data", "image": {"reference": format!(" {}", lab.image("acme/data:dev"))}}],
    });
    let made = ns.create(&json!({"generateName": "web-"}), &spec, "");
    assert_eq!(made.status, 201, "{}", made.object);
    let pod = ns.pod(made.object["metadata"]["name"].as_str().unwrap());
    let spec = &pod["spec"];
    let digest = |repository: &str, tag: &str| lab.tokens.digest(repository, tag);
    let app = pinned(&lab.image("acme/app:dev"), &digest("acme/app", "dev"));
    assert_eq!(spec["containers"][0]["image"], app);
    let tool = pinned(&lab.image("public/tool"), &digest("public/tool", "latest"));
    assert_eq!(spec["initContainers"][0]["image"], tool);
    let data = pinned(&lab.image("acme/data:dev"), &digest("acme/data", "dev"));
    assert_eq!(spec["volumes"][0]["image"]["reference"], data);
    assert_eq!(secrets(&pod), ["ghcr"]);
    let from = lab.image("ACME/App:dev");
    assert_eq!(
        annotation(&pod, "cotter.dev/images")["app"],
        json!({"from": from, "to": app})
    );
    assert_eq!(annotation(&pod, "cotter.dev/unpinned"), Value::Null);
}

/// A multi-arch image is pinned to its index.
#[test]
fn an_index_is_pinned_as_a_whole() {
    let lab = lab!();
    let ns = lab.enforced();
    let image = lab.image("public/tool:latest");
    assert_eq!(
        ns.pin(&image),
        pinned(&image, &lab.tokens.digest("public/tool", "latest"))
    );
}

#[test]
fn a_git_sha_tag_stays() {
    let lab = lab!();
    let ns = lab.enforced();
    ns.secret("ghcr", &lab.alice());
    let image = lab.image(&format!("acme/app:{SHA}"));
    let made = ns.run(&image);
    assert_eq!(made.image(), image);
    assert_eq!(made.secrets(), ["ghcr"]);
}

#[test]
fn an_audited_namespace_changes_nothing_and_says_what_it_would() {
    let lab = lab!();
    let ns = lab.namespace(&[("cotter.dev/mode", "audit")]);
    let image = lab.image("public/app:dev");
    let made = ns.run(&image);
    assert_eq!(made.image(), image);
    assert_eq!(made.object["metadata"]["annotations"], Value::Null);
    made.warns("would become");
}

#[test]
fn an_unlabelled_namespace_is_left_alone() {
    let lab = lab!();
    let ns = lab.namespace(&[]);
    let image = lab.image("public/app:dev");
    let made = ns.run(&image);
    assert_eq!(made.image(), image);
    assert_eq!(made.warnings, [""; 0]);
}

/// A namespace is opted in the moment that its label is there.
#[test]
fn a_namespace_can_opt_in_and_out() {
    let lab = lab!();
    let ns = lab.namespace(&[]);
    let image = lab.image("public/app:dev");
    let label = |label: &str| {
        ns.kubectl(&["label", "ns", &ns.name, label, "--overwrite"], "")
            .ok()
    };
    label("cotter.dev/mode=enforce");
    crate::lab::eventually("the namespace to be opted in", || {
        (ns.pin(&image) != image).then_some(())
    });
    label("cotter.dev/mode-");
    crate::lab::eventually("the namespace to be opted out", || {
        (ns.pin(&image) == image).then_some(())
    });
}

#[test]
fn a_dry_run_shows_the_same_and_leaves_no_trace() {
    let lab = lab!();
    let ns = lab.enforced();
    ns.secret("ghcr", &lab.alice());
    let spec = one(&lab.image("acme/app:dev"));
    let dry = ns.create(&json!({"name": "web"}), &spec, "?dryRun=All");
    let list = lab
        .plane
        .get(&format!("/api/v1/namespaces/{}/pods", ns.name));
    assert_eq!(list["items"], json!([]));
    let real = ns.create(&json!({"name": "web"}), &spec, "");
    assert_eq!(dry.object["spec"]["containers"][0]["image"], real.image());
    assert_eq!(dry.secrets(), real.secrets());
    assert_eq!(
        dry.object["metadata"]["annotations"],
        real.object["metadata"]["annotations"]
    );
}

#[test]
fn kubectl_shows_the_patch_in_a_dry_run() {
    let lab = lab!();
    let ns = lab.enforced();
    let image = lab.image("public/app:dev");
    let shown = ns
        .kubectl(
            &[
                "run",
                "web",
                "--image",
                &image,
                "--dry-run=server",
                "-o",
                "yaml",
            ],
            "",
        )
        .ok();
    let digest = lab.tokens.digest("public/app", "dev");
    assert!(
        shown.contains(&format!("image: {image}@{digest}")),
        "{shown}"
    );
}

#[test]
fn a_pod_may_ask_to_be_left_alone() {
    let lab = lab!();
    let ns = lab.enforced();
    let image = lab.image("public/app:dev");
    let metadata = json!({"generateName": "p-", "annotations": {"cotter.dev/skip": "true"}});
    assert_eq!(ns.create(&metadata, &one(&image), "").image(), image);
}

/// The audit log of the API server tells what was changed, and the patch holds no credential.
#[test]
fn the_audit_log_tells_what_was_changed() {
    let lab = lab!();
    let ns = lab.enforced();
    ns.secret("ghcr", &lab.alice());
    ns.create(
        &json!({"name": "audited"}),
        &one(&lab.image("acme/app:dev")),
        "",
    );
    let event = lab.plane.audit_event("create", &ns.name, "audited");
    let annotations = event["annotations"].as_object().unwrap();
    let images = annotations
        .iter()
        .find(|(key, _)| key.ends_with(".cotter.dev/images"));
    assert!(
        images.unwrap().1.as_str().unwrap().contains("sha256:"),
        "{annotations:#?}"
    );
    assert!(!event.to_string().contains("rabbit-hole"));
}

/// Members that this cotter has never heard of are still there.
#[test]
fn everything_else_in_the_pod_stays() {
    let lab = lab!();
    let ns = lab.enforced();
    let mut spec = one(&lab.image("public/app:dev"));
    spec["containers"][0]["env"] = json!([{"name": "A", "value": "<&>\u{2028}"}]);
    spec["priority"] = json!(0);
    spec["terminationGracePeriodSeconds"] = json!(7);
    let made = ns.create(
        &json!({"generateName": "p-", "labels": {"a": "b"}}),
        &spec,
        "",
    );
    assert_eq!(
        made.object["spec"]["containers"][0]["env"][0]["value"],
        "<&>\u{2028}"
    );
    assert_eq!(made.object["spec"]["terminationGracePeriodSeconds"], 7);
    assert_eq!(made.object["metadata"]["labels"], json!({"a": "b"}));
}

/// The watch may not have seen the namespace yet.
#[test]
fn a_namespace_created_right_before_its_pod() {
    let lab = lab!();
    let names: Vec<_> = (0..3).map(|_| crate::lab::unique("born")).collect();
    let all: Vec<_> = names.iter().map(String::as_str).collect();
    lab.plane
        .install_webhook(&lab.cotter.webhook(&names[0], &all));
    std::thread::sleep(std::time::Duration::from_millis(300));
    for name in &names {
        lab.plane.namespace(name, &[("cotter.dev/mode", "enforce")]);
        lab.plane.pull_secret(name, "ghcr", &lab.alice());
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": one(&lab.image("acme/app:dev"))});
        let path = format!("/api/v1/namespaces/{name}/pods");
        let made = lab.plane.request("POST", &path, Some(&pod)).json();
        let image = made["spec"]["containers"][0]["image"].as_str().unwrap();
        assert!(image.contains("@sha256:"), "{made}");
        assert_eq!(secrets(&made), ["ghcr"]);
    }
}
