//! `cotter audit` over a real API server with many Pods: its memory, and how soon it is through.

use std::{
    fs,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow, ensure};
use http::header::CONTENT_TYPE;
use kube::Client;
use serde_json::{Value, json};
use tokio::{
    task::{JoinSet, spawn_blocking},
    time::sleep,
};

use crate::{
    cpu::Memory,
    creates::client,
    process::Home,
    registry,
    support::real::{
        control_plane::{ControlPlane, NEEDS},
        parts,
    },
    table::{Floor, Row, Table, millis},
};

const NAME: &str = "audit, 10,000 Pods";

// Issue 5, "Speed and memory".
const FLOOR: f64 = 64.0;

const PODS: usize = 10_000;
const NAMESPACES: usize = 50;
const WORKLOADS: usize = 1_000;
const IMAGES: usize = 400;
const CREATORS: usize = 16;

pub(crate) async fn rows(table: &Table) -> Result<()> {
    if !table.wants(NAME) {
        return Ok(());
    }
    if let Some(part) = NEEDS.iter().find(|part| parts::find(part).is_none()) {
        return Err(anyhow!("{part} is missing; run `make parts`"));
    }
    let repositories = registry::repositories(IMAGES);
    let registry = registry::start(Duration::ZERO, &repositories, &["dev"]).await;
    for repository in &repositories {
        registry.make_public(repository);
    }
    let images = registry::images(&registry, &repositories, "dev");
    let home = Home::new(std::slice::from_ref(&registry))?;
    let plane = spawn_blocking(|| {
        let plane = ControlPlane::start();
        for namespace in 0..NAMESPACES {
            plane.namespace(&format!("team-{namespace}"), &[]);
        }
        // The garbage collector would take Pods away whose owner is only a name.
        plane.stop_controllers();
        plane
    })
    .await?;
    fill(&client(plane.kubeconfig()).await?, &images).await?;
    let start = Instant::now();
    let report = home.path().join("report.json");
    let mut audit = Command::new(env!("CARGO_BIN_EXE_cotter"))
        .args(["audit", "-A", "-o", "json", "--config"])
        .arg(home.path().join("cotter.yaml"))
        .arg("--kubeconfig")
        .arg(plane.kubeconfig())
        .env_clear()
        .stdout(fs::File::create(&report)?)
        .stderr(Stdio::null())
        .spawn()?;
    let peak = watched(&mut audit).await?;
    let took = start.elapsed();
    let report: Value = serde_json::from_slice(&fs::read(&report)?)?;
    let seen = report.pointer("/totals/pods").and_then(Value::as_u64);
    ensure!(
        seen == Some(u64::try_from(PODS)?),
        "{seen:?} Pods were seen"
    );
    table.print(&Row {
        name: NAME.to_owned(),
        figure: format!("{peak:.1} MiB"),
        beside: format!(
            "the most at any time; {WORKLOADS} workloads, {IMAGES} images, {}",
            millis(took)
        ),
        floor: Some(Floor::at_most(peak, FLOOR, "MiB")),
    })
}

/// Creates the Pods and writes what their containers run, as a kubelet does.
async fn fill(client: &Client, images: &[String]) -> Result<()> {
    let images: Arc<[String]> = images.into();
    let mut creators = JoinSet::new();
    for creator in 0..CREATORS {
        let (client, images) = (client.clone(), Arc::clone(&images));
        creators.spawn(async move {
            for number in (creator..PODS).step_by(CREATORS) {
                let image = images
                    .get(number % IMAGES)
                    .map(String::as_str)
                    .unwrap_or_default();
                create(&client, number, image).await?;
            }
            Ok::<_, anyhow::Error>(())
        });
    }
    while let Some(ended) = creators.join_next().await {
        ended??;
    }
    Ok(())
}

async fn create(client: &Client, number: usize, image: &str) -> Result<()> {
    let workload = number % WORKLOADS;
    let path = format!("/api/v1/namespaces/team-{}/pods", workload % NAMESPACES);
    let owner = format!("web-{workload}-7d9");
    let name = format!("{owner}-{number}");
    let environment: Vec<_> = (0..40)
        .map(|n| json!({"name": format!("VARIABLE_{n}"), "value": "x".repeat(120)}))
        .collect();
    let pod = json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "labels": {"pod-template-hash": "7d9"},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": owner, "controller": true,
                "uid": format!("00000000-0000-0000-0000-{workload:012}")}]},
        "spec": {"automountServiceAccountToken": false,
            "containers": [{"name": "app", "image": image, "env": environment}]}});
    let made = http::Request::post(&path).header(CONTENT_TYPE, "application/json");
    client
        .request_text(made.body(pod.to_string().into_bytes())?)
        .await?;
    let digest = format!(
        "{}@sha256:{:064x}",
        image.trim_end_matches(":dev"),
        number % 7
    );
    let status = json!({"status": {"phase": "Running", "containerStatuses": [{"name": "app", "image": image,
        "imageID": digest, "ready": true, "restartCount": 0, "started": true,
        "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}]}});
    let written = http::Request::patch(format!("{path}/{name}/status"))
        .header(CONTENT_TYPE, "application/merge-patch+json");
    client
        .request_text(written.body(status.to_string().into_bytes())?)
        .await?;
    Ok(())
}

/// The most memory that the process had until it ended, in MiB.
async fn watched(audit: &mut Child) -> Result<f64> {
    let mut peak = 0.0_f64;
    loop {
        // An ended process has none.
        if let Ok(memory) = Memory::of(audit.id()) {
            peak = peak.max(memory.peak_mib);
        }
        if let Some(ended) = audit.try_wait()? {
            ensure!(ended.code() == Some(1), "the audit ended with {ended}");
            return Ok(peak);
        }
        sleep(Duration::from_millis(2)).await;
    }
}
