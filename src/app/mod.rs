//! The composition root of `cotter serve`: the only place that knows every floor.

mod reload;
mod settings;
mod source;
mod trust;
mod webhook;

use std::{net::SocketAddr, process::ExitCode, sync::Arc};

use anyhow::{Context, Result};
use arc_swap::ArcSwap;
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

/// Joins the floors: the handler over its registry and its cluster, and in `tasks` what keeps these up to date.
async fn routes(
    config: Config,
    paths: Arc<Paths>,
    metrics: &Arc<Metrics>,
    readiness: &Readiness,
    tasks: &mut JoinSet<()>,
) -> Result<Routes<Handler<Client, Arc<dyn Cluster>, Arc<dyn Siblings>>>> {
    let Config {
        webhook,
        source,
        file,
        watched,
        ..
    } = config;
    let source::Opened { cluster, siblings } =
        source::open(source, metrics, readiness, tasks).await?;
    let client = Client::new(settings::registry(&file), metrics.clone())?;
    let admission = Arc::new(ArcSwap::from_pointee(settings::admission(
        &file,
        webhook.deadline,
    )));
    if let Some(watched) = watched {
        let reload = reload::Reload {
            watched,
            client: client.clone(),
            admission: admission.clone(),
            deadline: webhook.deadline,
            metrics: metrics.clone(),
        };
        tasks.spawn(reload.follow());
    }
    let handler = Handler::new(client, cluster, siblings, admission, metrics.clone());
    Ok(Routes::new(
        paths,
        handler,
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
