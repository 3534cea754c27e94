//! The report for people: what is wrong, what enforcing would change, and what to look at; with `wide`, every image.

use std::io::{self, Write};

use super::{
    drift::Drift,
    report::{Finding, FindingKind, NamespaceReport, Report, State, Tally},
};
use crate::{
    cli::{
        columns::{Cell, Columns},
        output::{BAD, FAINT},
    },
    domain::{explain::shown, warning::short_reference},
};

const TOTAL: &str = "TOTAL";
/// What is not there.
const NOTHING: &str = "-";

/// Writes the report; `wide`: with every image.
pub(super) fn write(report: &Report, wide: bool, out: &mut impl Write) -> io::Result<()> {
    found(report).write(out)?;
    writeln!(out, "\nIf all Pods were made anew under enforcement:")?;
    enforcing(report).write(out)?;
    if report.totals.drift_unknown > 0 {
        let number = report.totals.drift_unknown;
        writeln!(
            out,
            "\n{number} running images could not be compared with their tags; -o wide shows them"
        )?;
    }
    if wide && !report.images.is_empty() {
        writeln!(out, "\nImages:")?;
        images(report).write(out)?;
    }
    if report.findings.is_empty() {
        return writeln!(out, "\nNothing was found.");
    }
    writeln!(out, "\nFindings:")?;
    findings(&report.findings).write(out)
}

fn found(report: &Report) -> Columns {
    let mut columns = Columns::new(&[
        "NAMESPACE",
        "MODE",
        "PODS",
        "IMAGES",
        "UNPINNED",
        "DRIFTED",
        "UNRESOLVED",
        "MISSING",
        "BROKEN",
        "EXPIRED",
        "UNUSED",
        "UPPER-CASE",
    ]);
    each(report, &mut columns, |tally| {
        let mut cells = vec![Cell::from(tally.pods), Cell::from(tally.images)];
        cells.extend(
            FindingKind::ALL
                .iter()
                .map(|kind| Cell::from(tally.of(*kind))),
        );
        cells
    });
    columns
}

fn enforcing(report: &Report) -> Columns {
    let mut columns = Columns::new(&[
        "NAMESPACE",
        "MODE",
        "PODS",
        "CHANGED",
        "DENIED",
        "PINNED",
        "RESPELLED",
        "STAY UNPINNED",
        "GIVEN SECRETS",
    ]);
    each(report, &mut columns, |tally| {
        let enforcing = &tally.enforcing;
        let denied = Cell::from(enforcing.pods_denied);
        vec![
            Cell::from(tally.pods),
            Cell::from(enforcing.pods_changed),
            if enforcing.pods_denied > 0 {
                denied.styled(BAD)
            } else {
                denied
            },
            Cell::from(enforcing.slots_pinned),
            Cell::from(enforcing.slots_respelled),
            Cell::from(enforcing.slots_unpinned),
            Cell::from(enforcing.pods_given_secrets),
        ]
    });
    columns
}

fn each(report: &Report, columns: &mut Columns, numbers: impl Fn(&Tally) -> Vec<Cell>) {
    for NamespaceReport {
        name, mode, tally, ..
    } in &report.namespaces
    {
        let mode = mode.unwrap_or(NOTHING);
        let name = [Cell::from(name.as_str()), Cell::from(mode)];
        columns.row(name.into_iter().chain(numbers(tally)));
    }
    if report.namespaces.len() > 1 {
        let name = [Cell::from(TOTAL), Cell::from("")];
        columns.row(name.into_iter().chain(numbers(&report.totals)));
    }
}

fn findings(findings: &[Finding]) -> Columns {
    let mut columns = Columns::new(&["KIND", "NAMESPACE", "WHERE", "PODS", "WHAT"]);
    for finding in findings {
        let message = match &finding.image {
            Some(image) => format!("{}: {}", shown(image), finding.message),
            None => finding.message.clone(),
        };
        columns.row([
            Cell::from(finding.kind.as_str()).styled(style(finding.kind)),
            Cell::from(finding.namespace.as_str()),
            Cell::from(place(finding).as_str()),
            Cell::from(finding.pods),
            Cell::from(message.as_str()),
        ]);
    }
    columns
}

/// Where a finding is, within its namespace: `Deployment/web app`, `Secret/registry`.
pub(super) fn place(finding: &Finding) -> String {
    match (&finding.workload, &finding.slot, &finding.secret) {
        (Some(workload), Some(slot), _) => format!("{workload} {slot}"),
        (Some(workload), None, _) => workload.to_string(),
        (None, _, Some(secret)) => format!("Secret/{secret}"),
        (None, _, None) => NOTHING.to_owned(),
    }
}

fn style(kind: FindingKind) -> clap::builder::styling::Style {
    match kind {
        FindingKind::Unpinned | FindingKind::Drifted | FindingKind::UnusedSecret => FAINT,
        _ => BAD,
    }
}

fn images(report: &Report) -> Columns {
    let mut columns = Columns::new(&[
        "NAMESPACE",
        "WORKLOAD",
        "SLOT",
        "PODS",
        "STATE",
        "DRIFT",
        "DIGEST",
        "RUNNING",
        "SECRET",
        "IMAGE",
        "BECOMES",
    ]);
    for image in &report.images {
        let drift = match image.drift {
            Some(Drift::Same) => "same",
            Some(Drift::Drifted) => "drifted",
            Some(Drift::Unknown) => "unknown",
            None => NOTHING,
        };
        let running: Vec<_> = image.running.iter().map(|digest| short(digest)).collect();
        let or_nothing = |text: Option<&str>| Cell::from(text.unwrap_or(NOTHING));
        let becomes = image.becomes.as_deref().map(short_reference);
        columns.row([
            Cell::from(image.namespace.as_str()),
            Cell::from(image.workload.as_str()),
            Cell::from(image.slot.as_str()),
            Cell::from(image.pods),
            Cell::from(state(image.state)),
            Cell::from(drift),
            or_nothing(image.digest.as_deref().map(short)),
            or_nothing(
                Some(running.join(","))
                    .filter(|text| !text.is_empty())
                    .as_deref(),
            ),
            or_nothing(image.secret.as_deref()),
            Cell::from(short_reference(&image.image).as_str()),
            or_nothing(becomes.as_deref()),
        ]);
    }
    columns
}

fn state(state: State) -> &'static str {
    match state {
        State::Pinned => "pinned",
        State::Unpinned => "unpinned",
        State::Immutable => "immutable",
        State::Skipped => "skipped",
        State::NeverPulled => "never pulled",
        State::ShortName => "short name",
        State::Invalid => "invalid",
    }
}

fn short(digest: &str) -> &str {
    crate::cli::output::short(digest)
}
