//! Looking at a node: aliases followed, merge keys honoured.

use std::{fmt, ops::Range};

use super::{Kind, NodeId, Place, Style, Yaml};

/// How many merges are followed one through another; people write one or two.
const MERGES: usize = 16;

/// A node of a text.
#[derive(Clone, Copy)]
pub struct View<'y, 't> {
    yaml: &'y Yaml<'t>,
    id: NodeId,
}

// === impl View ===

impl<'y, 't> View<'y, 't> {
    pub(super) fn new(yaml: &'y Yaml<'t>, id: NodeId) -> Self {
        Self { yaml, id }
    }

    /// The node that is meant: an alias is followed to where its text stands.
    #[must_use]
    pub fn meant(self) -> Self {
        match self.kind() {
            // Only a node can be named, never an alias, so one step is enough.
            Some(Kind::Alias(target)) => Self::new(self.yaml, *target),
            _ => self,
        }
    }

    /// What tells this node from every other of the text.
    #[must_use]
    pub fn id(self) -> NodeId {
        self.id
    }

    /// Whether it is an alias.
    #[must_use]
    pub fn is_alias(self) -> bool {
        matches!(self.kind(), Some(Kind::Alias(_)))
    }

    /// Where it begins.
    #[must_use]
    pub fn place(self) -> Place {
        let node = self.yaml.node(self.id);
        node.map(|node| node.place).unwrap_or_default()
    }

    /// Its bytes in the text, without tag and anchor.
    #[must_use]
    pub fn span(self) -> Range<usize> {
        let node = self.yaml.node(self.id);
        node.map(|node| node.span.clone()).unwrap_or_default()
    }

    /// The text that it is a part of.
    #[must_use]
    pub fn text(self) -> &'t str {
        self.yaml.text
    }

    /// The value of a scalar.
    #[must_use]
    pub fn scalar(self) -> Option<&'y str> {
        match self.meant().kind()? {
            Kind::Scalar { value, .. } => Some(value),
            _ => None,
        }
    }

    /// The value of a scalar that is a string, and neither a number nor a truth value nor nothing.
    #[must_use]
    pub fn string(self) -> Option<&'y str> {
        match self.meant().kind()? {
            Kind::Scalar {
                value,
                style,
                tagged,
            } => {
                let is_string = *style != Style::Plain || *tagged || !is_other_type(value);
                is_string.then_some(&**value)
            }
            _ => None,
        }
    }

    /// Whether it is nothing: `null`, `~` or no text at all.
    #[must_use]
    pub fn is_null(self) -> bool {
        match self.meant().kind() {
            Some(Kind::Scalar { value, style, .. }) => *style == Style::Plain && is_null(value),
            _ => false,
        }
    }

    /// How a scalar is written.
    #[must_use]
    pub fn style(self) -> Option<Style> {
        match self.kind()? {
            Kind::Scalar { style, .. } => Some(*style),
            _ => None,
        }
    }

    /// Whether it is a mapping.
    #[must_use]
    pub fn is_mapping(self) -> bool {
        matches!(self.meant().kind(), Some(Kind::Mapping { .. }))
    }

    /// Whether it is a sequence.
    #[must_use]
    pub fn is_sequence(self) -> bool {
        matches!(self.meant().kind(), Some(Kind::Sequence(_)))
    }

    /// Whether it is a mapping in braces.
    #[must_use]
    pub fn is_flow(self) -> bool {
        matches!(self.kind(), Some(Kind::Mapping { flow: true, .. }))
    }

    /// The elements of a sequence; none of anything else.
    pub fn items(self) -> impl Iterator<Item = Self> + use<'y, 't> {
        let first = match self.meant().kind() {
            Some(Kind::Sequence(first)) => *first,
            _ => None,
        };
        self.chain(first)
    }

    /// The keys and values of a mapping, as they are written; none of anything else.
    pub fn entries(self) -> impl Iterator<Item = (Self, Self)> + use<'y, 't> {
        let first = match self.meant().kind() {
            Some(Kind::Mapping { first, .. }) => *first,
            _ => None,
        };
        let mut nodes = self.chain(first);
        std::iter::from_fn(move || Some((nodes.next()?, nodes.next()?)))
    }

    /// The value of a key, its own or a merged one (`<<`).
    #[must_use]
    pub fn get(self, key: &str) -> Option<Self> {
        self.find(key, MERGES)
    }

    /// The value of a path of keys.
    #[must_use]
    pub fn at(self, path: &[&str]) -> Option<Self> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    fn find(self, key: &str, merges: usize) -> Option<Self> {
        let mut found = None;
        for (name, value) in self.entries() {
            match name.scalar() {
                // The last of two keys counts, as for the API server.
                Some(name) if name == key => found = Some((true, value)),
                Some("<<") if merges > 0 && found.is_none_or(|(own, _)| !own) => {
                    let sources = [value].into_iter().filter(|value| value.is_mapping());
                    let inherited = sources
                        .chain(value.items())
                        .find_map(|source| source.find(key, merges - 1));
                    found = found.or(inherited.map(|value| (false, value)));
                }
                _ => {}
            }
        }
        found.map(|(_, value)| value)
    }

    fn chain(self, first: Option<NodeId>) -> impl Iterator<Item = Self> + use<'y, 't> {
        let yaml = self.yaml;
        let next = move |id: &NodeId| yaml.node(*id)?.next;
        std::iter::successors(first, next).map(move |id| Self::new(yaml, id))
    }

    fn kind(self) -> Option<&'y Kind<'t>> {
        self.yaml.node(self.id).map(|node| &node.kind)
    }
}

impl fmt::Debug for View<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = self.text().get(self.span()).unwrap_or_default();
        f.debug_tuple("View").field(&source).finish()
    }
}

fn is_null(plain: &str) -> bool {
    matches!(plain, "" | "~" | "null" | "Null" | "NULL")
}

/// Whether a plain scalar is something else than a string to any of the readers that matter: those of Kubernetes and
/// Helm (YAML 1.1) and of Compose (1.2).
pub(super) fn is_other_type(plain: &str) -> bool {
    let truths = ["true", "false", "yes", "no", "on", "off", "y", "n"];
    let is_truth = || truths.iter().any(|truth| plain.eq_ignore_ascii_case(truth));
    is_null(plain) || is_truth() || is_number(plain)
}

fn is_number(plain: &str) -> bool {
    let unsigned = plain.strip_prefix(['+', '-']).unwrap_or(plain);
    let Some(first) = unsigned.bytes().next() else {
        return false;
    };
    if !(first.is_ascii_digit() || first == b'.') {
        return false;
    }
    let digits = unsigned.replace('_', "");
    let of_base = |prefix: &str, base| {
        let rest = digits.strip_prefix(prefix).unwrap_or_default();
        !rest.is_empty() && rest.chars().all(|c| c.is_digit(base))
    };
    let is_special = matches!(unsigned.to_ascii_lowercase().as_str(), ".inf" | ".nan");
    // YAML 1.1 reads `1:30` as minutes; such a tag never stands alone in an image, and quoting it does no harm.
    let is_sexagesimal = || {
        let mut parts = digits.split(':');
        let all =
            |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        digits.contains(':') && parts.all(all)
    };
    is_special
        || digits.parse::<f64>().is_ok()
        || of_base("0x", 16)
        || of_base("0o", 8)
        || of_base("0b", 2)
        || is_sexagesimal()
}
