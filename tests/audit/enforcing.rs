//! What enforcing would change, namespace by namespace, and in all.

use serde_json::{Value, json};

use crate::lab::{Said, lab};

#[test]
fn each_namespace_has_its_numbers_and_all_have_totals() {
    let lab = lab!();
    let lenient = lab.namespace(&[]);
    let (host, path) = (lab.registry.host(), lab.image("acme/"));
    lenient.secret("pull", &lab.alice().replace(host, &path));
    lenient.pod("private", &lab.image("acme/app:dev"), &[], "");
    lenient.pod("public", &lab.image("public/app:v1"), &[], "");
    lenient.pod("typo", &lab.image("public/app:devv"), &[], "");
    let strict = lab.namespace(&[
        ("cotter.dev/mode", "audit"),
        ("cotter.dev/policy", "strict"),
    ]);
    strict.pod("typo", &lab.image("public/app:devv"), &[], "");
    let said = Said::of(lab.cotter(&["-A", "-o", "json"]));
    let of = |name: &str| {
        let all = said.report["namespaces"].as_array().unwrap();
        all.iter().find(|one| one["name"] == name).unwrap()
    };
    let expected = json!({"podsChanged": 2, "podsDenied": 0, "slotsPinned": 2, "slotsRespelled": 0,
        "slotsUnpinned": 1, "podsGivenSecrets": 1});
    assert_eq!(of(&lenient.name)["enforcing"], expected);
    let strict = of(&strict.name);
    assert_eq!(
        (&strict["mode"], &strict["policy"]),
        (&json!("audit"), &json!("strict"))
    );
    assert_eq!(strict["enforcing"]["podsDenied"], 1);
    let sum = |member: &str| -> u64 {
        let all = said.report["namespaces"].as_array().unwrap().iter();
        all.map(|one| one["enforcing"][member].as_u64().unwrap())
            .sum()
    };
    for member in [
        "podsChanged",
        "podsDenied",
        "slotsPinned",
        "podsGivenSecrets",
    ] {
        assert_eq!(
            said.report["totals"]["enforcing"][member],
            sum(member),
            "{member}"
        );
    }
}

#[test]
fn a_cron_job_that_has_no_pods_is_seen_with_workloads() {
    let lab = lab!();
    let ns = lab.namespace(&[]);
    let pod = json!({"spec": {"restartPolicy": "Never",
        "containers": [{"name": "app", "image": lab.image("acme/app:dev")}]}});
    let job = json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "nightly"},
        "spec": {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": pod}}}});
    ns.create("/apis/batch/v1", "cronjobs", &job);
    assert_eq!(ns.audit(&[]).report["findings"], Value::Array(Vec::new()));
    let said = ns.audit(&["--workloads"]);
    let expected = [
        ("unpinned", "CronJob/nightly"),
        ("unresolved", "CronJob/nightly"),
        ("missing-secret", "CronJob/nightly"),
    ];
    assert_eq!(said.findings(), expected);
}
