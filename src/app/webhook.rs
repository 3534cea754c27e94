//! The webhook's TLS: a certificate of the user's files, or one that is made on the spot.

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use arc_swap::ArcSwap;
use jiff::Timestamp;
use rustls::ServerConfig;
use tokio::task::JoinSet;

use crate::{
    config::config::{Certificate, Webhook},
    telemetry::{metrics::Metrics, readiness::Readiness},
    tls::{
        files::{self, Files, Follower},
        local, resolver,
    },
};

/// The TLS configuration of the listener, and in `tasks` what keeps its certificate good.
pub(super) fn tls(
    webhook: &Webhook,
    metrics: &Arc<Metrics>,
    readiness: &Readiness,
    tasks: &mut JoinSet<()>,
) -> Result<Arc<ArcSwap<ServerConfig>>> {
    let files = match &webhook.certificate {
        Certificate::Files { cert, key, .. } => Files {
            cert: cert.clone(),
            key: key.clone(),
        },
        Certificate::Own { .. } => bail!("certificates of its own are not kept yet"),
        Certificate::Made { dir } => {
            let made = local::ensure(dir, &local::loopback(), Timestamp::now())?;
            tracing::info!(ca = %made.ca.display(), "callers have to trust this authority");
            tasks.spawn(local::maintain(dir.clone(), local::loopback(), local::POLL));
            made.files
        }
    };
    let follower = Follower::start(files, metrics.clone())?;
    let client_ca = match &webhook.client_ca {
        Some(path) => Some(
            std::fs::read(path)
                .with_context(|| format!("cannot read {} (--client-ca)", path.display()))?,
        ),
        None => None,
    };
    let config = resolver::server_config(follower.served(), client_ca.as_deref())?;
    tasks.spawn(follower.follow(files::POLL));
    readiness.check("certificate").pass();
    Ok(Arc::new(ArcSwap::from_pointee(config)))
}
