//! All of YAML: from a parser's events to the tree.

use std::{collections::HashMap, ops::Range};

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, StructureStyle};

use super::{Kind, NESTING, NodeId, Place, Style, Yaml, YamlError, tree::Tree};

/// A key of a JSON text may be as long as it likes; YAML's own limit of 1,024 is for keys without a `?`.
const LONGEST_KEY: usize = 1 << 20;

pub(super) fn read(text: &str) -> Result<Yaml<'_>, YamlError> {
    let options = granit_parser::options! {
        emit_comments: false,
        simple_key_max_lookahead: LONGEST_KEY,
        flow_nesting_limit: NESTING,
        block_nesting_limit: NESTING,
    };
    let mut builder = Builder {
        tree: Tree::new(text),
        anchors: HashMap::new(),
    };
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.map_err(|error| refused(&error))?;
        builder.take(event, &span)?;
    }
    Ok(builder.tree.yaml)
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
    tree: Tree<'t>,
    anchors: HashMap<usize, NodeId>,
}

impl<'t> Builder<'t> {
    fn take(&mut self, event: Event<'t>, span: &Span) -> Result<(), YamlError> {
        let (mut bytes, mut at) = (self.bytes(span), place(span));
        let text = self.tree.yaml.text.as_bytes();
        // The parser has a value that is not there before its colon.
        if bytes.is_empty()
            && matches!(event, Event::Scalar(..))
            && text.get(bytes.start) == Some(&b':')
        {
            bytes = bytes.start + 1..bytes.start + 1;
            at.column += 1;
        }
        let (id, anchor) = match event {
            Event::Scalar(value, style, anchor, tag) => {
                let kind = Kind::Scalar {
                    value,
                    style: written(style),
                    tagged: tag.is_some(),
                };
                (self.tree.add(kind, bytes, at), anchor)
            }
            Event::SequenceStart(_, anchor, _) => {
                (self.tree.open(Kind::Sequence(None), bytes, at), anchor)
            }
            Event::MappingStart(style, anchor, _) => {
                let flow = style == StructureStyle::Flow;
                let kind = Kind::Mapping { first: None, flow };
                (self.tree.open(kind, bytes, at), anchor)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.tree.close();
                return Ok(());
            }
            Event::Alias(anchor) => {
                let target = self.anchors.get(&anchor).copied();
                let target = target.ok_or_else(|| YamlError {
                    place: at,
                    said: "an alias stands inside of what it names".to_owned(),
                })?;
                (self.tree.add(Kind::Alias(target), bytes, at), 0)
            }
            _ => return Ok(()),
        };
        if anchor != 0 {
            self.anchors.insert(anchor, id);
        }
        Ok(())
    }

    fn bytes(&self, span: &Span) -> Range<usize> {
        let end = self.tree.yaml.text.len();
        let start = span.start.byte_offset().unwrap_or(end);
        start..span.end.byte_offset().unwrap_or(end).max(start)
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
