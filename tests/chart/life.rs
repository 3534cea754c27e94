//! A release's life on a real API server: install, upgrade, rollback, uninstall.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};

use crate::{
    helm::{CHART, NAMESPACE, webhooks},
    release::{Release, bench},
    support::wait,
};

const FOLLOW: Duration = Duration::from_secs(20);

const BUNDLE: &str = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==";

/// What cotter writes into its webhooks.
fn trusted(webhook: &mut Value) {
    webhook["clientConfig"]["caBundle"] = BUNDLE.into();
    webhook["clientConfig"]["service"]["path"] = "/mutate/abc".into();
}

fn is_trusted(release: &Release<'_>) -> bool {
    let (object, registries) = (release.webhook(), release.registry_webhook().unwrap());
    let kept = |(_, w): (&str, &Value)| {
        let client = &w["clientConfig"];
        client["caBundle"] == BUNDLE && client["service"]["path"] == "/mutate/abc"
    };
    let all = [&object, &registries].map(webhooks);
    all.into_iter().flatten().all(kept)
}

#[test]
fn what_cotter_writes_outlives_upgrades_and_rollbacks() {
    let bench = bench!();
    let release = bench.install(&json!({}));
    release.patch_webhook(trusted);
    assert!(is_trusted(&release));
    release.upgrade(&json!({"timeoutSeconds": 7, "replicaCount": 3}));
    assert_eq!(release.webhook()["webhooks"][0]["timeoutSeconds"], 7);
    assert!(is_trusted(&release), "{:#}", release.webhook());
    bench.helm(&["rollback", "cotter", "1"], &Value::Null).ok();
    assert_eq!(release.webhook()["webhooks"][0]["timeoutSeconds"], 10);
    assert!(is_trusted(&release), "{:#}", release.webhook());
    let deployment = bench.plane.get(&format!(
        "/apis/apps/v1/namespaces/{NAMESPACE}/deployments/cotter"
    ));
    assert_eq!(deployment["spec"]["replicas"], 2);
}

#[test]
fn applying_the_rendering_again_changes_nothing() {
    let bench = bench!();
    let release = bench.install(&json!({}));
    release.patch_webhook(trusted);
    let manifest = bench
        .helm(&["get", "manifest", "cotter"], &Value::Null)
        .ok();
    // What a GitOps controller that applies on the server, and one that compares on the client, do.
    let args = [
        "apply",
        "--server-side",
        "--force-conflicts",
        "--field-manager=gitops",
        "-f",
        "-",
    ];
    bench
        .plane
        .kubectl_as(bench.plane.kubeconfig(), &args, &manifest)
        .ok();
    assert!(is_trusted(&release));
    let differences =
        bench
            .plane
            .kubectl_as(bench.plane.kubeconfig(), &["diff", "-f", "-"], &manifest);
    assert_eq!(
        differences.code, 0,
        "{}{}",
        differences.stdout, differences.stderr
    );
}

#[test]
fn an_uninstalled_release_leaves_nothing_behind() {
    let bench = bench!();
    let everywhere = |()| -> BTreeSet<String> {
        let all = bench.objects(false);
        all.into_iter().chain(bench.objects(true)).collect()
    };
    let before = everywhere(());
    let values = json!({
        "failurePolicy": "Fail", "validatingPolicy": {"enabled": true, "actions": ["Deny"]}, "crds": {"keep": false},
        "rbac": {"scope": "namespaces", "namespaces": ["shop", "till"]}, "networkPolicy": {"enabled": true},
        "dashboard": {"enabled": true}, "serviceMonitor": {"enabled": true}, "prometheusRule": {"enabled": true},
    });
    let release = bench.install(&values);
    let with = everywhere(());
    assert!(
        with.contains("<none>/MutatingWebhookConfiguration/cotter"),
        "{with:#?}"
    );
    release.uninstall();
    let left: Vec<_> = everywhere(()).difference(&before).cloned().collect();
    assert_eq!(left, [""; 0], "left behind");
    bench.namespace("shop", &[("cotter.dev/mode", "enforce")]);
    let run = ["-n", "shop", "run", "after", "--image=nginx"];
    // The API server forgets a policy by a watch of its own.
    wait::until("a Pod that nothing blocks", FOLLOW, || {
        (bench.plane.kubectl(&run).code == 0).then_some(())
    });
    bench
        .plane
        .kubectl(&["-n", "shop", "delete", "pod", "after", "--now"])
        .ok();
}

#[test]
fn a_second_release_of_the_same_name_is_refused() {
    let bench = bench!();
    let _release = bench.install(&json!({}));
    bench.namespace("elsewhere", &[]);
    let kubeconfig = bench.plane.kubeconfig().display().to_string();
    let args = [
        "install",
        "cotter",
        CHART,
        "--kubeconfig",
        &kubeconfig,
        "-n",
        "elsewhere",
    ];
    let message = crate::helm::helm(&args, &Value::Null).failed();
    assert!(
        message.contains("cannot be imported into the current release"),
        "{message}"
    );
}

#[test]
fn the_notes_say_what_to_do() {
    let bench = bench!();
    let _release = bench.install(&json!({"failurePolicy": "Fail"}));
    let notes = bench.helm(&["get", "notes", "cotter"], &Value::Null).ok();
    for line in [
        "kubectl -n cotter-system rollout status deployment/cotter",
        "kubectl label namespace shop cotter.dev/mode=enforce",
        "kubectl delete mutatingwebhookconfiguration cotter",
        "helm test cotter -n cotter-system",
    ] {
        assert!(notes.contains(line), "{line:?} not in {notes}");
    }
}
