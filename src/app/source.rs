//! Opens what namespaces and pull secrets are read from: an API server, or manifests.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use tokio::task::JoinSet;

use crate::{
    admission::{
        ports::Cluster,
        stickiness::{NoSiblings, Siblings},
    },
    cluster::{self, ClusterWatches, Standalone, client, siblings},
    config::config::Source,
    telemetry::{
        metrics::Metrics,
        readiness::{Handle, Readiness},
    },
};

/// How often manifests are looked at again.
const PAUSE: Duration = Duration::from_secs(2);

/// What admissions ask of the cluster.
pub(super) struct Opened {
    pub(super) cluster: Arc<dyn Cluster>,
    pub(super) siblings: Arc<dyn Siblings>,
}

/// The state of the cluster, and in `tasks` what keeps it so.
pub(super) async fn open(
    source: Source,
    metrics: &Arc<Metrics>,
    readiness: &Readiness,
    tasks: &mut JoinSet<()>,
) -> Result<Opened> {
    match source {
        Source::Standalone { mode, pull_secrets } => {
            let standalone = Arc::new(Standalone::new(
                mode,
                pull_secrets.as_deref(),
                metrics.clone(),
            )?);
            for notice in standalone.notices() {
                tracing::warn!("{notice}");
            }
            if pull_secrets.is_some() {
                tasks.spawn(follow(standalone.clone()));
            }
            Ok(Opened {
                cluster: standalone,
                siblings: Arc::new(NoSiblings),
            })
        }
        Source::Cluster {
            kubeconfig,
            context,
            namespaces,
            ..
        } => {
            let client = client::connect(kubeconfig.as_deref(), context.as_deref()).await?;
            let (siblings, learning) = siblings::spawn(&client, &namespaces, metrics);
            let (live, watches) = cluster::spawn(client, metrics);
            for watches in [watches, learning] {
                let handles = watches
                    .status()
                    .iter()
                    .map(|watch| readiness.check(watch.name))
                    .collect();
                tasks.spawn(tell(watches, handles));
            }
            Ok(Opened {
                cluster: live,
                siblings,
            })
        }
    }
}

async fn follow(standalone: Arc<Standalone>) {
    loop {
        tokio::time::sleep(PAUSE).await;
        match standalone.poll() {
            Ok(false) => {}
            Ok(true) => {
                for notice in standalone.notices() {
                    tracing::warn!("{notice}");
                }
                tracing::info!("the pull secrets have changed and are in use");
            }
            Err(error) => tracing::error!(
                "the changed pull secrets are refused, the old ones stay in use: {error}"
            ),
        }
    }
}

/// Keeps one readiness check for each watch; the watches run as long as this does.
async fn tell(watches: ClusterWatches, handles: Vec<Handle>) {
    let mut statuses = watches.subscribe();
    loop {
        for (watch, handle) in statuses.borrow_and_update().iter().zip(&handles) {
            match (watch.synced, &watch.error) {
                (true, _) => handle.pass(),
                (false, None) => handle.wait_for("not listed yet"),
                (false, Some(error)) => handle.wait_for(error.clone()),
            }
        }
        if statuses.changed().await.is_err() {
            return;
        }
    }
}
