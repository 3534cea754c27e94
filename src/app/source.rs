//! Opens what namespaces and pull secrets are read from: an API server, or manifests.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use smol_str::SmolStr;
use tokio::task::JoinSet;

use crate::{
    admission::{
        ports::Cluster,
        stickiness::{NoSiblings, Siblings},
    },
    cluster::{
        self, SiblingIndex, Standalone, WatchScope, client,
        events::{About, Events},
        siblings,
    },
    config::config::{Own, Source},
    telemetry::{metrics::Metrics, readiness::Readiness},
};

use super::watches::{self, Missing};

/// How often manifests are looked at again.
const PAUSE: Duration = Duration::from_secs(2);

/// What was opened.
pub(super) struct Opened {
    /// The state of the cluster.
    pub(super) cluster: Arc<dyn Cluster>,
    /// What siblings run.
    pub(super) siblings: Arc<dyn Siblings>,
    /// The API server behind it; `None` without a cluster.
    pub(super) joined: Option<Joined>,
}

/// A cluster that cotter has joined.
pub(super) struct Joined {
    pub(super) client: kube::Client,
    pub(super) own: Own,
    pub(super) events: Events,
    pub(super) missing: Missing,
    /// What its Pods run.
    pub(super) siblings: Arc<SiblingIndex>,
    /// The namespaces of these Pods.
    pub(super) scope: WatchScope,
}

/// Opens the source, and puts in `tasks` what keeps its state up to date.
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
                joined: None,
            })
        }
        Source::Cluster {
            kubeconfig,
            context,
            namespaces,
            own,
        } => {
            let client = client::connect(kubeconfig.as_deref(), context.as_deref()).await?;
            let events = Events::open(client.clone(), own.pod.as_deref(), metrics.clone(), tasks);
            let missing = Missing {
                events: events.clone(),
                own: pod(&own),
                metrics: metrics.clone(),
            };
            let scope = WatchScope::of(&namespaces);
            let (live, watches) = cluster::spawn(&client, &scope, metrics);
            let (siblings, learning) = siblings::spawn(&client, &scope, metrics);
            let promised = own
                .registries
                .then(|| live.await_promises(&client, metrics));
            for watches in [watches, learning].into_iter().chain(promised) {
                tasks.spawn(watches::tell(watches, readiness, missing.clone()));
            }
            let joined = Joined {
                client,
                own,
                events,
                missing,
                siblings: siblings.clone(),
                scope,
            };
            Ok(Opened {
                cluster: live,
                siblings,
                joined: Some(joined),
            })
        }
    }
}

fn pod(own: &Own) -> Option<About> {
    Some(About {
        api_version: "v1".into(),
        kind: "Pod".into(),
        namespace: own.namespace.as_deref()?.into(),
        name: own.pod.as_deref()?.into(),
        uid: SmolStr::default(),
    })
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
