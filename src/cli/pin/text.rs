//! For a person: a line for each image, a diff, a sentence at the end.

use std::fmt::Write as _;

use similar::TextDiff;

use crate::cli::output::printable;

use super::{
    changing::Changed,
    report::{Finding, Level, Report},
};

const RED: &str = "\x1b[31m";
const GREEN: &str = "\x1b[32m";
const CYAN: &str = "\x1b[36m";
const YELLOW: &str = "\x1b[33m";
const END: &str = "\x1b[0m";

/// A line for each change.
pub(super) fn changes(report: &Report) -> String {
    let mut text = String::new();
    for change in &report.changes {
        let (file, line, column) = (printable(&change.file), change.line, change.column);
        let (from, to) = (printable(&change.from), printable(&change.to));
        let _ = writeln!(text, "{file}:{line}:{column}: {from} → {GREEN}{to}{END}");
    }
    text
}

/// What somebody has to look at, and the sum. `check`: the changes were not made.
pub(super) fn findings(report: &Report, check: bool) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        let _ = writeln!(text, "{}", line(finding));
    }
    let (images, files, changes) = (report.images, report.files, report.changes.len());
    let verb = if check { "would change" } else { "changed" };
    let _ = writeln!(text, "{images} images in {files} files: {changes} {verb}");
    text
}

fn line(finding: &Finding) -> String {
    let mut place = printable(&finding.file);
    for number in [finding.line, finding.column].into_iter().flatten() {
        let _ = write!(place, ":{number}");
    }
    let (colour, level) = match finding.level {
        Level::Error => (RED, "error"),
        Level::Warning => (YELLOW, "warning"),
        Level::Note => (CYAN, "note"),
    };
    let said = printable(&finding.sentence());
    format!("{place}: {colour}{level}{END}: {said}")
}

/// A unified diff, coloured; empty where nothing changes.
pub(super) fn diff(changed: &Changed<'_>) -> String {
    if !changed.is_changed() {
        return String::new();
    }
    let name = &changed.input.name;
    let diff = TextDiff::from_lines(changed.before, &changed.text);
    let (before, after) = (format!("a/{name}"), format!("b/{name}"));
    let plain = diff.unified_diff().header(&before, &after).to_string();
    let mut text = String::with_capacity(plain.len() + 64);
    for line in plain.split_inclusive('\n') {
        let colour = match line.as_bytes() {
            [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] => "",
            [b'+', ..] => GREEN,
            [b'-', ..] => RED,
            [b'@', ..] => CYAN,
            _ => "",
        };
        let (content, end) = match line.strip_suffix('\n') {
            Some(content) => (content, "\n"),
            None => (line, ""),
        };
        if colour.is_empty() {
            let _ = write!(text, "{content}{end}");
        } else {
            let _ = write!(text, "{colour}{content}{END}{end}");
        }
    }
    text
}
