//! The table: a row for each figure, with its floor.

use std::{io::Write as _, time::Duration};

use anyhow::Result;

/// One line of the table.
pub(crate) struct Row {
    pub(crate) name: String,
    /// The figure that the floor is about.
    pub(crate) figure: String,
    /// What it is made of, and what else was seen.
    pub(crate) beside: String,
    pub(crate) floor: Option<Floor>,
}

/// What a figure has to reach.
pub(crate) struct Floor {
    text: String,
    holds: bool,
}

/// Prints rows as they come, those whose name holds the filter.
pub(crate) struct Table {
    filter: String,
}

impl Floor {
    pub(crate) fn at_most(figure: f64, most: f64, unit: &str) -> Self {
        Self {
            text: format!("≤ {most} {unit}"),
            holds: figure <= most,
        }
    }

    pub(crate) fn at_least(figure: f64, least: f64, unit: &str) -> Self {
        Self {
            text: format!("≥ {least} {unit}"),
            holds: figure >= least,
        }
    }

    pub(crate) fn exactly(text: &str, holds: bool) -> Self {
        Self {
            text: text.to_owned(),
            holds,
        }
    }
}

impl Table {
    pub(crate) fn start(filter: String) -> Result<Self> {
        line(["what", "measured", "floor", "holds", "beside it"])?;
        Ok(Self { filter })
    }

    /// Goes on with the table of another process.
    pub(crate) fn go_on(filter: String) -> Self {
        Self { filter }
    }

    /// What the names of the rows hold.
    pub(crate) fn filter(&self) -> &str {
        &self.filter
    }

    /// Whether a row of this name was asked for.
    pub(crate) fn wants(&self, name: &str) -> bool {
        name.contains(&self.filter)
    }

    pub(crate) fn print(&self, row: &Row) -> Result<()> {
        if !self.wants(&row.name) {
            return Ok(());
        }
        let (floor, holds) = match &row.floor {
            Some(floor) => (floor.text.as_str(), if floor.holds { "yes" } else { "NO" }),
            None => ("", ""),
        };
        line([&row.name, &row.figure, floor, holds, &row.beside])
    }

    pub(crate) fn failed(what: &str, error: &anyhow::Error) -> Result<()> {
        line([what, "not measured", "", "", &format!("{error:#}")])
    }
}

fn line([what, measured, floor, holds, beside]: [&str; 5]) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{what:<44} {measured:<14} {floor:<11} {holds:<6} {beside}"
    )?;
    Ok(out.flush()?)
}

/// The middle one.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

pub(crate) fn median_time(times: &[Duration]) -> Duration {
    let seconds = times.iter().map(Duration::as_secs_f64).collect();
    Duration::try_from_secs_f64(median(seconds)).unwrap_or_default()
}

/// How far the middle half of the figures lies apart, in per cent of the middle one.
pub(crate) fn spread(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let at = |quarter: usize| {
        let rank = figures.len().saturating_sub(1) * quarter / 4;
        figures.get(rank).copied().unwrap_or(f64::NAN)
    };
    (at(3) - at(1)) / at(2) * 100.0
}

pub(crate) fn micros(seconds: f64) -> String {
    format!("{:.0} µs", seconds * 1e6)
}

pub(crate) fn millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}
