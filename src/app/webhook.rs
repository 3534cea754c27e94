//! The webhook's TLS: where its certificate comes from, who its callers are, and by which paths they come.

use std::{path::Path, sync::Arc};

use anyhow::Result;
use arc_swap::ArcSwap;
use jiff::Timestamp;
use rustls::ServerConfig;
use tokio::{sync::watch, task::JoinSet};

use super::trust::Upkeep;
use crate::{
    config::webhook::{Certificate, Webhook},
    http::routes::Paths,
    tls::{
        Lives,
        bundle::Ca,
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

/// What is served, and what callers are told of it.
pub(super) struct Source {
    pub(super) served: Arc<Served>,
    pub(super) certificates: Certificates,
    /// The authorities that callers are to trust, as they change; `None` where cotter has its own or others tell them.
    pub(super) given: Option<watch::Receiver<Vec<Ca>>>,
}

/// The TLS configuration of the listener and its paths, and in `tasks` what keeps both good.
pub(super) async fn open(
    webhook: &Webhook,
    upkeep: &Upkeep<'_>,
    tasks: &mut JoinSet<()>,
) -> Result<(Arc<ArcSwap<ServerConfig>>, Arc<Paths>)> {
    let source = source(&webhook.certificate, upkeep, tasks)?;
    let tls = secured(webhook.client_ca.as_deref(), &source.served, tasks)?;
    let paths = match &webhook.registration {
        None => Paths::one(PATH),
        Some(registration) => {
            let paths = Arc::default();
            upkeep.start(registration, source, &paths, tasks).await?;
            paths
        }
    };
    Ok((tls, paths))
}

fn source(
    certificate: &Certificate,
    upkeep: &Upkeep<'_>,
    tasks: &mut JoinSet<()>,
) -> Result<Source> {
    let (files, given) = match certificate {
        Certificate::Own {
            ca_life, leaf_life, ..
        } => {
            let certificates = Certificates::Own(Lives {
                ca: *ca_life,
                leaf: *leaf_life,
            });
            return Ok(Source {
                served: Arc::default(),
                certificates,
                given: None,
            });
        }
        Certificate::Files { cert, key, ca } => {
            let files = Files {
                cert: cert.clone(),
                key: key.clone(),
            };
            (files, ca.clone().map(Given::start).transpose()?)
        }
        Certificate::Made { dir } => {
            let made = local::ensure(dir, &local::loopback(), Timestamp::now())?;
            tracing::info!(ca = %made.ca.display(), "callers have to trust this authority");
            tasks.spawn(local::maintain(dir.clone(), local::loopback(), local::POLL));
            (made.files, None)
        }
    };
    let follower = Follower::start(files, upkeep.metrics.clone())?;
    let served = follower.served();
    tasks.spawn(follower.follow(files::POLL));
    upkeep.readiness.check("certificate").pass();
    let authorities = given.as_ref().map(Given::authorities);
    if let Some(given) = given {
        tasks.spawn(given.follow(files::POLL));
    }
    let known = authorities.as_ref().map(|now| now.borrow().clone());
    Ok(Source {
        served,
        certificates: Certificates::Given(known),
        given: authorities,
    })
}

fn secured(
    client_ca: Option<&Path>,
    served: &Arc<Served>,
    tasks: &mut JoinSet<()>,
) -> Result<Arc<ArcSwap<ServerConfig>>> {
    let Some(path) = client_ca else {
        let config = resolver::server_config(served.clone(), None)?;
        return Ok(Arc::new(ArcSwap::from_pointee(config)));
    };
    let callers = Callers::start(path.to_owned(), served.clone())?;
    let config = callers.config();
    tasks.spawn(callers.follow(files::POLL));
    Ok(config)
}
