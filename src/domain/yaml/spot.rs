//! Places to write at, which outlive the tree that they were found in.

use std::ops::Range;

use super::{
    Style, View,
    edit::{Edit, insert, plain_or_quoted, quoted},
};

/// A scalar, and where and how it is written.
#[derive(Clone, Debug)]
pub struct Spot {
    value: Option<Box<str>>,
    style: Style,
    /// The bytes that spell the value; `None` where they do not stand together.
    meant: Option<Range<usize>>,
    /// Nothing stands there, right behind a colon.
    is_nothing: bool,
    /// The alias that names the scalar here.
    alias: Option<Range<usize>>,
}

/// The end of an entry of a mapping.
#[derive(Clone, Debug)]
pub struct EntryEnd {
    at: usize,
    layout: Layout,
}

#[derive(Clone, Debug)]
enum Layout {
    Json,
    Flow,
    Block {
        line_end: &'static str,
        indent: usize,
    },
}

// === impl Spot ===

impl Spot {
    /// The place of a scalar; `None` of anything else.
    #[must_use]
    pub fn of(node: View<'_, '_>) -> Option<Self> {
        let scalar = node.meant();
        let style = scalar.style()?;
        let span = scalar.span();
        let meant = match style {
            Style::Block => {
                let written = scalar.scalar()?.trim();
                let source = scalar.text().get(span.clone()).unwrap_or_default();
                let within = source.find(written).filter(|_| !written.is_empty());
                within.map(|at| span.start + at..span.start + at + written.len())
            }
            _ => Some(span),
        };
        let is_nothing = meant.as_ref().is_some_and(Range::is_empty);
        let follows_colon = |at: &Range<usize>| {
            let before = scalar.text().get(..at.start);
            before.is_some_and(|before| before.ends_with(':'))
        };
        Some(Self {
            value: scalar.string().map(|value| value.trim().into()),
            style,
            meant: meant.filter(|at| !is_nothing || follows_colon(at)),
            is_nothing,
            alias: node.is_alias().then(|| node.span()),
        })
    }

    /// Its text, without space around it; `None` where YAML reads something else than a string.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// Writes `value` into the scalar, in the scalar's own style; `None` where no spelling of it fits there.
    #[must_use]
    pub fn write(&self, value: &str) -> Option<Edit> {
        let range = self.meant.clone()?;
        let text = match self.style {
            Style::Plain if self.is_nothing => format!(" {}", plain_or_quoted(value)?),
            Style::Plain => plain_or_quoted(value)?,
            Style::Double => quoted(value)?,
            Style::Single => format!("'{}'", value.replace('\'', "''")),
            Style::Block => value.to_owned(),
        };
        Some(Edit::of(range, text))
    }

    /// Writes `value` where the node stands, an alias too: what the alias names stays as it is. `None` as in
    /// [`Self::write`].
    #[must_use]
    pub fn write_here(&self, value: &str) -> Option<Edit> {
        match self.alias.clone() {
            Some(range) => Some(Edit::of(range, plain_or_quoted(value)?)),
            None => self.write(value),
        }
    }
}

// === impl EntryEnd ===

impl EntryEnd {
    /// The end of the entry with this key and value.
    #[must_use]
    pub fn of(mapping: View<'_, '_>, (key, value): (View<'_, '_>, View<'_, '_>)) -> Option<Self> {
        let text = mapping.text();
        let end = value.span().end;
        if mapping.meant().is_flow() {
            let is_json = text.get(key.span())?.starts_with('"');
            let layout = if is_json { Layout::Json } else { Layout::Flow };
            return Some(Self { at: end, layout });
        }
        let rest = text.get(end..)?;
        let line = rest.split('\n').next()?;
        let is_windows = if line.len() < rest.len() {
            line.ends_with('\r')
        } else {
            text.contains("\r\n")
        };
        Some(Self {
            at: end + line.trim_end_matches('\r').len(),
            layout: Layout::Block {
                line_end: if is_windows { "\r\n" } else { "\n" },
                indent: key.place().column.saturating_sub(1),
            },
        })
    }

    /// Adds `key: value` behind it; `None` where the value has no spelling.
    #[must_use]
    pub fn add(&self, key: &str, value: &str) -> Option<Edit> {
        let text = match &self.layout {
            Layout::Json => format!(", {}: {}", quoted(key)?, quoted(value)?),
            Layout::Flow => format!(", {key}: {}", plain_or_quoted(value)?),
            Layout::Block { line_end, indent } => {
                let indent = " ".repeat(*indent);
                format!("{line_end}{indent}{key}: {}", plain_or_quoted(value)?)
            }
        };
        Some(insert(self.at, text))
    }
}
