//! Pods created through a real API server: with cotter, with an echo that answers the same patch, and without a webhook.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use kube::{Client, Config, config::KubeConfigOptions, config::Kubeconfig};
use serde_json::json;
use tokio::{task::JoinSet, task::spawn_blocking};

use crate::{
    answer,
    load::Connection,
    process::{Home, Server, start_echo_of},
    registry,
    reviews::{NAMESPACE, Review, TYPICAL, created_pod},
    support::real::{
        control_plane::{ControlPlane, MutatingWebhook, NEEDS},
        parts,
    },
    table::{Floor, Row, Table, median, millis},
};

const RATE: &str = "Pod creates on a real API server";
const ADDED: &str = "Pod create, time added";

// Issue 4, "Speed and memory".
const RATE_FLOOR: f64 = 0.95;

const ROUNDS: usize = 24;
const CREATORS: usize = 8;
const CREATES: usize = 25;

/// A namespace, and how its Pods fared.
struct Side {
    path: String,
    rates: Vec<f64>,
    /// Of Pods that were created one after the other.
    alone: Vec<Duration>,
}

pub(crate) async fn rows(table: &Table) -> Result<()> {
    if !table.wants(RATE) && !table.wants(ADDED) {
        return Ok(());
    }
    if let Some(part) = NEEDS.iter().find(|part| parts::find(part).is_none()) {
        return Err(anyhow::anyhow!("{part} is missing; run `make parts`"));
    }
    let plane = spawn_blocking(ControlPlane::start).await?;
    let repositories = registry::repositories(TYPICAL.images);
    let registry = registry::start(Duration::ZERO, &repositories, &["dev"]).await;
    let images = registry::images(&registry, &repositories, "dev");
    let home = Home::new(std::slice::from_ref(&registry))?;
    prepare(&plane, &home)?;
    let cotter = home.start_with(plane.kubeconfig())?;
    let patch = patch_of(&cotter, &images).await?;
    let echo = start_echo_of(home.path(), &patch)?;
    let sides = [("echo", &echo, "/patch"), (NAMESPACE, &cotter, "/mutate")];
    for (namespace, server, path) in sides {
        let url = format!("https://{}{path}", server.address());
        let webhook = MutatingWebhook::new(namespace, &url, server.ca(), &[namespace]);
        plane.install_webhook(&webhook);
    }
    let client = client(plane.kubeconfig()).await?;
    let body = created_pod(&images, TYPICAL.env)?.into();
    let [mut none, mut echo, mut cotter] = ["none", "echo", NAMESPACE].map(Side::new);
    settle(&client, &body, [&echo, &cotter]).await?;
    for round in 0..ROUNDS {
        let mut turn = [&mut echo, &mut cotter, &mut none];
        turn.rotate_left(round % 3);
        for side in turn {
            side.round(&client, &body).await?;
        }
    }
    report(table, &mut none, &mut echo, &mut cotter)
}

/// The namespaces with their service account, and the pull secrets of one.
fn prepare(plane: &ControlPlane, home: &Home) -> Result<()> {
    for namespace in ["none", "echo", NAMESPACE] {
        let labels = [("cotter.dev/mode", "enforce")];
        let labels: &[_] = if namespace == NAMESPACE { &labels } else { &[] };
        plane.namespace(namespace, labels);
        let account =
            json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "web"}});
        let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts");
        let made = plane.request("POST", &path, Some(&account));
        ensure!(made.status == 201, "no service account: {}", made.text());
    }
    // Its garbage collector would take Pods away whose owner is only a name.
    plane.stop_controllers();
    let applied = plane.apply(&home.secrets()?, &[]);
    ensure!(applied.code == 0, "no pull secret: {}", applied.stderr);
    Ok(())
}

/// What cotter answers for such a Pod.
async fn patch_of(cotter: &Server, images: &[String]) -> Result<String> {
    let expected = answer::Expected::pinned(images.len());
    let mut connection = Connection::open(&cotter.target("/mutate"), expected).await?;
    let (_, answer) = connection.answer(&Review::shaped(TYPICAL, images)).await?;
    answer::patch(&answer)
}

/// A client of the cluster that a kubeconfig leads to.
pub(crate) async fn client(kubeconfig: &Path) -> Result<Client> {
    let kubeconfig = Kubeconfig::read_from(kubeconfig)?;
    let options = KubeConfigOptions::default();
    let config = Config::from_custom_kubeconfig(kubeconfig, &options).await?;
    Ok(Client::try_from(config)?)
}

/// Until the API server has seen both webhooks.
async fn settle(client: &Client, body: &Arc<str>, sides: [&Side; 2]) -> Result<()> {
    for side in sides {
        let start = Instant::now();
        while !create(client, &side.path, body).await?.contains("@sha256:") {
            ensure!(
                start.elapsed() < Duration::from_secs(20),
                "{} is not patched",
                side.path
            );
        }
    }
    Ok(())
}

async fn create(client: &Client, path: &str, body: &Arc<str>) -> Result<String> {
    let request = http::Request::post(path)
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(body.as_bytes().to_vec())?;
    Ok(client.request_text(request).await?)
}

impl Side {
    fn new(namespace: &str) -> Self {
        Self {
            path: format!("/api/v1/namespaces/{namespace}/pods"),
            rates: Vec::new(),
            alone: Vec::new(),
        }
    }

    async fn round(&mut self, client: &Client, body: &Arc<str>) -> Result<()> {
        for _ in 0..CREATES {
            let start = Instant::now();
            create(client, &self.path, body).await?;
            self.alone.push(start.elapsed());
        }
        let start = Instant::now();
        let mut creators = JoinSet::new();
        for _ in 0..CREATORS {
            let (client, path, body) = (client.clone(), self.path.clone(), Arc::clone(body));
            creators.spawn(async move {
                for _ in 0..CREATES {
                    create(&client, &path, &body).await?;
                }
                Ok::<_, anyhow::Error>(())
            });
        }
        while let Some(ended) = creators.join_next().await {
            ended??;
        }
        let created = f64::from(u32::try_from(CREATORS * CREATES)?);
        self.rates.push(created / start.elapsed().as_secs_f64());
        Ok(())
    }

    /// The time that this share of the creates did not pass.
    fn percentile(&mut self, percent: usize) -> Result<Duration> {
        self.alone.sort_unstable();
        let rank = self.alone.len() * percent / 100;
        self.alone.get(rank).copied().context("no Pod was created")
    }
}

fn report(table: &Table, none: &mut Side, echo: &mut Side, cotter: &mut Side) -> Result<()> {
    let ratios = cotter.rates.iter().zip(&echo.rates);
    let ratio = median(ratios.map(|(ours, bare)| ours / bare).collect());
    let [without, bare, ours] = [&*none, &*echo, &*cotter].map(|side| median(side.rates.clone()));
    table.print(&Row {
        name: RATE.to_owned(),
        figure: format!("{ratio:.2} × echo"),
        beside: format!(
            "{ours:.0} / {bare:.0} a second, {without:.0} without a webhook; {CREATORS} creators"
        ),
        floor: Some(Floor::at_least(ratio, RATE_FLOOR, "×")),
    })?;
    for percent in [50, 99] {
        let [without, bare, ours] = [
            none.percentile(percent)?,
            echo.percentile(percent)?,
            cotter.percentile(percent)?,
        ];
        table.print(&Row {
            name: format!("{ADDED}, p{percent}"),
            figure: millis(ours.saturating_sub(without)),
            beside: format!(
                "{} / {} with the echo / {} without a webhook",
                millis(ours),
                millis(bare),
                millis(without)
            ),
            floor: None,
        })?;
    }
    Ok(())
}
