//! The YAML that most manifests are written in, read in one pass: several times as fast as by the parser that knows all of
//! YAML. What is not plain to see is left to that one: anything but ASCII, tabs, anchors, tags, escapes, block scalars,
//! what goes over several lines, and all that is wrong.

mod cursor;

use self::cursor::{Cursor, Next};
use super::{
    Kind, Place, Style, Yaml,
    tree::{self, Tree},
};

/// How deep collections may be nested here.
const DEPTH: usize = 64;

/// Reads a text, if all of it is simple. The tree equals that of the full parser.
pub(super) fn read(text: &str) -> Option<Yaml<'_>> {
    let mut reader = Reader {
        cursor: Cursor::new(text)?,
        tree: Tree::new(text),
    };
    let mut has_root = false;
    loop {
        match reader.cursor.next {
            Next::Content(_) if has_root => return None,
            Next::Content(column) => {
                reader.block(column)?;
                has_root = true;
            }
            Next::Mark => {
                reader.cursor.at += 3;
                reader.cursor.end_line()?;
                has_root = false;
            }
            Next::End => return Some(reader.tree.yaml),
        }
    }
}

struct Reader<'t> {
    cursor: Cursor<'t>,
    tree: Tree<'t>,
}

/// A scalar that is read, and not yet in the tree.
struct Scalar<'t> {
    kind: Kind<'t>,
    start: usize,
    end: usize,
    place: Place,
}

// Each method gives `None` where the text is not simple.
impl<'t> Reader<'t> {
    /// A node that begins here, on its own lines or behind a dash.
    fn block(&mut self, column: usize) -> Option<()> {
        if self.cursor.is_dash() {
            return self.sequence(column, false);
        }
        if self.cursor.is_flow() {
            self.flow()?;
        } else {
            let scalar = self.scalar(false)?;
            if self.cursor.is_colon() {
                return self.mapping(column, scalar);
            }
            self.add(scalar);
        }
        self.cursor.end_line()
    }

    /// `indentless`: the dashes stand below the first letter of the key.
    fn sequence(&mut self, column: usize, indentless: bool) -> Option<()> {
        // The full parser has it so.
        let start = if indentless {
            self.cursor.behind_mark()
        } else {
            self.cursor.at
        };
        self.open(Kind::Sequence(None), start, start)?;
        let mut is_first = true;
        loop {
            self.cursor.step();
            if self.cursor.is_line_end() {
                self.cursor.end_line()?;
                match self.cursor.next {
                    Next::Content(_) if indentless && is_first => return None,
                    Next::Content(below) if below > column => self.block(below)?,
                    _ => return None,
                }
            } else {
                self.block(self.cursor.column())?;
            }
            is_first = false;
            match self.cursor.next {
                Next::Content(below) if below == column && self.cursor.is_dash() => {}
                Next::Content(below) if below > column => return None,
                Next::Content(below) if below == column && !indentless => return None,
                _ => break,
            }
        }
        self.tree.close();
        Some(())
    }

    /// With the first key read, up to its colon.
    fn mapping(&mut self, column: usize, first: Scalar<'t>) -> Option<()> {
        let kind = Kind::Mapping {
            first: None,
            flow: false,
        };
        self.open(kind, first.start, first.start)?;
        let mut key = first;
        loop {
            if !self.cursor.is_colon() {
                return None;
            }
            self.add(key);
            self.cursor.at += 1;
            self.value(column)?;
            match self.cursor.next {
                Next::Content(below) if below > column => return None,
                // A dash or a bracket is no key.
                Next::Content(below) if below == column => key = self.scalar(false)?,
                _ => break,
            }
        }
        self.tree.close();
        Some(())
    }

    /// What stands behind a colon, or below it.
    fn value(&mut self, column: usize) -> Option<()> {
        if !self.cursor.is_line_end() {
            self.cursor.skip_spaces();
            self.flat(false)?;
            return self.cursor.end_line();
        }
        let (behind, place) = (self.cursor.at, self.cursor.place(self.cursor.at));
        self.cursor.end_line()?;
        match self.cursor.next {
            Next::Content(below) if below > column => self.block(below)?,
            Next::Content(below) if below == column && self.cursor.is_dash() => {
                self.sequence(column, true)?;
            }
            _ => {
                // What the full parser has in the place of a value that is not there.
                let nothing = tree::scalar("~", Style::Plain);
                self.tree.add(nothing, behind..behind, place);
            }
        }
        Some(())
    }

    /// A scalar or a collection in brackets.
    fn flat(&mut self, in_flow: bool) -> Option<()> {
        if self.cursor.is_flow() {
            return self.flow();
        }
        let scalar = self.scalar(in_flow)?;
        self.add(scalar);
        Some(())
    }

    /// A collection in brackets, on one line.
    fn flow(&mut self) -> Option<()> {
        let is_map = self.cursor.byte()? == b'{';
        let (kind, close) = if is_map {
            let (first, flow) = (None, true);
            (Kind::Mapping { first, flow }, b'}')
        } else {
            (Kind::Sequence(None), b']')
        };
        self.open(kind, self.cursor.at, self.cursor.at + 1)?;
        self.cursor.step();
        let mut ended = self.cursor.byte()? == close;
        while !ended {
            if is_map {
                self.flow_key()?;
            }
            self.flat(true)?;
            self.cursor.skip_spaces();
            match self.cursor.byte()? {
                b',' => self.cursor.step(),
                mark if mark == close => ended = true,
                _ => return None,
            }
        }
        self.cursor.at += 1;
        self.tree.close();
        Some(())
    }

    /// A key in braces, up to its value.
    fn flow_key(&mut self) -> Option<()> {
        let key = self.scalar(true)?;
        let is_quoted = !matches!(
            key.kind,
            Kind::Scalar {
                style: Style::Plain,
                ..
            }
        );
        self.add(key);
        // JSON needs no space behind the colon.
        let is_key = self.cursor.byte()? == b':' && (is_quoted || self.cursor.is_colon());
        self.cursor.step();
        is_key.then_some(())
    }

    /// A scalar of one line.
    fn scalar(&mut self, in_flow: bool) -> Option<Scalar<'t>> {
        let start = self.cursor.at;
        let (value, style) = match self.cursor.byte()? {
            b'"' => (self.cursor.quoted(b'"')?, Style::Double),
            b'\'' => (self.cursor.quoted(b'\'')?, Style::Single),
            _ => (self.cursor.plain(in_flow)?, Style::Plain),
        };
        Some(Scalar {
            kind: tree::scalar(value, style),
            start,
            end: self.cursor.at,
            place: self.cursor.place(start),
        })
    }

    fn add(&mut self, scalar: Scalar<'t>) {
        let Scalar {
            kind,
            start,
            end,
            place,
        } = scalar;
        self.tree.add(kind, start..end, place);
    }

    fn open(&mut self, kind: Kind<'t>, start: usize, end: usize) -> Option<()> {
        let place = self.cursor.place(start);
        self.tree.open(kind, start..end, place);
        (self.tree.depth() <= DEPTH).then_some(())
    }
}

#[cfg(test)]
mod tests;
