//! The composition root of `cotter serve`: the only place that knows every floor.

mod audit_events;
mod config_map;
mod gate;
mod reload;
mod settings;
mod source;
mod trust;
mod watches;
mod webhook;

use std::{net::SocketAddr, process::ExitCode, sync::Arc};

use anyhow::{Context, Result};
use tokio::{signal::unix, sync::watch, task::JoinSet};

use crate::{
    admission::{handler::Handler, ports::Cluster, stickiness::Siblings},
    config::Config,
    http::{
        drain::Drain,
        listener::{Bound, Limits, Security},
        ops,
        routes::{Paths, Routes},
    },
    registry::client::Client,
    telemetry::{logs, metrics::Metrics, readiness::Readiness},
};

use gate::{Gate, Switch};
use reload::InUse;
use source::Opened;

/// Serves until SIGTERM or SIGINT, and returns when everything in flight is answered.
///
/// # Errors
/// What keeps it from starting: a port in use, certificates or manifests that cannot be read, no cluster.
pub fn serve(config: Config) -> Result<ExitCode> {
    let log = &config.log;
    logs::init(
        settings::log_format(log.format),
        settings::log_level(log.level),
    )?;
    for notice in config.notices() {
        tracing::warn!("{notice}");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(run(config))?;
    Ok(ExitCode::SUCCESS)
}

async fn run(config: Config) -> Result<()> {
    let (metrics, readiness) = (Arc::new(Metrics::default()), Readiness::default());
    let (drain, ops_drain) = (Drain::default(), Drain::default());
    let bound = bind(config.webhook.listen, "--listen").await?;
    let ops = bind(config.ops, "--ops").await?;
    tracing::info!(webhook = %bound.local_addr()?, ops = %ops.local_addr()?, "listening");
    let leaving = config.webhook.shutdown_delay;
    // All that is waited for is named before anybody can ask.
    let serving = readiness.check("serving");
    serving.wait_for("starting");
    let site = ops::site(metrics.clone(), readiness.clone());
    let ops = tokio::spawn(ops.serve(site, Security::Plain, Limits::default(), ops_drain.phases()));
    let limits = Limits {
        drain: config.webhook.drain,
        ..Limits::default()
    };
    let mut tasks = JoinSet::new();
    // One replica leads for all; until there is a Lease, each does.
    let leader = watch::Sender::new(true);
    let (tls, paths) = {
        let upkeep = trust::Upkeep {
            source: &config.source,
            leader: leader.subscribe(),
            metrics: &metrics,
            readiness: &readiness,
        };
        webhook::open(&config.webhook, &upkeep, &mut tasks).await?
    };
    let routes = routes(config, paths, &metrics, &readiness, &mut tasks).await?;
    let served = bound.serve(routes, Security::Tls(tls), limits, drain.phases());
    let (drained, ()) = tokio::join!(served, drain.follow(stopped(), leaving, &serving));
    tracing::info!(cut = drained.cut, "stopped");
    ops_drain.close();
    let _ = ops.await;
    tasks.shutdown().await;
    Ok(())
}

async fn bind(address: SocketAddr, flag: &str) -> Result<Bound> {
    let bound = Bound::bind(address).await;
    bound.with_context(|| format!("cannot listen on {address}; choose another address with {flag}"))
}

/// The handler of all reviews.
type Answering = Handler<Client, Arc<dyn Cluster>, Arc<dyn Siblings>>;

/// Joins the floors: the handler over its registry and its cluster, and in `tasks` what keeps these up to date.
async fn routes(
    config: Config,
    paths: Arc<Paths>,
    metrics: &Arc<Metrics>,
    readiness: &Readiness,
    tasks: &mut JoinSet<()>,
) -> Result<Routes<Gate<Answering>>> {
    let Config {
        webhook,
        source,
        file,
        watched,
        ..
    } = config;
    let Opened {
        cluster,
        siblings,
        joined,
    } = source::open(source, metrics, readiness, tasks).await?;
    let events = joined.as_ref().map(|joined| joined.events.clone());
    let findings = audit_events::open(events, metrics, tasks);
    let in_use = InUse::new(&file, webhook.deadline, metrics.clone())?;
    let gate = Switch::default();
    let map = joined.and_then(|joined| config_map::open(joined, &in_use, &gate, readiness));
    match map {
        Some(map) => drop(tasks.spawn(map.follow())),
        None => in_use.begin(&gate),
    }
    let handler = Handler::new(
        in_use.client.clone(),
        cluster,
        siblings,
        in_use.admission.clone(),
        metrics.clone(),
    )
    .telling(findings);
    if let Some(watched) = watched {
        tasks.spawn(in_use.follow(watched));
    }
    Ok(Routes::new(
        paths,
        Gate::new(handler, gate),
        webhook.body_budget,
        metrics.clone(),
    ))
}

/// Waits for SIGTERM, as Kubernetes sends it, or SIGINT, as a person does.
async fn stopped() {
    let mut terminate = unix::signal(unix::SignalKind::terminate()).ok();
    let terminated = async {
        match &mut terminate {
            Some(signal) => drop(signal.recv().await),
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = terminated => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
