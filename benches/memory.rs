//! What cotter holds of memory, idle and with many pull secrets.

use std::time::Duration;

use anyhow::Result;

use crate::{
    cpu::Memory,
    manifests,
    process::Home,
    table::{Floor, Row, Table, millis},
};

const NAMESPACES: usize = 1_000;
const SECRETS: usize = 10;

const IDLE: &str = "memory, idle";
const FULL: &str = "memory, 10,000 pull secrets";

// Issue 3, "Speed and memory".
const IDLE_FLOOR: f64 = 24.0;
const FULL_FLOOR: f64 = 64.0;
const PEAK_FLOOR: f64 = 1.5;

/// Until what the start needed is given back.
const SETTLE: Duration = Duration::from_secs(2);

pub(crate) async fn rows(table: &Table) -> Result<()> {
    if table.wants(&peak(IDLE)) {
        measure(table, IDLE, &Home::new(&[])?, IDLE_FLOOR).await?;
    }
    if table.wants(&peak(FULL)) {
        let home = Home::new(&[])?;
        for namespace in 0..NAMESPACES {
            let namespace = format!("team-{namespace:04}");
            let secret = |n| {
                let host = format!("registry-{n}.example.com/{namespace}");
                manifests::pull_secret(&namespace, &format!("credentials-{n}"), &host)
            };
            let secrets: String = (0..SECRETS).map(secret).collect();
            home.add_secrets(&format!("{namespace}.yaml"), &secrets)?;
        }
        measure(table, FULL, &home, FULL_FLOOR).await?;
    }
    Ok(())
}

/// Holds the name of the row beside it, so that a filter for one finds both.
fn peak(name: &str) -> String {
    format!("{name}, peak")
}

async fn measure(table: &Table, name: &str, home: &Home, floor: f64) -> Result<()> {
    let cotter = home.start()?;
    tokio::time::sleep(SETTLE).await;
    let memory = Memory::of(cotter.pid())?;
    table.print(&Row {
        name: name.to_owned(),
        figure: format!("{:.1} MiB", memory.mib),
        beside: format!("ready after {}", millis(cotter.started.ready)),
        floor: Some(Floor::at_most(memory.mib, floor, "MiB")),
    })?;
    let ratio = memory.peak_mib / memory.mib;
    table.print(&Row {
        name: peak(name),
        figure: format!("{ratio:.2} × steady"),
        beside: format!("{:.1} MiB", memory.peak_mib),
        floor: Some(Floor::at_most(ratio, PEAK_FLOOR, "×")),
    })
}
