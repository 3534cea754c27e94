//! A real API server accepts every manifest of every rendering, with its own validation.

use serde_json::json;

use crate::{
    helm::{Rendered, template, template_as},
    matrix,
    release::Bench,
    support::require,
};

#[test]
fn an_api_server_accepts_every_rendering() {
    require!(
        "helm",
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kubectl"
    );
    let bench = Bench::shared();
    for (name, values) in matrix::rows() {
        let text = template(&values).ok();
        let args = [
            "apply",
            "--server-side",
            "--dry-run=server",
            "--validate=strict",
            "-f",
            "-",
        ];
        let outcome = bench
            .plane
            .kubectl_as(bench.plane.kubeconfig(), &args, &text);
        assert_eq!(outcome.code, 0, "{name}: {}", outcome.stderr);
        assert!(
            !outcome.stderr.contains("Warning"),
            "{name}: {}",
            outcome.stderr
        );
        let answered = outcome.stdout.lines().count();
        assert_eq!(
            answered,
            Rendered::read(&text).all().len(),
            "{name}: {}",
            outcome.stdout
        );
    }
}

#[test]
fn the_pods_keep_to_the_restricted_standard() {
    require!(
        "helm",
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kubectl"
    );
    let bench = Bench::shared();
    bench
        .plane
        .kubectl(&["create", "namespace", "restricted"])
        .ok();
    let label = "pod-security.kubernetes.io/enforce=restricted";
    bench
        .plane
        .kubectl(&["label", "namespace", "restricted", label])
        .ok();
    for (name, values) in matrix::rows() {
        let rendered = Rendered::read(&template_as("cotter", &values, &[]).ok());
        let mut specs = vec![rendered.pod().clone()];
        specs.extend(
            rendered
                .of_kind("Pod")
                .iter()
                .map(|pod| pod["spec"].clone()),
        );
        for mut spec in specs {
            // Of this namespace, and of this cluster: who runs it is another test's matter.
            spec["serviceAccountName"] = json!("default");
            let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "restricted"}, "spec": spec});
            let args = ["create", "--dry-run=server", "-f", "-"];
            let outcome = bench
                .plane
                .kubectl_as(bench.plane.kubeconfig(), &args, &pod.to_string());
            assert_eq!(outcome.code, 0, "{name}: {}", outcome.stderr);
        }
    }
}
