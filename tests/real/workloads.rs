//! Objects with Pod templates: analysed, never changed; their Pods are pinned.

use serde_json::json;

use crate::lab::{eventually, lab, pinned, secrets};

fn deployment(image: &str) -> String {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {
        "replicas": 2, "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "app", "image": image}]}},
    }})
    .to_string()
}

#[test]
fn a_dry_run_of_a_deployment_warns_what_its_pods_would_become() {
    let lab = lab!();
    let ns = lab.enforced();
    ns.secret("ghcr", &lab.alice());
    let image = lab.image("ACME/app:dev");
    let outcome = ns.kubectl(
        &["apply", "-f", "-", "--dry-run=server"],
        &deployment(&image),
    );
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("Warning: Pods of this Deployment"),
        "{}",
        outcome.stderr
    );
    assert!(
        outcome.stderr.contains("acme/app:dev@sha256:"),
        "{}",
        outcome.stderr
    );
    assert!(
        outcome
            .stderr
            .contains(r#"pull secret "ghcr" would be injected"#),
        "{}",
        outcome.stderr
    );
}

#[test]
fn the_pods_of_a_deployment_are_pinned_and_its_template_is_not_touched() {
    let lab = lab!();
    let ns = lab.enforced();
    ns.secret("ghcr", &lab.alice());
    let image = lab.image("acme/app:dev");
    let apply = || ns.kubectl(&["apply", "-f", "-"], &deployment(&image)).ok();
    assert!(apply().contains("created"));
    let pods = eventually("two Pods", || {
        let list = lab.plane.get(&format!(
            "/api/v1/namespaces/{}/pods?labelSelector=app%3Dweb",
            ns.name
        ));
        let pods = list["items"].as_array().unwrap().clone();
        (pods.len() == 2).then_some(pods)
    });
    let expected = pinned(&image, &lab.tokens.digest("acme/app", "dev"));
    for pod in &pods {
        assert_eq!(pod["spec"]["containers"][0]["image"], expected);
        assert_eq!(secrets(pod), ["ghcr"]);
        assert_eq!(pod["metadata"]["labels"]["cotter.dev/pinned"], "true");
    }
    let path = format!("/apis/apps/v1/namespaces/{}/deployments/web", ns.name);
    let stored = lab.plane.get(&path);
    assert_eq!(
        stored["spec"]["template"]["spec"]["containers"][0]["image"],
        image
    );
    assert_eq!(
        stored["spec"]["template"]["spec"]["imagePullSecrets"],
        serde_json::Value::Null
    );
    assert!(apply().contains("unchanged"));
}

#[test]
fn a_cron_job_is_analysed_too() {
    let lab = lab!();
    let ns = lab.enforced();
    let image = lab.image("public/app:dev");
    let args = [
        "create",
        "cronjob",
        "tick",
        "--image",
        &image,
        "--schedule",
        "@daily",
        "--dry-run=server",
    ];
    let outcome = ns.kubectl(&args, "");
    assert!(
        outcome.stderr.contains("Pods of this CronJob"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_service_account_counts_in_the_analysis() {
    let lab = lab!();
    let ns = lab.enforced();
    ns.secret("ghcr", &lab.alice());
    let patch = r#"{"imagePullSecrets": [{"name": "ghcr"}]}"#;
    ns.kubectl(&["patch", "serviceaccount", "default", "-p", patch], "")
        .ok();
    let deployment = deployment(&lab.image("acme/app:dev"));
    eventually("the service account to be seen", || {
        let outcome = ns.kubectl(&["apply", "-f", "-", "--dry-run=server"], &deployment);
        assert!(outcome.stderr.contains("@sha256:"), "{}", outcome.stderr);
        (!outcome.stderr.contains("would be injected")).then_some(())
    });
}
