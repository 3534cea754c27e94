//! Building the tree, node by node in the order of the text.

use std::ops::Range;

use super::{Kind, Node, NodeId, Place, Style, Yaml};

pub(super) struct Tree<'t> {
    pub(super) yaml: Yaml<'t>,
    /// The collections that are open, each with its last child.
    open: Vec<(NodeId, Option<NodeId>)>,
}

impl<'t> Tree<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            yaml: Yaml {
                text,
                // A node takes 12 bytes or more of most manifests.
                nodes: Vec::with_capacity(text.len() / 12),
                documents: Vec::new(),
            },
            open: Vec::new(),
        }
    }

    /// How many collections are open.
    pub(super) fn depth(&self) -> usize {
        self.open.len()
    }

    /// The next node of the collection that is open, or the root of a document.
    pub(super) fn add(&mut self, kind: Kind<'t>, span: Range<usize>, place: Place) -> NodeId {
        let id = NodeId(self.yaml.nodes.len());
        let is_nothing = matches!(kind, Kind::Scalar { .. }) && span.is_empty();
        self.yaml.nodes.push(Node {
            kind,
            span,
            place,
            next: None,
        });
        if let Some((parent, last)) = self.open.last_mut() {
            let before = last.replace(id);
            let node = before.unwrap_or(*parent).0;
            if let Some(node) = self.yaml.nodes.get_mut(node) {
                match (&mut node.kind, before) {
                    (Kind::Sequence(first) | Kind::Mapping { first, .. }, None) => {
                        *first = Some(id);
                    }
                    _ => node.next = Some(id),
                }
            }
        } else if !is_nothing {
            self.yaml.documents.push(id);
        }
        id
    }

    /// A node that the next ones belong to, until it is closed.
    pub(super) fn open(&mut self, kind: Kind<'t>, span: Range<usize>, place: Place) -> NodeId {
        let id = self.add(kind, span, place);
        self.open.push((id, None));
        id
    }

    pub(super) fn close(&mut self) {
        self.open.pop();
    }
}

/// A scalar without a tag.
pub(super) fn scalar(value: &str, style: Style) -> Kind<'_> {
    Kind::Scalar {
        value: value.into(),
        style,
        tagged: false,
    }
}
