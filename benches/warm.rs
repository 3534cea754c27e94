//! Admissions whose tags cotter knows: its CPU against the echo's.

use std::{sync::Arc, time::Duration};

use anyhow::Result;

use crate::{
    answer::Expected,
    cpu::Cpu,
    load::{self, Connection, Target},
    manifests,
    process::{Home, Server, start_echo},
    registry,
    reviews::{BIG, NAMESPACE, Review, SMALL, Shape, TYPICAL},
    table::{Floor, Row, Table, median, micros, spread},
};

const CONNECTIONS: [usize; 3] = [1, 8, 32];

// Short rounds in turns: what disturbs one server for a second disturbs the other as well.
const ROUNDS: usize = 100;
const ROUND: Duration = Duration::from_millis(40);
const WARM_UP: Duration = Duration::from_millis(300);

/// Issue 3, "Speed and memory".
const TYPICAL_FLOOR: f64 = 1.6;

/// One of the two servers, with its open connections.
struct Side {
    pid: u32,
    connections: Vec<Connection>,
    review: Arc<Review>,
    rounds: Vec<Round>,
    /// Of all rounds.
    latencies: Vec<Duration>,
}

/// The CPU time of one admission, and how many there were in a second.
struct Round {
    cpu: f64,
    per_second: f64,
}

pub(crate) async fn rows(table: &Table) -> Result<()> {
    let shapes = [SMALL, TYPICAL, BIG];
    let wanted = |shape: &Shape| CONNECTIONS.iter().any(|&c| table.wants(&name(*shape, c)));
    if !shapes.iter().any(wanted) {
        return Ok(());
    }
    let repositories = registry::repositories(BIG.images);
    let registry = registry::start(Duration::ZERO, &repositories, &["dev"]).await;
    let images = registry::images(&registry, &repositories, "dev");
    let home = Home::new(std::slice::from_ref(&registry))?;
    let hub = manifests::pull_secret(NAMESPACE, "hub-credentials", "https://index.docker.io/v1/");
    home.add_secrets("hub.yaml", &hub)?;
    let cotter = home.start()?;
    let echo = start_echo(home.path())?;
    for shape in shapes.into_iter().filter(wanted) {
        let review = Arc::new(Review::shaped(shape, &images));
        for connections in CONNECTIONS {
            if table.wants(&name(shape, connections)) {
                let row = row(&cotter, &echo, shape, &review, connections).await?;
                table.print(&row)?;
            }
        }
    }
    Ok(())
}

fn name(shape: Shape, connections: usize) -> String {
    let plural = if connections == 1 { "" } else { "s" };
    format!("{}, {connections} connection{plural}", shape.name)
}

async fn row(
    cotter: &Server,
    echo: &Server,
    shape: Shape,
    review: &Arc<Review>,
    connections: usize,
) -> Result<Row> {
    let webhook = cotter.target("/mutate");
    let pinned = Expected::pinned(shape.images);
    let mut first = Connection::open(&webhook, pinned.clone()).await?;
    let (_, size) = first.send(review).await?;
    let baseline = echo.target(&format!("/{size}"));
    let mut cotter = side(cotter, &webhook, &pinned, review, connections).await?;
    let mut echo = side(echo, &baseline, &Expected::echo(), review, connections).await?;
    for round in 0..ROUNDS {
        if round % 2 == 0 {
            echo.round().await?;
            cotter.round().await?;
        } else {
            cotter.round().await?;
            echo.round().await?;
        }
    }
    Ok(compare(
        &mut cotter,
        &mut echo,
        shape,
        review.len(),
        size,
        connections,
    ))
}

async fn side(
    server: &Server,
    target: &Target,
    expected: &Expected,
    review: &Arc<Review>,
    connections: usize,
) -> Result<Side> {
    let mut connections = Connection::open_many(target, expected, connections).await?;
    load::run(&mut connections, review, WARM_UP).await?;
    Ok(Side {
        pid: server.pid(),
        connections,
        review: Arc::clone(review),
        rounds: Vec::new(),
        latencies: Vec::new(),
    })
}

impl Side {
    async fn round(&mut self) -> Result<()> {
        let before = Cpu::of(self.pid)?;
        let mut sample = load::run(&mut self.connections, &self.review, ROUND).await?;
        let spent = Cpu::of(self.pid)?.since(&before);
        let answers = f64::from(u32::try_from(sample.latencies.len())?);
        self.rounds.push(Round {
            cpu: spent.as_secs_f64() / answers,
            per_second: answers / sample.took.as_secs_f64(),
        });
        self.latencies.append(&mut sample.latencies);
        Ok(())
    }

    fn cpu(&self) -> String {
        micros(median(self.rounds.iter().map(|round| round.cpu).collect()))
    }

    /// The latency that this share of the answers did not pass.
    fn percentile(&mut self, percent: usize) -> String {
        self.latencies.sort_unstable();
        let rank = self.latencies.len() * percent / 100;
        let latency = self.latencies.get(rank).copied().unwrap_or_default();
        micros(latency.as_secs_f64())
    }
}

fn compare(
    cotter: &mut Side,
    echo: &mut Side,
    shape: Shape,
    body: usize,
    answer: usize,
    connections: usize,
) -> Row {
    let pairs = || cotter.rounds.iter().zip(&echo.rounds);
    let cpu: Vec<_> = pairs().map(|(ours, bare)| ours.cpu / bare.cpu).collect();
    let throughput = median(
        pairs()
            .map(|(ours, bare)| ours.per_second / bare.per_second)
            .collect(),
    );
    let noise = spread(cpu.clone());
    let cpu = median(cpu);
    let [p50, p99] =
        [50, 99].map(|p| format!("p{p} {} / {}", cotter.percentile(p), echo.percentile(p)));
    Row {
        name: name(shape, connections),
        figure: format!("{cpu:.2} × CPU"),
        beside: format!(
            "{} / {} CPU, middle half ±{:.0} %; throughput {throughput:.2} ×; {p50}, {p99}; {body} → {answer} bytes",
            cotter.cpu(),
            echo.cpu(),
            noise / 2.0,
        ),
        floor: (shape.name == TYPICAL.name).then(|| Floor::at_most(cpu, TYPICAL_FLOOR, "×")),
    }
}
