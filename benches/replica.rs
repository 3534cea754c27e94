//! The start of a replica on a real node, beside the start of a program that only waits.
//!
//! The node is that of the tests: this program runs itself again in their sandbox.

use std::{
    process::ExitCode,
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, Result, ensure};
use tokio::task::spawn_blocking;

use crate::{
    lab::{Deployed, install},
    support::real::node::{install::layout, sandbox},
    table::{Row, Table, median_time, millis},
};

/// The hidden argument that makes this program measure inside the sandbox.
pub(crate) const INSIDE: &str = "--replica";

const READY: &str = "replica, container start to /readyz";
const POD: &str = "replica, container start to Pod Ready";

const STARTS: usize = 9;

/// What happened to one Pod, and when.
pub(crate) struct Start {
    /// The kubelet asked containerd to start the container.
    pub(crate) asked: SystemTime,
    /// containerd had started it.
    pub(crate) started: SystemTime,
    /// Its /readyz said so, if it has one.
    pub(crate) said: Option<SystemTime>,
    /// The API server told a watch that the Pod is Ready.
    pub(crate) pod: SystemTime,
}

pub(crate) fn rows(table: &Table) -> Result<()> {
    if !table.wants(READY) && !table.wants(POD) {
        return Ok(());
    }
    let missing = sandbox::missing();
    if !missing.is_empty() {
        let needs = anyhow::anyhow!("needs {}", missing.join(", "));
        return Table::failed("replica", &needs);
    }
    let image = layout();
    ensure!(
        image.join("index.json").exists(),
        "{} is missing; run `make image`",
        image.display()
    );
    let inside = sandbox::enter(&[INSIDE.to_owned(), table.filter().to_owned()]);
    ensure!(inside == ExitCode::SUCCESS, "the lab's errors are above");
    Ok(())
}

/// Measures inside the sandbox.
pub(crate) async fn measure(table: &Table) -> Result<()> {
    let lab = spawn_blocking(install).await?;
    let mut cotter = Deployed::cotter(&lab).await?;
    let mut pause = Deployed::pause(&lab).await?;
    let (mut of_cotter, mut of_pause) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        of_cotter.push(cotter.start_again().await?);
        of_pause.push(pause.start_again().await?);
    }
    table.print(&ready(&of_cotter, &of_pause)?)?;
    table.print(&pod(&of_cotter, &of_pause)?)
}

fn ready(cotter: &[Start], pause: &[Start]) -> Result<Row> {
    let said = |start: &Start| start.said.context("/readyz was not asked");
    let whole = times(cotter, |start| Ok((start.asked, said(start)?)))?;
    let own = times(cotter, |start| Ok((start.started, said(start)?)))?;
    let started = |start: &Start| Ok((start.asked, start.started));
    let [runtime, pause] = [times(cotter, started)?, times(pause, started)?];
    let longest = whole.iter().max().copied().unwrap_or_default();
    Ok(Row {
        name: READY.to_owned(),
        figure: millis(median_time(&whole)),
        beside: format!(
            "of these {} for containerd to start it ({} for pause), {} for cotter; longest of {STARTS}: {}",
            millis(median_time(&runtime)),
            millis(median_time(&pause)),
            millis(median_time(&own)),
            millis(longest)
        ),
        floor: None,
    })
}

fn pod(cotter: &[Start], pause: &[Start]) -> Result<Row> {
    let ready = |start: &Start| Ok((start.asked, start.pod));
    let [cotter, pause] = [times(cotter, ready)?, times(pause, ready)?];
    let longest = cotter.iter().max().copied().unwrap_or_default();
    let [cotter, pause] = [cotter, pause].map(|times| median_time(&times));
    Ok(Row {
        name: POD.to_owned(),
        figure: format!("{:.2} × pause", cotter.as_secs_f64() / pause.as_secs_f64()),
        beside: format!(
            "{} / {} for pause, which has no probe; the chart's asks every second; longest of {STARTS}: {}",
            millis(cotter),
            millis(pause),
            millis(longest)
        ),
        floor: None,
    })
}

fn times(
    starts: &[Start],
    from_to: impl Fn(&Start) -> Result<(SystemTime, SystemTime)>,
) -> Result<Vec<Duration>> {
    let time = |start| {
        let (from, to) = from_to(start)?;
        // A short start may end before containerd has said that it began.
        Ok(to.duration_since(from).unwrap_or_default())
    };
    starts.iter().map(time).collect()
}
