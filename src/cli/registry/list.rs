//! `cotter registry list`: all `Registry` objects, and what is wrong with them.

use std::{io::Write as _, process::ExitCode};

use clap::{Args, builder::styling::Style};
use jiff::Timestamp;
use serde::Serialize;

use super::{site::KubeArgs, standing::Standing};
use crate::{
    cli::{
        columns::{Cell, Columns},
        exit::Exit,
        output::{self, BAD, FAINT, Format, GOOD},
        running,
    },
    cluster::registry_objects,
};

/// What is not there.
const NOTHING: &str = "-";

/// Show all Registry objects, and what to do about those that are not ready
///
/// Exit code 1: one of them is not ready.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  cotter registry list
  cotter registry list -o json")]
pub struct List {
    /// The form of the answer
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: Format,

    /// Which cluster.
    #[command(flatten)]
    pub kube: KubeArgs,
}

/// What `cotter registry list -o json` prints. These names are a promise to programs.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct ListReport {
    /// All of them, by their names.
    registries: Vec<Standing>,
}

/// Lists.
///
/// # Errors
/// If the cluster cannot be asked, or stdout is gone.
pub fn run(args: List) -> anyhow::Result<ExitCode> {
    running::run(list(args))
}

async fn list(args: List) -> anyhow::Result<Exit> {
    let registries = registry_objects::list(&args.kube.client().await?).await?;
    let report = ListReport {
        registries: registries.iter().map(Standing::of).collect(),
    };
    let has_trouble = report.registries.iter().any(|one| one.ready == "False");
    match args.output {
        Format::Json => output::json(&report)?,
        Format::Text => print(&report.registries, Timestamp::now())?,
    }
    Ok(if has_trouble {
        Exit::Findings
    } else {
        Exit::Fine
    })
}

fn print(registries: &[Standing], now: Timestamp) -> anyhow::Result<()> {
    let mut out = anstream::stdout();
    if registries.is_empty() {
        writeln!(
            out,
            "there is no Registry yet; cotter registry add makes one"
        )?;
        return Ok(());
    }
    table(registries, now).write(&mut out)?;
    for one in registries.iter().filter(|one| !one.is_ready()) {
        writeln!(out)?;
        one.tell(&mut out)?;
    }
    Ok(())
}

/// As `kubectl get reg`.
fn table(registries: &[Standing], now: Timestamp) -> Columns {
    let mut columns = Columns::new(&[
        "NAME",
        "TYPE",
        "HOST",
        "READY",
        "AUTHENTICATED",
        "EXPIRES",
        "NAMESPACES",
        "PODS",
        "AGE",
    ]);
    for one in registries {
        let namespaces = one
            .namespaces
            .map(|count| format!("{}/{}", count.synced, count.desired));
        let pods = one.pods.map(|pods| pods.to_string());
        let age = one.created_at.map(|at| age(at, now));
        columns.row([
            Cell::from(one.name.as_str()),
            Cell::from(one.kind.as_str()),
            or_nothing(one.host.as_deref()),
            Cell::from(one.ready.as_str()).styled(style(&one.ready)),
            Cell::from(one.authenticated.as_str()).styled(style(&one.authenticated)),
            expires(one.expires_at, now),
            or_nothing(namespaces.as_deref()),
            or_nothing(pods.as_deref()),
            or_nothing(age.as_deref()),
        ]);
    }
    columns
}

fn or_nothing(text: Option<&str>) -> Cell {
    Cell::from(text.unwrap_or(NOTHING))
}

fn style(status: &str) -> Style {
    match status {
        "True" => GOOD,
        "False" => BAD,
        _ => FAINT,
    }
}

fn expires(at: Option<Timestamp>, now: Timestamp) -> Cell {
    let Some(at) = at else {
        return Cell::from(NOTHING);
    };
    let cell = Cell::from(output::moment(at).as_str());
    if at <= now { cell.styled(BAD) } else { cell }
}

/// As kubectl shows it, in its largest unit.
fn age(since: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second().saturating_sub(since.as_second()).max(0);
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", seconds / 60),
        7_200..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
pub(in crate::cli) fn json_schema() -> serde_json::Value {
    crate::cli::json_page::schema_of::<ListReport>()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::now(0, "0s")]
    #[case::a_clock_that_is_behind(-5, "0s")]
    #[case::minutes(120, "2m")]
    #[case::hours(7_200, "2h")]
    #[case::days(172_800, "2d")]
    fn ages(#[case] seconds: i64, #[case] expected: &str) {
        let now = Timestamp::from_second(seconds + 1_000).unwrap();
        let since = Timestamp::from_second(1_000).unwrap();
        assert_eq!(age(since, now), expected);
    }
}
