//! How commands print: text for people, JSON for programs, nothing that a terminal would obey.

use std::io::Write as _;

use clap::{
    ValueEnum,
    builder::styling::{AnsiColor, Style},
};
use jiff::Timestamp;
use serde::Serialize;

/// The form of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people; it may change with any version.
    #[default]
    Text,
    /// One document for programs; its fields stay as they are, and others may be added.
    Json,
}

/// What went well.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// What somebody has to look at.
pub const BAD: Style = AnsiColor::Red.on_default();
/// What matters less.
pub const FAINT: Style = Style::new().dimmed();

/// Figures of a digest that people compare by.
const SHORT: usize = 12;

/// Prints one JSON document.
///
/// # Errors
/// If stdout is gone.
pub fn json(document: &impl Serialize) -> anyhow::Result<()> {
    let mut text = serde_json::to_string_pretty(document)?;
    text.push('\n');
    anstream::stdout().write_all(text.as_bytes())?;
    Ok(())
}

/// Says something beside the answer, on stderr.
///
/// # Errors
/// If stderr is gone.
pub fn note(line: &str) -> anyhow::Result<()> {
    writeln!(anstream::stderr(), "cotter: {}", printable(line))?;
    Ok(())
}

/// `text` with what a terminal would obey made visible.
#[must_use]
pub fn printable(text: &str) -> String {
    let reorders = |c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let shown = text.chars().map(|c| {
        if c.is_control() || reorders(c) {
            c.escape_unicode().to_string()
        } else {
            c.to_string()
        }
    });
    shown.collect()
}

/// A size as people read it: `12.3 MB`.
#[must_use]
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1_000 {
        return format!("{bytes} B");
    }
    // Tenths of the unit, so that no floating point is needed; cut, not rounded.
    let (mut tenths, mut units) = (bytes / 100, UNITS.iter());
    let mut unit = units.next();
    while tenths >= 10_000
        && let Some(next) = units.next()
    {
        (tenths, unit) = (tenths / 1_000, Some(next));
    }
    format!(
        "{}.{} {}",
        tenths / 10,
        tenths % 10,
        unit.copied().unwrap_or_default()
    )
}

/// A moment to the minute, UTC.
#[must_use]
pub fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

/// The first figures of a hash, without its algorithm.
#[must_use]
pub fn short(hash: &str) -> &str {
    let hex = hash.split_once(':').map_or(hash, |(_, hex)| hex);
    hex.get(..SHORT).unwrap_or(hex)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::nothing(0, "0 B")]
    #[case::bytes(999, "999 B")]
    #[case::kilo(1_000, "1.0 kB")]
    #[case::almost_mega(999_999, "999.9 kB")]
    #[case::mega(12_345_678, "12.3 MB")]
    #[case::giga(1_500_000_000, "1.5 GB")]
    #[case::beyond(5_000_000_000_000_000, "5000.0 TB")]
    fn sizes(#[case] bytes: u64, #[case] expected: &str) {
        assert_eq!(size(bytes), expected);
    }

    #[test]
    fn a_terminal_obeys_nothing() {
        let shown = printable("a\u{1b}[31m\r\nb\u{202e}é");
        assert_eq!(shown, r"a\u{1b}[31m\u{d}\u{a}b\u{202e}é");
    }
}
