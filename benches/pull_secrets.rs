//! `Registry` objects on a real API server: how soon their pull secrets are in many namespaces, and what they cost at rest.

use std::{
    collections::HashMap,
    pin::pin,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow, ensure};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::{Request, header::CONTENT_TYPE};
use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api, Client,
    api::{Patch, PatchParams, WatchEvent, WatchParams},
};
use serde_json::{Value, json};
use tokio::{
    sync::mpsc,
    task::{JoinHandle, spawn_blocking},
    time::{sleep, timeout},
};

use crate::{
    cpu::Memory,
    creates::client,
    process::{Home, Server},
    registry,
    support::{
        oci_registry::OciRegistry,
        real::{
            control_plane::{ControlPlane, NEEDS},
            parts,
        },
    },
    table::{Floor, Row, Table, median, millis},
};

const SPREAD: &str = "Registry → pull secret in 1,000 namespaces";
const MANY: &str = "20 Registries, 1,000 namespaces";
const EACH: &str = "memory, namespace × Registry";
const REST: &str = "20 Registries with nothing to do";
const NEW: &str = "namespace → pull secret, p99";
const NAMES: [&str; 5] = [SPREAD, MANY, EACH, REST, NEW];

// Issue 6, "Speed and memory".
const SPREAD_FLOOR: f64 = 1.5;
const NEW_FLOOR: f64 = 1_000.0;

const NAMESPACES: usize = 1_000;
const REGISTRIES: usize = 20;
const ROUNDS: usize = 3;

/// As many writes at once as the controller has.
const WRITERS: usize = 16;

const NEW_NAMESPACES: usize = 200;
const NEW_EVERY: Duration = Duration::from_millis(100);

const RESTING: Duration = Duration::from_secs(20);

/// Until everything that was caused has happened.
const PATIENCE: Duration = Duration::from_mins(5);

/// Until what was caused by the last write is over.
const SETTLE: Duration = Duration::from_secs(5);

/// The cluster under measurement.
struct Scene {
    plane: ControlPlane,
    client: Client,
    registry: OciRegistry,
    home: Home,
}

/// The pull secrets of some Registries, as the API server tells of them.
struct Heard {
    /// The namespace of each, and when it was told of.
    secrets: mpsc::UnboundedReceiver<(String, Instant)>,
    watch: JoinHandle<()>,
}

pub(crate) async fn rows(table: &Table) -> Result<()> {
    if !NAMES.iter().any(|name| table.wants(name)) {
        return Ok(());
    }
    if let Some(part) = NEEDS.iter().find(|part| parts::find(part).is_none()) {
        return Err(anyhow!("{part} is missing; run `make parts`"));
    }
    let scene = Scene::set().await?;
    let cotter = scene.spread(table).await?;
    scene.many(table, &cotter).await?;
    scene.rest(table).await?;
    scene.new_namespaces(table).await
}

impl Scene {
    async fn set() -> Result<Self> {
        let registry = registry::start(Duration::ZERO, &[], &[]).await;
        let home = Home::new(std::slice::from_ref(&registry))?;
        let plane = spawn_blocking(|| -> Result<ControlPlane> {
            let plane = ControlPlane::start();
            let definitions = cotter::cli::crd::definitions()?;
            let applied = plane.apply(&definitions, &["--server-side"]);
            ensure!(applied.code == 0, "no definitions: {}", applied.stderr);
            // What they do for each namespace is not what is measured.
            plane.stop_controllers();
            Ok(plane)
        });
        let plane = plane.await??;
        let scene = Self {
            client: client(plane.kubeconfig()).await?,
            plane,
            registry,
            home,
        };
        for number in 0..NAMESPACES {
            scene
                .namespace(&team(number), &json!({"team": "bench"}))
                .await?;
        }
        Ok(scene)
    }

    async fn namespace(&self, name: &str, labels: &Value) -> Result<()> {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}});
        self.create("/api/v1/namespaces", &namespace).await
    }

    async fn create(&self, path: &str, object: &Value) -> Result<()> {
        let request = Request::post(path).header(CONTENT_TYPE, "application/json");
        let request = request.body(object.to_string().into_bytes())?;
        self.client.request_text(request).await?;
        Ok(())
    }

    /// Bare writes and a Registry in turn; the cotter of the last one.
    async fn spread(&self, table: &Table) -> Result<Server> {
        // The API server's first thousand writes are slower than the next.
        self.bare("warm").await?;
        let (mut bare, mut ours, mut last) = (Vec::new(), Vec::new(), None);
        for round in 0..ROUNDS {
            // A cotter that follows the bare writes would take their time.
            drop(last.take());
            bare.push(self.bare(&format!("bare-{round}")).await?.as_secs_f64());
            let own = format!("cotter-{round}");
            last = Some(self.start(&own).await?);
            ours.push(self.one(&own).await?.as_secs_f64());
        }
        let ratios = ours.iter().zip(&bare).map(|(ours, bare)| ours / bare);
        let ratio = median(ratios.collect());
        let [bare, ours] = [bare, ours].map(|all| millis(Duration::from_secs_f64(median(all))));
        table.print(&Row {
            name: SPREAD.to_owned(),
            figure: format!("{ratio:.2}"),
            beside: format!(
                "{ours} against {bare} for the same applies made bare, {WRITERS} at once"
            ),
            floor: Some(Floor::at_most(ratio, SPREAD_FLOOR, "×")),
        })?;
        last.context("no round")
    }

    /// Applies a Secret like a pull secret in every namespace, which is told of as those of a Registry are.
    async fn bare(&self, name: &str) -> Result<Duration> {
        let _heard = Heard::of(&self.client, &format!("cotter.dev/registry={name}")).await?;
        let secret = self.pull_secret(name);
        let params = PatchParams::apply("bench");
        let start = Instant::now();
        let mut writes = stream::iter(0..NAMESPACES)
            .map(|number| {
                let api = Api::<Secret>::namespaced(self.client.clone(), &team(number));
                let (secret, params) = (&secret, &params);
                async move { api.patch(name, params, &Patch::Apply(secret)).await }
            })
            .buffer_unordered(WRITERS);
        while writes.try_next().await?.is_some() {}
        Ok(start.elapsed())
    }

    fn pull_secret(&self, name: &str) -> Value {
        let login = json!({"username": registry::USER, "password": registry::PASSWORD, "auth": registry::credentials()});
        let content = json!({"auths": {self.registry.host(): login}});
        json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/dockerconfigjson",
            "metadata": {"name": name, "labels": {"app.kubernetes.io/managed-by": "bench", "cotter.dev/registry": name},
                "ownerReferences": [{"apiVersion": "cotter.dev/v1alpha1", "kind": "Registry", "name": name,
                    "uid": "00000000-0000-0000-0000-000000000000"}]},
            "stringData": {".dockerconfigjson": content.to_string()}})
    }

    /// A cotter that leads, with a credential of its name in a namespace of its own.
    async fn start(&self, own: &str) -> Result<Server> {
        self.namespace(own, &json!({})).await?;
        let cotter = self.home.start_leading(self.plane.kubeconfig(), own)?;
        sleep(SETTLE).await;
        Ok(cotter)
    }

    /// A Registry with its credential in cotter's namespace; when it was there.
    async fn registry(&self, own: &str, name: &str) -> Result<Instant> {
        let annotations =
            json!({"cotter.dev/registry": name, "cotter.dev/host": self.registry.host()});
        let credential = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "annotations": annotations},
            "stringData": {"username": registry::USER, "password": registry::PASSWORD}});
        self.create(&format!("/api/v1/namespaces/{own}/secrets"), &credential)
            .await?;
        let registry = json!({"apiVersion": "cotter.dev/v1alpha1", "kind": "Registry", "metadata": {"name": name}, "spec": {
            "type": "Custom", "host": self.registry.host(), "credentials": {"secretRef": {"name": name}},
            "namespaces": {"selector": {"matchLabels": {"team": "bench"}}}}});
        let start = Instant::now();
        self.create("/apis/cotter.dev/v1alpha1/registries", &registry)
            .await?;
        Ok(start)
    }

    /// From the creation of a Registry until its pull secret is in every namespace.
    async fn one(&self, own: &str) -> Result<Duration> {
        let mut heard = Heard::of(&self.client, &format!("cotter.dev/registry={own}")).await?;
        let start = self.registry(own, own).await?;
        let last = heard.first(NAMESPACES).await?;
        Ok(last.duration_since(start))
    }

    /// More Registries for all namespaces at once, and what cotter then holds.
    async fn many(&self, table: &Table, cotter: &Server) -> Result<()> {
        let before = Memory::of(cotter.pid())?;
        let own = format!("cotter-{}", ROUNDS - 1);
        let more = REGISTRIES - 1;
        let names: Vec<_> = (0..more).map(|number| format!("more-{number}")).collect();
        let selector = format!("cotter.dev/registry in ({})", names.join(","));
        let mut heard = Heard::of(&self.client, &selector).await?;
        let start = Instant::now();
        for name in &names {
            self.registry(&own, name).await?;
        }
        let took = heard.first(more * NAMESPACES).await?.duration_since(start);
        let writes = u32::try_from(more * NAMESPACES)?;
        table.print(&Row {
            name: MANY.to_owned(),
            figure: format!("{:.0} a second", f64::from(writes) / took.as_secs_f64()),
            beside: format!("{writes} pull secrets in {}", millis(took)),
            floor: None,
        })?;
        sleep(SETTLE).await;
        let after = Memory::of(cotter.pid())?;
        let each = (after.mib - before.mib) * 1024.0 / f64::from(writes);
        table.print(&Row {
            name: EACH.to_owned(),
            figure: format!("{each:.2} KiB"),
            beside: format!("{:.1} MiB with one Registry, {:.1} MiB with {REGISTRIES}; the most at any time: {:.1} MiB",
                before.mib, after.mib, after.peak_mib),
            floor: None,
        })
    }

    /// What is asked while nothing happens.
    async fn rest(&self, table: &Table) -> Result<()> {
        let mut before = self.requests().await?;
        let start = Instant::now();
        // Events are sent at a limited rate.
        loop {
            sleep(SETTLE).await;
            let now = self.requests().await?;
            if now == before {
                break;
            }
            ensure!(start.elapsed() < PATIENCE, "it does not come to rest");
            before = now;
        }
        self.registry.take_counts();
        sleep(RESTING).await;
        let counts = self.registry.take_counts();
        let asked = self.requests().await? - before;
        let registry = counts.challenges + counts.tokens + counts.heads + counts.gets;
        table.print(&Row {
            name: REST.to_owned(),
            figure: format!("{asked}/{registry}"),
            beside: format!(
                "requests to the API server (but for the lease) / to the registry in {} s",
                RESTING.as_secs()
            ),
            floor: Some(Floor::exactly("= 0/0", asked == 0 && registry == 0)),
        })
    }

    /// The requests so far about what the controller reads and writes.
    async fn requests(&self) -> Result<u64> {
        let metrics = self
            .client
            .request_text(Request::get("/metrics").body(Vec::new())?)
            .await?;
        let of_the_controller = |line: &&str| {
            line.starts_with("apiserver_request_total{")
                && ["events", "namespaces", "pods", "registries", "secrets"]
                    .iter()
                    .any(|resource| line.contains(&format!("resource=\"{resource}\"")))
        };
        let counts = metrics.lines().filter(of_the_controller);
        let counts = counts.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
        Ok(counts.sum())
    }

    /// New namespaces one after the other, each with a pull secret of every Registry.
    async fn new_namespaces(&self, table: &Table) -> Result<()> {
        let mut heard = Heard::of(&self.client, "app.kubernetes.io/managed-by=cotter").await?;
        let mut made = HashMap::new();
        let mut tick = tokio::time::interval(NEW_EVERY);
        for number in NAMESPACES..NAMESPACES + NEW_NAMESPACES {
            tick.tick().await;
            let name = team(number);
            self.namespace(&name, &json!({"team": "bench"})).await?;
            made.insert(name, Instant::now());
        }
        let mut took = Vec::new();
        for _ in 0..NEW_NAMESPACES * REGISTRIES {
            let (namespace, at) = heard.next().await?;
            let made = made.get(&namespace).context("a namespace of nobody")?;
            took.push(at.saturating_duration_since(*made));
        }
        took.sort_unstable();
        let [half, most, last] = [50, 99, 100].map(|percent| {
            let rank = (took.len() * percent / 100).min(took.len() - 1);
            took.get(rank).copied().unwrap_or_default()
        });
        let most_millis = most.as_secs_f64() * 1_000.0;
        table.print(&Row {
            name: NEW.to_owned(),
            figure: millis(most),
            beside: format!(
                "10 namespaces a second, {REGISTRIES} Registries, {} namespaces; p50 {}, last {}",
                NAMESPACES + NEW_NAMESPACES,
                millis(half),
                millis(last)
            ),
            floor: Some(Floor::at_most(most_millis, NEW_FLOOR, "ms")),
        })
    }
}

impl Heard {
    /// From now on.
    async fn of(client: &Client, selector: &str) -> Result<Self> {
        let secrets = Api::<Secret>::all(client.clone());
        let params = WatchParams::default().labels(selector).timeout(290);
        let now = secrets
            .list_metadata(&kube::api::ListParams::default().limit(1))
            .await?;
        let version = now.metadata.resource_version.unwrap_or_default();
        let (tell, told) = mpsc::unbounded_channel();
        let watch = tokio::spawn(async move {
            let Ok(events) = secrets.watch_metadata(&params, &version).await else {
                return;
            };
            let mut events = pin!(events);
            while let Some(Ok(event)) = events.next().await {
                if let WatchEvent::Added(secret) = event
                    && tell
                        .send((
                            secret.metadata.namespace.unwrap_or_default(),
                            Instant::now(),
                        ))
                        .is_err()
                {
                    return;
                }
            }
        });
        Ok(Self {
            secrets: told,
            watch,
        })
    }

    async fn next(&mut self) -> Result<(String, Instant)> {
        let next = timeout(PATIENCE, self.secrets.recv()).await;
        next.context("no more pull secrets")?
            .context("the API server ended the watch")
    }

    /// When so many had been told of.
    async fn first(&mut self, count: usize) -> Result<Instant> {
        let mut last = Instant::now();
        for seen in 0..count {
            (_, last) = self
                .next()
                .await
                .with_context(|| format!("after {seen} of {count}"))?;
        }
        Ok(last)
    }
}

impl Drop for Heard {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

fn team(number: usize) -> String {
    format!("team-{number}")
}
