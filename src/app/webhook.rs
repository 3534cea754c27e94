//! The webhook's TLS: where its certificate comes from, who its callers are, and by which paths they come.

use std::sync::Arc;

use anyhow::Result;
use arc_swap::ArcSwap;
use jiff::Timestamp;
use rustls::ServerConfig;
use tokio::task::JoinSet;

use super::trust::Upkeep;
use crate::{
    config::webhook::{Certificate, Webhook},
    http::routes::Paths,
    tls::{
        Lives,
        callers::Callers,
        files::{self, Files, Follower},
        given::Given,
        local,
        replica::Certificates,
        resolver::{self, Served},
    },
};

/// Where reviews are served when nobody registers cotter with the API server.
const PATH: &str = "/mutate";

/// The TLS configuration of the listener and its paths, and in `tasks` what keeps both good.
pub(super) async fn open(
    webhook: &Webhook,
    upkeep: &Upkeep<'_>,
    tasks: &mut JoinSet<()>,
) -> Result<(Arc<ArcSwap<ServerConfig>>, Arc<Paths>)> {
    let mut given = None;
    let (served, certificates) = match &webhook.certificate {
        Certificate::Own {
            ca_life, leaf_life, ..
        } => {
            let lives = Lives {
                ca: *ca_life,
                leaf: *leaf_life,
            };
            (Arc::default(), Certificates::Own(lives))
        }
        Certificate::Files { cert, key, ca } => {
            let files = Files {
                cert: cert.clone(),
                key: key.clone(),
            };
            given = ca.clone().map(Given::start).transpose()?;
            let authorities = given
                .as_ref()
                .map(|given| given.authorities().borrow().clone());
            (
                follow(files, upkeep, tasks)?,
                Certificates::Given(authorities),
            )
        }
        Certificate::Made { dir } => {
            let made = local::ensure(dir, &local::loopback(), Timestamp::now())?;
            tracing::info!(ca = %made.ca.display(), "callers have to trust this authority");
            tasks.spawn(local::maintain(dir.clone(), local::loopback(), local::POLL));
            (
                follow(made.files, upkeep, tasks)?,
                Certificates::Given(None),
            )
        }
    };
    let paths = match &webhook.registration {
        None => Paths::one(PATH),
        Some(registration) => {
            let paths = Arc::new(Paths::default());
            let authorities = given.as_ref().map(Given::authorities);
            let replica = upkeep.replica(registration, certificates, served.clone())?;
            upkeep
                .start(registration, replica, authorities, paths.clone(), tasks)
                .await?;
            paths
        }
    };
    if let Some(given) = given {
        tasks.spawn(given.follow(files::POLL));
    }
    let tls = match &webhook.client_ca {
        None => Arc::new(ArcSwap::from_pointee(resolver::server_config(
            served, None,
        )?)),
        Some(path) => {
            let callers = Callers::start(path.clone(), served)?;
            let tls = callers.config();
            tasks.spawn(callers.follow(files::POLL));
            tls
        }
    };
    Ok((tls, paths))
}

/// Serves what the files hold.
fn follow(files: Files, upkeep: &Upkeep<'_>, tasks: &mut JoinSet<()>) -> Result<Arc<Served>> {
    let follower = Follower::start(files, upkeep.metrics.clone())?;
    let served = follower.served();
    tasks.spawn(follower.follow(files::POLL));
    upkeep.readiness.check("certificate").pass();
    Ok(served)
}
