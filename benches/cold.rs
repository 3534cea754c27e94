//! Admissions whose tags cotter has never asked for, against the same exchanges with the registry made bare.

use std::time::Duration;

use anyhow::Result;

use crate::{
    answer::Expected,
    bare::Bare,
    load::Connection,
    process::Home,
    registry,
    reviews::Review,
    support::oci_registry::OciRegistry,
    table::{Floor, Row, Table, median, median_time, millis, spread},
    tls,
};

/// The first of these is not counted: it loads what a process loads once.
const ROUNDS: usize = 12;

const FAR: Duration = Duration::from_millis(20);

/// Issue 3, "Speed and memory".
const FLOOR: f64 = 1.3;

const TAGS: [&str; 2] = ["dev", "next"];

const ENV: usize = 10;

/// What one row is about.
#[derive(Clone, Copy)]
struct Case {
    images: usize,
    round_trip: Duration,
}

/// Times of one case: cotter's and the bare exchange's.
#[derive(Default)]
struct Times {
    cotter: Vec<Duration>,
    bare: Vec<Duration>,
}

pub(crate) async fn rows(table: &Table) -> Result<()> {
    for round_trip in [Duration::ZERO, FAR] {
        for images in [1, 5] {
            let case = Case { images, round_trip };
            if [true, false]
                .iter()
                .any(|&new| table.wants(&name(case, new)))
            {
                measure(table, case).await?;
            }
        }
    }
    Ok(())
}

fn name(case: Case, new: bool) -> String {
    let images = if case.images == 1 {
        "1 image"
    } else {
        "5 images"
    };
    let start = if new { "from nothing" } else { "token warm" };
    format!(
        "cold, {images}, {} ms away, {start}",
        case.round_trip.as_millis()
    )
}

async fn measure(table: &Table, case: Case) -> Result<()> {
    let repositories = registry::repositories(case.images);
    let mut registries = Vec::new();
    for _ in 0..ROUNDS {
        registries.push(registry::start(case.round_trip, &repositories, &TAGS).await);
    }
    let home = Home::new(&registries)?;
    let cotter = home.start()?;
    let expected = Expected::pinned(case.images);
    let mut caller = Connection::open(&cotter.target("/mutate"), expected).await?;
    let (mut nothing, mut warm) = (Times::default(), Times::default());
    for (round, registry) in registries.iter().enumerate() {
        let [of_nothing, of_warm] = one_round(&mut caller, registry, &repositories, round).await?;
        if round > 0 {
            nothing.add(of_nothing);
            warm.add(of_warm);
        }
    }
    table.print(&nothing.row(case, true))?;
    table.print(&warm.row(case, false))
}

/// A registry that nobody has asked, then other tags of the same repositories.
async fn one_round(
    caller: &mut Connection,
    registry: &OciRegistry,
    repositories: &[String],
    round: usize,
) -> Result<[(Duration, Duration); 2]> {
    let (address, tls) = (
        registry::address(registry)?,
        tls::client(registry.ca_pem())?,
    );
    let review = |tag: &str, revision: usize| {
        Review::of_pod(
            &registry::images(registry, repositories, tag),
            ENV,
            revision,
        )
    };
    let [first, second] = TAGS;
    let (cotter, _) = caller.send(&review(first, 2 * round)).await?;
    let (mut open, bare) = Bare::cold(address, &tls, repositories, first).await?;
    let (cotter_warm, _) = caller.send(&review(second, 2 * round + 1)).await?;
    let bare_warm = open.warm(second).await?;
    Ok([(cotter, bare), (cotter_warm, bare_warm)])
}

impl Times {
    fn add(&mut self, (cotter, bare): (Duration, Duration)) {
        self.cotter.push(cotter);
        self.bare.push(bare);
    }

    fn row(&self, case: Case, new: bool) -> Row {
        let pairs = self.cotter.iter().zip(&self.bare);
        let ratios: Vec<_> = pairs
            .map(|(cotter, bare)| cotter.as_secs_f64() / bare.as_secs_f64())
            .collect();
        let noise = spread(ratios.clone());
        let ratio = median(ratios);
        Row {
            name: name(case, new),
            figure: format!("{ratio:.2} × time"),
            beside: format!(
                "{} / {}, middle half ±{:.0} %",
                millis(median_time(&self.cotter)),
                millis(median_time(&self.bare)),
                noise / 2.0,
            ),
            floor: (!case.round_trip.is_zero()).then(|| Floor::at_most(ratio, FLOOR, "×")),
        }
    }
}
