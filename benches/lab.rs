//! Deployments on the tests' node, and the start of one more Pod of them.

use std::{
    collections::BTreeSet,
    env, fs,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context as _, Result, bail, ensure};
use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, ListParams, ObjectList, WatchEvent, WatchParams},
};
use serde_json::json;
use tokio::{task::spawn_blocking, time::timeout};

use crate::{
    creates::client,
    process::is_ready,
    replica::Start,
    support::real::node::{Lab, install::NAMESPACE},
};

const OPS: u16 = 8080;

/// Until a Pod that was deleted has a successor that is Ready.
const PATIENCE: Duration = Duration::from_mins(1);

const POLL: Duration = Duration::from_millis(1);

/// Between two starts, for what the last one has left to do.
const PAUSE: Duration = Duration::from_secs(1);

/// The Pods of one Deployment.
pub(crate) struct Deployed {
    pods: Api<Pod>,
    selector: &'static str,
    has_readyz: bool,
    /// Where containerd's log is.
    log: PathBuf,
    /// Where the network plugins keep a file for each Pod's address.
    addresses: PathBuf,
}

/// A lab with cotter in it.
pub(crate) fn install() -> Lab {
    let lab = Lab::start();
    lab.push_cotter("dev");
    lab.install_cotter(&lab.values("dev"));
    lab
}

impl Deployed {
    pub(crate) async fn cotter(lab: &Lab) -> Result<Self> {
        Self::new(lab, NAMESPACE, "app.kubernetes.io/name=cotter", true).await
    }

    /// Deploys the program that only waits, under cotter's security context.
    pub(crate) async fn pause(lab: &Lab) -> Result<Self> {
        let namespace = "pause";
        lab.plane.namespace(namespace, &[]);
        lab.registry.push("public/pause", "pause", &["dev"]);
        let labels = json!({"app": "pause"});
        let context = json!({"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
            "runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532,
            "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}});
        let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "pause"}, "spec": {
            "replicas": 1, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": {
                "containers": [{"name": "pause", "image": lab.registry.image("public/pause:dev"), "securityContext": context}]}}}});
        let path = format!("/apis/apps/v1/namespaces/{namespace}/deployments");
        let made = lab.plane.request("POST", &path, Some(&deployment));
        ensure!(made.status == 201, "no Deployment: {}", made.text());
        let rollout = ["-n", namespace, "rollout", "status", "deployment/pause"];
        let rolled = lab.plane.kubectl(&rollout);
        ensure!(rolled.code == 0, "no Pod of pause: {}", rolled.stderr);
        Self::new(lab, namespace, "app=pause", false).await
    }

    async fn new(
        lab: &Lab,
        namespace: &str,
        selector: &'static str,
        has_readyz: bool,
    ) -> Result<Self> {
        let node = lab.node().name();
        Ok(Self {
            pods: Api::namespaced(client(lab.plane.kubeconfig()).await?, namespace),
            selector,
            has_readyz,
            log: node_folder(node)?.join("containerd.log"),
            addresses: Path::new("/var/lib/cni/networks").join(node),
        })
    }

    /// Deletes a Pod, and follows the one that takes its place until it is Ready.
    pub(crate) async fn start_again(&mut self) -> Result<Start> {
        let before = self.quiet().await?;
        let oldest = before.iter().min_by_key(|pod| pod.creation_timestamp());
        let oldest = oldest.context("no Pod is there")?.name_any();
        let known: BTreeSet<String> = before.iter().map(ResourceExt::name_any).collect();
        let version = before.metadata.resource_version.unwrap_or_default();
        let said = self.has_readyz.then(|| {
            let (folder, known) = (self.addresses.clone(), addresses(&self.addresses));
            spawn_blocking(move || ready_at_new_address(&folder, &known))
        });
        self.pods.delete(&oldest, &DeleteParams::default()).await?;
        let new = timeout(PATIENCE, self.new_pod_ready(&version, &known));
        let (pod, container) = new.await.context("no new Pod is Ready")??;
        let said = match said {
            Some(said) => Some(said.await??),
            None => None,
        };
        let (asked, started) = self.container_start(&container)?;
        Ok(Start {
            asked,
            started,
            said,
            pod,
        })
    }

    /// The Pods, when none of them is still ending.
    async fn quiet(&self) -> Result<ObjectList<Pod>> {
        let list = ListParams::default().labels(self.selector);
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            tokio::time::sleep(PAUSE).await;
            let pods = self.pods.list(&list).await?;
            if pods
                .iter()
                .all(|pod| pod.metadata.deletion_timestamp.is_none())
            {
                return Ok(pods);
            }
        }
        bail!("a Pod does not end: {}", self.selector);
    }

    /// When a Pod that was not known is Ready, and the id of its container.
    async fn new_pod_ready(
        &self,
        version: &str,
        known: &BTreeSet<String>,
    ) -> Result<(SystemTime, String)> {
        let params = WatchParams::default().labels(self.selector);
        let events = self.pods.watch(&params, version).await?;
        let mut events = std::pin::pin!(events);
        while let Some(event) = events.try_next().await? {
            let now = SystemTime::now();
            if let WatchEvent::Modified(pod) = event
                && !known.contains(&pod.name_any())
                && let Some(container) = ready_container(&pod)
            {
                return Ok((now, container));
            }
        }
        bail!("the API server ended the watch");
    }

    /// When containerd was asked to start a container, and when it had.
    fn container_start(&self, id: &str) -> Result<(SystemTime, SystemTime)> {
        let log = fs::read_to_string(&self.log)?;
        let at = |what: &str| {
            let line = log.lines().find(|line| line.contains(what));
            let line = line.with_context(|| format!("containerd's log has no {what}"))?;
            let time = line.split('"').nth(1).context("no time")?;
            Ok::<_, anyhow::Error>(SystemTime::from(time.parse::<Timestamp>()?))
        };
        let asked = format!(r#"msg="StartContainer for \"{id}\"""#);
        let started = format!(r#"msg="StartContainer for \"{id}\" returns successfully"#);
        Ok((at(&asked)?, at(&started)?))
    }
}

fn ready_container(pod: &Pod) -> Option<String> {
    let status = pod.status.as_ref()?;
    let mut conditions = status.conditions.iter().flatten();
    conditions.find(|one| one.type_ == "Ready" && one.status == "True")?;
    let container = status.container_statuses.as_ref()?.first()?;
    let id = container.container_id.as_ref()?;
    Some(id.strip_prefix("containerd://")?.to_owned())
}

/// Waits for one more Pod to get an address, and asks there. Its address is in its status only after its container has started.
fn ready_at_new_address(folder: &Path, known: &BTreeSet<IpAddr>) -> Result<SystemTime> {
    let start = Instant::now();
    let mut new = None;
    while start.elapsed() < PATIENCE {
        if new.is_none() {
            new = addresses(folder).difference(known).next().copied();
        }
        if new.is_some_and(|address| is_ready(SocketAddr::from((address, OPS)))) {
            return Ok(SystemTime::now());
        }
        thread::sleep(POLL);
    }
    bail!("no /readyz says that it is ready, at {new:?}");
}

/// The addresses of all Pods of the node.
fn addresses(folder: &Path) -> BTreeSet<IpAddr> {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = files.filter_map(|file| file.file_name().to_str()?.parse().ok());
    names.collect()
}

fn node_folder(node: &str) -> Result<PathBuf> {
    let prefix = format!("cotter-{node}-");
    let folders = fs::read_dir(env::temp_dir())?.flatten();
    let mut folders = folders.map(|folder| folder.path());
    let is_it = |folder: &PathBuf| {
        let name = folder.file_name().unwrap_or_default();
        name.to_string_lossy().starts_with(&prefix)
    };
    folders.find(is_it).context("the node has no folder")
}
