//! A YAML or JSON text as a tree whose nodes know where they stand. Nothing is ever printed from it: what changes is
//! edited in the text, so that comments, order, quotes and line ends stay.

pub mod edit;
mod reading;
mod simple;
mod spot;
mod tree;
mod view;

use std::{borrow::Cow, ops::Range};

pub use self::{
    spot::{EntryEnd, Spot},
    view::View,
};

/// How deep collections may be nested; the API server's own limit for what it decodes is of the same size.
const NESTING: usize = 200;

/// A text and the documents in it.
#[derive(Clone, Debug)]
pub struct Yaml<'t> {
    text: &'t str,
    nodes: Vec<Node<'t>>,
    documents: Vec<NodeId>,
}

/// Where a text is no YAML.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{said}")]
pub struct YamlError {
    /// Where.
    pub place: Place,
    /// What is wrong.
    pub said: String,
}

/// A line and a column, both counted from 1; the column in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// In single quotes.
    Single,
    /// In double quotes.
    Double,
    /// As a literal or folded block.
    Block,
}

/// The index of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(usize);

#[derive(Clone, Debug)]
struct Node<'t> {
    kind: Kind<'t>,
    span: Range<usize>,
    place: Place,
    /// The next node of the same collection; in a mapping, keys and values take turns.
    next: Option<NodeId>,
}

#[derive(Clone, Debug)]
enum Kind<'t> {
    Scalar {
        value: Cow<'t, str>,
        style: Style,
        /// It has a tag of its own, so its style does not tell its type.
        tagged: bool,
    },
    Sequence(Option<NodeId>),
    Mapping {
        first: Option<NodeId>,
        flow: bool,
    },
    Alias(NodeId),
}

// === impl Yaml ===

impl<'t> Yaml<'t> {
    /// Reads a text. Aliases are not expanded, so that a small text stays small.
    ///
    /// # Errors
    /// [`YamlError`] at the first place that is no YAML.
    pub fn read(text: &'t str) -> Result<Self, YamlError> {
        simple::read(text).map_or_else(|| reading::read(text), Ok)
    }

    /// The roots of the documents that are not empty, in order.
    pub fn documents(&self) -> impl Iterator<Item = View<'_, 't>> {
        self.documents.iter().map(|id| View::new(self, *id))
    }

    fn node(&self, id: NodeId) -> Option<&Node<'t>> {
        self.nodes.get(id.0)
    }
}

#[cfg(test)]
mod tests;
