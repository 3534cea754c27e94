//! Workflow commands of GitHub Actions: `::warning file=…,line=…::message`.

use std::fmt::Write as _;

use super::report::{Level, Report};

pub(super) fn write(report: &Report) -> String {
    let mut text = String::new();
    for change in &report.changes {
        let place = place(&change.file, Some(change.line), Some(change.column));
        let message = message(&format!(
            "{} is not pinned; write {}",
            change.from, change.to
        ));
        let _ = writeln!(text, "::error {place},title=cotter::{message}");
    }
    for finding in &report.findings {
        let command = match finding.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "notice",
        };
        let place = place(&finding.file, finding.line, finding.column);
        let message = message(&finding.sentence());
        let _ = writeln!(text, "::{command} {place},title=cotter::{message}");
    }
    text
}

fn place(file: &str, line: Option<usize>, column: Option<usize>) -> String {
    let mut place = format!("file={}", property(file));
    for (name, number) in [("line", line), ("col", column)] {
        if let Some(number) = number {
            let _ = write!(place, ",{name}={number}");
        }
    }
    place
}

fn message(text: &str) -> String {
    let text = text.replace('%', "%25");
    text.replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}
