//! What an audit may not see is named, and the rest goes on.

use serde_json::{Value, json};

use crate::lab::{Said, lab, run};

#[test]
fn a_right_that_is_missing_is_named_and_the_rest_goes_on() {
    let lab = lab!();
    let ns = lab.namespace(&[]);
    ns.pod("web", &lab.image("public/app:dev"), &[], "");
    let api = "/apis/rbac.authorization.k8s.io/v1";
    let role = json!({"metadata": {"name": "pods"},
        "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]});
    ns.create(api, "roles", &role);
    let binding = json!({"metadata": {"name": "pods"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "pods"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "auditor"}]});
    ns.create(api, "rolebindings", &binding);
    let kubeconfig = lab.plane.kubeconfig_for("auditor", &[]);
    let args = ["-n", &ns.name, "-o", "json"];
    let said = Said::of(lab.cotter_as(&kubeconfig, &args));
    assert_eq!(said.code, 2, "{}", said.report);
    assert_eq!(said.findings(), [("unpinned", "Pod/web")]);
    let unchecked = said.report["unchecked"].as_array().unwrap();
    let named: Vec<_> = unchecked
        .iter()
        .map(|one| {
            assert_eq!(one["forbidden"], true, "{one}");
            [&one["verb"], &one["resource"], &one["namespace"]]
                .map(|v| v.as_str().unwrap_or_default())
        })
        .collect();
    let expected = [
        ["get", "namespaces", ""],
        ["list", "secrets", ns.name.as_str()],
        ["list", "serviceaccounts", ns.name.as_str()],
    ];
    assert_eq!(named, expected);
    let line = format!("may not list secrets in namespace {}", ns.name);
    assert!(said.stderr.contains(&line), "{}", said.stderr);
    let unpinned: Vec<_> = args.into_iter().chain(["--fail-on", "unpinned"]).collect();
    assert_eq!(lab.cotter_as(&kubeconfig, &unpinned).code, 1);
}

#[test]
fn without_any_right_it_could_not_run() {
    let lab = lab!();
    let ns = lab.namespace(&[]);
    let nobody = lab.plane.kubeconfig_for("nobody", &[]);
    let said = lab.cotter_as(&nobody, &["-n", &ns.name, "--fail-on", "none"]);
    assert_eq!(said.code, 2);
    let line = format!("may not list pods in namespace {}", ns.name);
    assert!(said.stderr.contains(&line), "{}", said.stderr);
}

#[test]
fn a_namespace_that_is_not_there_is_told() {
    let lab = lab!();
    let said = lab.cotter(&["-n", "not-there"]);
    assert_eq!((said.code, said.stdout.as_str()), (2, ""));
    assert!(said.stderr.contains("no such namespace"), "{}", said.stderr);
}

#[test]
fn without_a_cluster_it_could_not_run() {
    let folder = tempfile::tempdir().unwrap();
    let said = run(&["audit", "-A"], folder.path());
    assert_eq!((said.code, said.stdout.as_str()), (2, ""));
    assert!(said.stderr.contains("no cluster"), "{}", said.stderr);
    assert_eq!(serde_json::from_str::<Value>(&said.stdout).ok(), None);
}
