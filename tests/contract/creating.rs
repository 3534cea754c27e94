//! `case` rows about the creation of Pods: what the webhook is shown, what is stored, how large it may be.

use serde_json::json;

use crate::hook::Hook;
use crate::pods::{debugger, pod, pod_of_size, pod_with, pod_with_volume};
use crate::rows::{Row, Scenario};
use crate::seen::Seen;
use crate::site::{Made, Site};

pub const SCENARIOS: &[Scenario] = &[
    ("dryRun=All sideEffects None", |row| dry_run(row, "None")),
    ("dryRun NoneOnDryRun", |row| dry_run(row, "NoneOnDryRun")),
    ("SA puller: imagePullSecrets visible", |row| {
        accounts(row, None)
    }),
    ("SA puller + own secret", |row| accounts(row, Some("own"))),
    ("SA puller + explicit empty list", |row| {
        accounts(row, Some(""))
    }),
    ("SA missing", |row| {
        let spec = json!({"serviceAccountName": "missing"});
        created(&Hook::new("/ok"), &pod_with(row.pod(), "nginx:1", spec))
    }),
    ("enforce-mountable-secrets SA", enforced_secrets),
    ("CREATE pod with ephemeralContainers", |row| {
        created(
            &Hook::new("/ok"),
            &pod_with(row.pod(), "nginx:1", debugger("d")["spec"].clone()),
        )
    }),
    ("mirror pod create", mirror),
    ("ImageVolume reference rewritten", |_| {
        created(&Hook::new("/vol"), &pod_with_volume("iv", "x:1"))
    }),
    ("ImageVolume defaulting", |_| volume_shown()),
    ("ImageVolume reference empty", |row| {
        created(&Hook::new("/ok"), &pod_with_volume(row.pod(), ""))
    }),
    ("defaulted imagePullPolicy for ", |row| {
        let image = row.rest("defaulted imagePullPolicy for ");
        created(&Hook::new("/ok"), &pod("p", image))
    }),
    ("create image ", |row| {
        // Written as Python does.
        let image = row
            .rest("create image ")
            .trim_matches('\'')
            .replace("\\n", "\n");
        created(&Hook::new("/ok"), &pod(row.pod(), &image))
    }),
    ("pod with ", |row| {
        let count = row.rest("pod with ").split(' ').next().expect("a count");
        created(
            &Hook::new("/ok"),
            &pod_of_size("p", count.parse().expect("a count")),
        )
    }),
    ("response body ", answered_at_length),
    ("v1beta1 wrong uid", |_| {
        versioned("/beta-uid", &["v1beta1"], "p")
    }),
    ("v1beta1 patch without patchType", |_| {
        versioned("/beta-patch", &["v1beta1"], "p")
    }),
    ("versions [v2,v1beta1,v1]", |row| {
        versioned("/beta-ok", &["v2", "v1beta1", "v1"], row.pod())
    }),
];

fn created(hook: &Hook, pod: &serde_json::Value) -> Seen {
    let site = Site::with(std::slice::from_ref(hook));
    let made = site.create(pod, "");
    Seen::of(&site, &made)
}

fn dry_run(row: &Row, side_effects: &str) -> Seen {
    let site = Site::with(&[Hook::new("/ok").with("sideEffects", side_effects)]);
    let made = site.create(&pod(row.pod(), "nginx"), "?dryRun=All");
    let path = format!("/api/v1/namespaces/{}/pods/{}", site.name, row.pod());
    assert_eq!(site.plane.request("GET", &path, None).status, 404);
    Seen::of(&site, &made)
}

/// `own`: the Pod's own secret; empty: an empty list.
fn accounts(row: &Row, own: Option<&str>) -> Seen {
    let site = Site::with(&[Hook::new("/ok")]);
    site.account("puller", "sa-secret", &json!({}));
    let mut spec = json!({"serviceAccountName": "puller"});
    match own {
        Some("") => spec["imagePullSecrets"] = json!([]),
        Some(own) => spec["imagePullSecrets"] = json!([{"name": own}]),
        None => {}
    }
    let made = site.create(&pod_with(row.pod(), "nginx:1", spec), "");
    Seen::of(&site, &made)
}

fn enforced_secrets(row: &Row) -> Seen {
    let site = Site::with(&[Hook::new("/ips")]);
    let enforced = json!({"kubernetes.io/enforce-mountable-secrets": "true"});
    site.account("strict", "sa-secret", &enforced);
    let mut pod = pod_with(
        row.pod(),
        "nginx:1",
        json!({"serviceAccountName": "strict"}),
    );
    // The account's own secret is copied before the webhook is called, and `add` of the list replaces it.
    pod["spec"]["automountServiceAccountToken"] = json!(false);
    let made = site.create(&pod, "");
    Seen::of(&site, &made)
}

fn mirror(row: &Row) -> Seen {
    let mut pod = pod_with(row.pod(), "nginx:1", json!({"nodeName": "node"}));
    pod["metadata"]["annotations"] = json!({"kubernetes.io/config.mirror": "x"});
    let site = Site::with(&[Hook::new("/ips")]);
    let made = site.create(&pod, "");
    let annotations =
        |call: &crate::scripted::Call| call.request()["object"]["metadata"]["annotations"].clone();
    let seen: Vec<_> = site.calls().iter().map(annotations).collect();
    Seen::of(&site, &made).with("seen", seen)
}

fn volume_shown() -> Seen {
    let site = Site::with(&[Hook::new("/ok")]);
    let made: Made = site.create(&pod_with_volume("iv", "nginx"), "");
    let calls = site.calls();
    let volumes = calls[0].request()["object"]["spec"]["volumes"]
        .as_array()
        .expect("volumes");
    let ours: Vec<_> = volumes
        .iter()
        .filter(|volume| volume["name"] == "v")
        .cloned()
        .collect();
    Seen::of(&site, &made).with("seen", ours)
}

fn answered_at_length(row: &Row) -> Seen {
    let size = row.rest("response body ").split(' ').next().expect("MiB");
    let hook = Hook::new(&format!("/mib{size}")).with("timeoutSeconds", 30);
    // How long it takes is the machine's affair.
    created(&hook, &pod("p", "nginx:1")).with("seconds", f64::MAX)
}

fn versioned(path: &str, versions: &[&str], name: &str) -> Seen {
    let hook = Hook::new(path).with("admissionReviewVersions", versions);
    created(&hook, &pod(name, "nginx:1"))
}
