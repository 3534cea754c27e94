//! Rows in columns: the width of a column is that of its widest cell, the last one is not filled up.

use std::io::{self, Write};

use clap::builder::styling::Style;

use super::output::{FAINT, printable};

/// What stands between two columns.
const GAP: &str = "  ";

/// A cell.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    text: String,
    style: Style,
    right: bool,
}

/// Rows under headings.
#[derive(Clone, Debug)]
pub struct Columns {
    headings: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

// === impl Cell ===

impl Cell {
    /// The same in another style.
    #[must_use]
    pub fn styled(mut self, style: Style) -> Self {
        self.style = style;
        self
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self {
            text: printable(text),
            ..Self::default()
        }
    }
}

impl From<usize> for Cell {
    /// A number stands at the right; nothing of a kind is faint, so that something is seen.
    fn from(number: usize) -> Self {
        Self {
            text: number.to_string(),
            style: if number == 0 { FAINT } else { Style::new() },
            right: true,
        }
    }
}

// === impl Columns ===

impl Columns {
    /// No rows yet.
    #[must_use]
    pub fn new(headings: &[&'static str]) -> Self {
        Self {
            headings: headings.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Writes all of it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let width = |column: usize, heading: &str| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            let widest = cells.map(|cell| cell.text.chars().count()).max();
            widest.unwrap_or_default().max(heading.chars().count())
        };
        let headings = self.headings.iter().enumerate();
        let widths: Vec<usize> = headings
            .map(|(column, heading)| width(column, heading))
            .collect();
        let first = self.rows.first();
        let headings = self
            .headings
            .iter()
            .enumerate()
            .map(|(column, heading)| Cell {
                text: (*heading).to_owned(),
                style: Style::new().bold(),
                right: first
                    .and_then(|row| row.get(column))
                    .is_some_and(|cell| cell.right),
            });
        write_row(out, &headings.collect::<Vec<_>>(), &widths)?;
        for row in &self.rows {
            write_row(out, row, &widths)?;
        }
        Ok(())
    }
}

fn write_row(out: &mut impl Write, row: &[Cell], widths: &[usize]) -> io::Result<()> {
    let mut cells = row.iter().zip(widths).peekable();
    while let Some((Cell { text, style, right }, width)) = cells.next() {
        let is_last = cells.peek().is_none();
        let fill = width.saturating_sub(text.chars().count());
        let (before, after) = match (right, is_last) {
            (true, _) => (fill, 0),
            (false, true) => (0, 0),
            (false, false) => (0, fill),
        };
        write!(out, "{:before$}{style}{text}{style:#}{:after$}", "", "")?;
        if !is_last {
            write!(out, "{GAP}")?;
        }
    }
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_at_the_right_and_nothing_ends_in_blanks() {
        let mut columns = Columns::new(&["NAME", "PODS", "WHAT"]);
        columns.row([Cell::from("a"), Cell::from(1_000), Cell::from("x")]);
        columns.row([Cell::from("longer"), Cell::from(0), Cell::from("a\u{1b}b")]);
        let mut out = Vec::new();
        columns.write(&mut out).unwrap();
        let text = anstream::adapter::strip_bytes(&out).into_vec();
        let text = String::from_utf8(text).unwrap();
        let expected = "NAME    PODS  WHAT\na       1000  x\nlonger     0  a\\u{1b}b\n";
        assert_eq!(text, expected);
    }
}
