//! The composition root of `cotter serve`: the only place that knows every floor.

mod audit_events;
mod config_map;
mod gate;
mod guard;
mod leading;
mod mirrors;
mod reload;
mod settings;
mod source;
mod trust;
mod watches;
mod webhook;

use std::{net::SocketAddr, process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use futures_util::FutureExt as _;
use tokio::{signal::unix, task::JoinSet};

use crate::{
    admission::{handler::Handler, ports::Cluster, stickiness::Siblings},
    config::{Config, reload::Watched},
    http::{
        drain::Drain,
        listener::{Bound, Limits, Security},
        ops,
        routes::Routes,
    },
    registry::client::Client,
    telemetry::{logs, metrics::Metrics, readiness::Readiness},
};

use gate::{Gate, Switch};
use leading::Leading;
use reload::InUse;
use source::{Joined, Opened};

/// How long the readers of `/metrics` and `/readyz` may take once all reviews are answered: a Pod's grace is nearly over.
const OPS_DRAIN: Duration = Duration::from_secs(1);

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
    for notice in &config.file.notices {
        tracing::warn!("{notice}");
    }
    if let Some(proxy) = &config.proxy {
        tracing::info!(%proxy, "registries are asked through a proxy");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let ended = runtime.block_on(run(config));
    // A look-up of a name cannot be cancelled, and a dead DNS keeps it for longer than a Pod has to go.
    runtime.shutdown_background();
    ended.map(|()| ExitCode::SUCCESS)
}

async fn run(config: Config) -> Result<()> {
    // The first process of a container loses a signal that nobody has asked for yet.
    let stop = Stop::listen();
    let (metrics, readiness) = (Arc::new(Metrics::default()), Readiness::default());
    let (drain, ops_drain) = (Drain::default(), Drain::default());
    let bound = bind(config.webhook.listen, "--listen").await?;
    let ops = bind(config.ops, "--ops").await?;
    tracing::info!(webhook = %bound.local_addr()?, ops = %ops.local_addr()?, "listening");
    // All that is waited for is named before anybody can ask.
    let serving = readiness.check("serving");
    serving.wait_for("starting");
    let site = ops::site(metrics.clone(), readiness.clone());
    let ops_limits = draining(OPS_DRAIN);
    let ops = tokio::spawn(ops.serve(site, Security::Plain, ops_limits, ops_drain.phases()));
    let Config {
        webhook,
        source,
        file,
        watched,
        proxy,
        cloud,
        ..
    } = config;
    let limits = draining(webhook.drain);
    let mut tasks = JoinSet::new();
    let opened = source::open(source, &metrics, &readiness, &mut tasks).await?;
    let leading = opened.joined.as_ref().map(|joined| {
        let registration = webhook.registration.as_ref();
        let leading = leading::start(joined, registration, drain.phases(), &metrics);
        leading.record(joined, &readiness, &mut tasks);
        leading
    });
    let leader = leading.as_ref().map(|leading| leading.leader.clone());
    let upkeep = trust::Upkeep {
        joined: opened.joined.as_ref().zip(leader),
        metrics: &metrics,
        readiness: &readiness,
    };
    let (tls, paths) = webhook::open(&webhook, &upkeep, &mut tasks)?;
    let environment = settings::clouds(cloud);
    let in_use = InUse::new(&file, webhook.deadline, proxy, environment, metrics.clone())?;
    if let Some((joined, leading)) = opened.joined.as_ref().zip(leading.as_ref()) {
        look_after(joined, leading, &in_use.client, &readiness, &mut tasks);
    }
    let guard = guard::open(opened.joined.as_ref());
    let reviewer = reviewer(opened, in_use, watched, &readiness, &mut tasks);
    let routes = Routes::guarded(paths, reviewer, guard, webhook.body_budget, metrics);
    let served = bound.serve(routes, Security::Tls(tls), limits, drain.phases());
    let leaves = drain.follow(stop.comes(), webhook.shutdown_delay, &serving);
    let (drained, ()) = tokio::join!(served, leaves);
    tracing::info!(cut = drained.cut, "stopped");
    if let Some(leading) = leading {
        leading.ended().await;
    }
    ops_drain.close();
    let _ = ops.await;
    tasks.shutdown().await;
    Ok(())
}

fn draining(drain: Duration) -> Limits {
    Limits {
        drain,
        ..Limits::default()
    }
}

/// Keeps in `tasks` the credentials: those that mirrors are asked with, and those of `Registry` objects.
fn look_after(
    joined: &Joined,
    leading: &Leading,
    client: &Client,
    readiness: &Readiness,
    tasks: &mut JoinSet<()>,
) {
    mirrors::open(joined, client, readiness, tasks);
    leading.look_after(joined, client, readiness, tasks);
}

async fn bind(address: SocketAddr, flag: &str) -> Result<Bound> {
    let bound = Bound::bind(address).await;
    bound.with_context(|| format!("cannot listen on {address}; choose another address with {flag}"))
}

/// The handler of all reviews.
type Answering = Handler<Client, Arc<dyn Cluster>, Arc<dyn Siblings>>;

/// Joins the floors: the handler over its registry and its cluster, once there is a configuration.
fn reviewer(
    opened: Opened,
    in_use: InUse,
    watched: Option<Watched>,
    readiness: &Readiness,
    tasks: &mut JoinSet<()>,
) -> Gate<Answering> {
    let Opened {
        cluster,
        siblings,
        joined,
    } = opened;
    let metrics = &in_use.metrics;
    let events = joined.as_ref().map(|joined| joined.events.clone());
    let findings = audit_events::open(events, metrics, tasks);
    let handler = Handler::new(
        in_use.client.clone(),
        cluster,
        siblings,
        in_use.admission.clone(),
        metrics.clone(),
    )
    .telling(findings);
    let gate = Switch::default();
    match joined.and_then(|joined| config_map::open(joined, &in_use, &gate, readiness)) {
        Some(map) => drop(tasks.spawn(map.follow())),
        None => in_use.begin(&gate),
    }
    if let Some(watched) = watched {
        tasks.spawn(in_use.follow(watched));
    }
    Gate::new(handler, gate)
}

/// The wish to stop: SIGTERM, as Kubernetes sends it, or SIGINT, as a person does.
struct Stop([Option<unix::Signal>; 2]);

impl Stop {
    /// Neither is lost from now on.
    fn listen() -> Self {
        let kinds = [unix::SignalKind::terminate(), unix::SignalKind::interrupt()];
        Self(kinds.map(|kind| unix::signal(kind).ok()))
    }

    /// Waits for one of them.
    async fn comes(self) {
        let waits = self
            .0
            .into_iter()
            .flatten()
            .map(|mut signal| async move { signal.recv().await }.boxed());
        let waits: Vec<_> = waits.collect();
        if waits.is_empty() {
            return std::future::pending().await;
        }
        futures_util::future::select_all(waits).await;
    }
}
