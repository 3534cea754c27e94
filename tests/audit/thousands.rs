//! Ten thousand Pods: in pages, each image asked for once, and in flat memory.

use std::{
    io::Read as _,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    apiserver::ApiServer,
    oci_registry::{Image, OciRegistry},
};

const PODS: usize = 10_000;
const WORKLOADS: usize = 1_000;
const IMAGES: usize = 400;
/// The bound on resident memory, in kB.
const MOST: u64 = 64 * 1024;

/// A Pod as an API server sends it: with as many managed fields, environment and conditions as a real one.
fn pod(number: usize, host: &str) -> Value {
    let (workload, image) = (number % WORKLOADS, number % IMAGES);
    let filler: Vec<_> = (0..40)
        .map(|n| json!({"name": format!("VARIABLE_{n}"), "value": "x".repeat(120)}))
        .collect();
    let fields: Value = (0..60)
        .map(|n| (format!("f:member{n}"), json!({"f:x": {}, "f:y": {}})))
        .collect();
    let image = format!("{host}/team/app-{image}:dev");
    json!({
        "metadata": {"name": format!("web-{workload}-7d9-{number}"), "namespace": format!("team-{}", workload % 50),
            "labels": {"pod-template-hash": "7d9"},
            "managedFields": [{"manager": "kubelet", "fieldsV1": fields}],
            "ownerReferences": [{"kind": "ReplicaSet", "name": format!("web-{workload}-7d9"), "controller": true,
                "apiVersion": "apps/v1", "uid": "u"}]},
        "spec": {"containers": [{"name": "app", "image": image, "env": filler}]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "app", "image": image,
            "imageID": format!("{host}/team/app@sha256:{:064x}", number % 7)}]},
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_pods_take_no_more_than_64_mib() {
    let registry = OciRegistry::start().await;
    for image in 0..IMAGES {
        let repository = format!("team/app-{image}");
        registry.push(&repository, "dev", &Image::new(&repository));
        registry.make_public(&repository);
    }
    let server = ApiServer::start().await;
    for number in 0..50 {
        server.namespace(&format!("team-{number}"), None);
    }
    for number in 0..PODS {
        server.put("pods", pod(number, &registry.host()));
    }
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("ca.pem", registry.ca_pem());
    let hosts = json!([{"host": registry.host(), "caFile": "ca.pem", "allowPrivate": true}]);
    write("cotter.yaml", &format!("registries: {hosts}\n"));
    let kubeconfig = json!({"apiVersion": "v1", "kind": "Config", "current-context": "t",
        "clusters": [{"name": "t", "cluster": {"server": format!("http://{}", server.address)}}],
        "users": [{"name": "t", "user": {}}],
        "contexts": [{"name": "t", "context": {"cluster": "t", "user": "t"}}]});
    write("kubeconfig", &kubeconfig.to_string());
    registry.take_counts();
    let started = Instant::now();
    let path = folder.path().to_owned();
    let ended = tokio::task::spawn_blocking(move || audit(&path))
        .await
        .unwrap();
    let (code, stdout, peak) = ended;
    let report: Value = serde_json::from_str(&stdout).unwrap();
    println!("{PODS} Pods: {} kB at most, {:?}", peak, started.elapsed());
    assert_eq!(code, 1);
    assert_eq!(report["totals"]["pods"], PODS);
    assert_eq!(report["images"].as_array().unwrap().len(), WORKLOADS * 2);
    assert_eq!(
        registry.take_counts().heads,
        IMAGES,
        "each image is asked for once"
    );
    assert!(server.asked("get pods") >= PODS / 500, "in pages");
    assert!(peak <= MOST, "{peak} kB");
}

/// Runs the audit: exit code, stdout, and the most memory that was resident, in kB.
fn audit(folder: &Path) -> (i32, String, u64) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_cotter"))
        .args([
            "audit",
            "-A",
            "-o",
            "json",
            "--config",
            "cotter.yaml",
            "--kubeconfig",
            "kubeconfig",
        ])
        .env_clear()
        .current_dir(folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = child.stdout.take().unwrap();
    let reader = thread::spawn(move || {
        let mut text = String::new();
        out.read_to_string(&mut text).unwrap();
        text
    });
    let (code, peak) = watched(&mut child);
    (code, reader.join().unwrap(), peak)
}

/// Waits for the end; the kernel keeps the peak, which is read until there is nothing to read.
fn watched(child: &mut Child) -> (i32, u64) {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let now = line.and_then(|line| line.trim().trim_end_matches(" kB").trim().parse().ok());
        peak = peak.max(now.unwrap_or(0));
        if let Some(ended) = child.try_wait().unwrap() {
            return (ended.code().unwrap_or(-1), peak);
        }
        thread::sleep(Duration::from_millis(2));
    }
}
