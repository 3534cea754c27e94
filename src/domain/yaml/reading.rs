//! From the parser's events to the tree.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, StructureStyle};

use super::{Kind, NESTING, Node, NodeId, Place, Style, Yaml, YamlError};

/// A key of a JSON text may be as long as it likes; YAML's own limit of 1,024 is for keys without a `?`.
const LONGEST_KEY: usize = 1 << 20;

pub(super) fn read(text: &str) -> Result<Yaml<'_>, YamlError> {
    let options = granit_parser::options! {
        emit_comments: false,
        simple_key_max_lookahead: LONGEST_KEY,
        flow_nesting_limit: NESTING,
        block_nesting_limit: NESTING,
    };
    let mut builder = Builder::new(text);
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.map_err(|error| refused(&error))?;
        builder.take(event, &span)?;
    }
    Ok(builder.yaml)
}

fn refused(error: &ScanError) -> YamlError {
    let marker = error.marker();
    YamlError {
        place: Place {
            line: marker.line(),
            column: marker.col() + 1,
        },
        said: error.info(),
    }
}

struct Builder<'t> {
    yaml: Yaml<'t>,
    /// The collections that are open, each with its last child.
    open: Vec<(NodeId, Option<NodeId>)>,
    anchors: HashMap<usize, NodeId>,
}

impl<'t> Builder<'t> {
    fn new(text: &'t str) -> Self {
        // A node takes 12 bytes or more of most manifests.
        let nodes = Vec::with_capacity(text.len() / 12);
        let documents = Vec::new();
        Self {
            yaml: Yaml {
                text,
                nodes,
                documents,
            },
            open: Vec::new(),
            anchors: HashMap::new(),
        }
    }

    fn take(&mut self, event: Event<'t>, span: &Span) -> Result<(), YamlError> {
        match event {
            Event::Scalar(value, style, anchor, tag) => {
                let kind = Kind::Scalar {
                    value,
                    style: written(style),
                    tagged: tag.is_some(),
                };
                self.add(kind, span, anchor);
            }
            Event::SequenceStart(_, anchor, _) => {
                let id = self.add(Kind::Sequence(None), span, anchor);
                self.open.push((id, None));
            }
            Event::MappingStart(style, anchor, _) => {
                let flow = style == StructureStyle::Flow;
                let id = self.add(Kind::Mapping { first: None, flow }, span, anchor);
                self.open.push((id, None));
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.open.pop();
            }
            Event::Alias(anchor) => {
                let target = self.anchors.get(&anchor).copied();
                let target = target.ok_or_else(|| YamlError {
                    place: place(span),
                    said: "an alias stands inside of what it names".to_owned(),
                })?;
                self.add(Kind::Alias(target), span, 0);
            }
            _ => {}
        }
        Ok(())
    }

    fn add(&mut self, kind: Kind<'t>, span: &Span, anchor: usize) -> NodeId {
        let id = NodeId(self.yaml.nodes.len());
        let is_nothing = matches!(kind, Kind::Scalar { .. }) && span.start == span.end;
        let end = self.yaml.text.len();
        let start = span.start.byte_offset().unwrap_or(end);
        self.yaml.nodes.push(Node {
            kind,
            span: start..span.end.byte_offset().unwrap_or(end).max(start),
            place: place(span),
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
        if anchor != 0 {
            self.anchors.insert(anchor, id);
        }
        id
    }
}

fn place(span: &Span) -> Place {
    Place {
        line: span.start.line(),
        column: span.start.col() + 1,
    }
}

fn written(style: ScalarStyle) -> Style {
    match style {
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::SingleQuoted => Style::Single,
        ScalarStyle::DoubleQuoted => Style::Double,
        ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
    }
}
