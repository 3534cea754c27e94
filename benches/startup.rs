//! From exec to ready.

use anyhow::Result;

use crate::{
    process::{Home, Started},
    table::{Floor, Row, Table, median_time, millis},
};

const STARTS: usize = 9;

const FIRST: &str = "start to ready, first, makes certificates";
const AGAIN: &str = "start to ready, again";

/// Issue 3, "Speed and memory"; milliseconds.
const FLOOR: f64 = 200.0;

pub(crate) fn rows(table: &Table) -> Result<()> {
    if !table.wants(FIRST) && !table.wants(AGAIN) {
        return Ok(());
    }
    let (mut first, mut again) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let home = Home::new(&[])?;
        first.push(home.start()?.started);
        again.push(home.start()?.started);
    }
    table.print(&row(FIRST, &first))?;
    table.print(&row(AGAIN, &again))
}

fn row(name: &str, starts: &[Started]) -> Row {
    let times: Vec<_> = starts.iter().map(|start| start.ready).collect();
    let said: Vec<_> = starts.iter().map(|start| start.said).collect();
    let middle = median_time(&times);
    let longest = times.iter().max().copied().unwrap_or_default();
    Row {
        name: name.to_owned(),
        figure: millis(middle),
        beside: format!(
            "to a TLS handshake; /readyz says so after {}; longest of {STARTS}: {}",
            millis(median_time(&said)),
            millis(longest)
        ),
        floor: Some(Floor::at_most(middle.as_secs_f64() * 1e3, FLOOR, "ms")),
    }
}
