//! The report for a pull request, a ticket or a wiki.

use std::io::{self, Write};

use super::{
    report::{FindingKind, Report, Tally},
    table::place,
};
use crate::{cli::output::printable, domain::explain::shown};

/// Findings that are listed; forges cut a comment off at 65,536 characters.
const MOST: usize = 200;

/// Writes the report.
pub(super) fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "## cotter audit\n")?;
    writeln!(
        out,
        "| Namespace | Mode | Pods | Images | Unpinned | Drifted | Unresolved | Missing secret | Broken | Expired | Unused | Upper case |\n\
         |---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    )?;
    each(report, out, |tally| {
        let mut numbers = vec![tally.pods, tally.images];
        numbers.extend(FindingKind::ALL.iter().map(|kind| tally.of(*kind)));
        numbers
    })?;
    writeln!(
        out,
        "\n### If all Pods were made anew under enforcement\n\n\
         | Namespace | Mode | Pods | Changed | Denied | Pinned | Respelled | Stay unpinned | Given secrets |\n\
         |---|---|--:|--:|--:|--:|--:|--:|--:|"
    )?;
    each(report, out, |tally| {
        let enforcing = &tally.enforcing;
        vec![
            tally.pods,
            enforcing.pods_changed,
            enforcing.pods_denied,
            enforcing.slots_pinned,
            enforcing.slots_respelled,
            enforcing.slots_unpinned,
            enforcing.pods_given_secrets,
        ]
    })?;
    findings(report, out)?;
    for one in &report.unchecked {
        writeln!(out, "\n> Not looked at: {}", escaped(&one.message))?;
    }
    Ok(())
}

fn each(
    report: &Report,
    out: &mut impl Write,
    numbers: impl Fn(&Tally) -> Vec<usize>,
) -> io::Result<()> {
    let mut row = |name: &str, mode: &str, tally: &Tally| {
        write!(out, "| {name} | {mode} |")?;
        for number in numbers(tally) {
            write!(out, " {number} |")?;
        }
        writeln!(out)
    };
    for namespace in &report.namespaces {
        let mode = namespace.mode.unwrap_or_default();
        row(&escaped(&namespace.name), mode, &namespace.tally)?;
    }
    if report.namespaces.len() > 1 {
        row("**Total**", "", &report.totals)?;
    }
    Ok(())
}

fn findings(report: &Report, out: &mut impl Write) -> io::Result<()> {
    if report.findings.is_empty() {
        return writeln!(out, "\nNothing was found.");
    }
    writeln!(
        out,
        "\n### Findings\n\n| Kind | Namespace | Where | Pods | What |\n|---|---|---|--:|---|"
    )?;
    for finding in report.findings.iter().take(MOST) {
        let image = finding
            .image
            .as_ref()
            .map(|image| format!("`{}`: ", code(&shown(image))));
        writeln!(
            out,
            "| {} | {} | {} | {} | {}{} |",
            finding.kind.as_str(),
            escaped(&finding.namespace),
            escaped(&place(finding)),
            finding.pods,
            image.unwrap_or_default(),
            escaped(&finding.message)
        )?;
    }
    match report.findings.len().saturating_sub(MOST) {
        0 => Ok(()),
        more => writeln!(out, "\nand {more} more; `-o json` has all of them"),
    }
}

/// A text in a cell and between backticks, where nothing is markup but what ends them.
fn code(text: &str) -> String {
    printable(text).replace('`', "'").replace('|', "\\|")
}

/// A text in a cell: nothing in it ends the cell or is markup.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in printable(text).chars() {
        match c {
            '|' | '\\' | '*' | '_' | '[' | ']' | '~' => {
                safe.push('\\');
                safe.push(c);
            }
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '`' => safe.push('\''),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::{code, escaped};

    #[test]
    fn a_cell_stays_a_cell() {
        assert_eq!(escaped("a|b<img>`c`\n"), r"a\|b&lt;img&gt;'c'\\u{a}");
        assert_eq!(code("my_app`|`<b>"), r"my_app'\|'<b>");
    }
}
