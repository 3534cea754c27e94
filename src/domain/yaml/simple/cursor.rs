//! A place in a simple text, and what stands there.

use crate::domain::yaml::Place;

pub(super) struct Cursor<'t> {
    text: &'t str,
    pub(super) at: usize,
    /// Of `at`, from 1.
    line: usize,
    line_start: usize,
    pub(super) next: Next,
}

/// What the line of the cursor begins with, once the one before it is done.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// What is indented by so much.
    Content(usize),
    /// `---`
    Mark,
    End,
}

impl<'t> Cursor<'t> {
    /// At the first content; `None` if there are characters that are not simple.
    pub(super) fn new(text: &'t str) -> Option<Self> {
        let is_simple = |byte: u8| matches!(byte, b'\n' | b' '..=b'~');
        let mut cursor = Self {
            text,
            at: 0,
            line: 1,
            line_start: 0,
            next: Next::End,
        };
        if !text.bytes().all(is_simple) {
            return None;
        }
        cursor.find_content()?;
        Some(cursor)
    }

    pub(super) fn byte(&self) -> Option<u8> {
        self.byte_at(self.at)
    }

    fn byte_at(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// From 0.
    pub(super) fn column(&self) -> usize {
        self.at - self.line_start
    }

    pub(super) fn place(&self, at: usize) -> Place {
        Place {
            line: self.line,
            column: at - self.line_start + 1,
        }
    }

    /// A dash that begins an item.
    pub(super) fn is_dash(&self) -> bool {
        self.byte() == Some(b'-') && self.is_blank_after()
    }

    /// A colon that ends a key.
    pub(super) fn is_colon(&self) -> bool {
        self.byte() == Some(b':') && self.is_blank_after()
    }

    fn is_blank_after(&self) -> bool {
        matches!(self.byte_at(self.at + 1), None | Some(b' ' | b'\n'))
    }

    pub(super) fn is_flow(&self) -> bool {
        matches!(self.byte(), Some(b'{' | b'['))
    }

    /// Nothing, or nothing but a comment, from here to the end of the line.
    pub(super) fn is_line_end(&self) -> bool {
        let after = self.at + self.spaces(self.at);
        match self.byte_at(after) {
            None | Some(b'\n') => true,
            Some(b'#') => after > self.line_start && self.byte_at(after - 1) == Some(b' '),
            _ => false,
        }
    }

    fn spaces(&self, at: usize) -> usize {
        let rest = self.text.as_bytes().get(at..).unwrap_or_default();
        rest.iter().take_while(|byte| **byte == b' ').count()
    }

    pub(super) fn skip_spaces(&mut self) {
        self.at += self.spaces(self.at);
    }

    /// Behind a mark of one byte and the spaces after it.
    pub(super) fn behind_mark(&self) -> usize {
        self.at + 1 + self.spaces(self.at + 1)
    }

    pub(super) fn step(&mut self) {
        self.at = self.behind_mark();
    }

    /// Goes behind the rest of a line, which holds no more than a comment, and to the next content.
    pub(super) fn end_line(&mut self) -> Option<()> {
        if !self.is_line_end() {
            return None;
        }
        self.skip_line();
        self.find_content()
    }

    /// From the beginning of a line.
    fn find_content(&mut self) -> Option<()> {
        loop {
            self.line_start = self.at;
            self.skip_spaces();
            let indent = self.column();
            let rest = self.text.get(self.at..)?;
            self.next = match rest.bytes().next() {
                None => Next::End,
                Some(b'\n' | b'#') => {
                    self.skip_line();
                    continue;
                }
                Some(b'-') if indent == 0 && rest.starts_with("---") => Next::Mark,
                Some(b'.') if indent == 0 && rest.starts_with("...") => return None,
                Some(_) => Next::Content(indent),
            };
            return Some(());
        }
    }

    fn skip_line(&mut self) {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let to_end = rest.iter().position(|byte| *byte == b'\n');
        self.at += to_end.map_or(rest.len(), |at| at + 1);
        self.line += 1;
    }

    /// A quoted text without escapes.
    pub(super) fn quoted(&mut self, quote: u8) -> Option<&'t str> {
        let start = self.at + 1;
        let rest = self.text.as_bytes().get(start..)?;
        let ends = |byte: &u8| *byte == quote || matches!(byte, b'\n' | b'\\');
        let end = start + rest.iter().position(ends)?;
        // `''` is an escape; a backslash is none in single quotes, but rare there.
        let is_end = self.byte_at(end)? == quote && self.byte_at(end + 1) != Some(quote);
        self.at = end + 1;
        self.text.get(start..end).filter(|_| is_end)
    }

    /// A text without quotes.
    pub(super) fn plain(&mut self, in_flow: bool) -> Option<&'t str> {
        let start = self.at;
        let after = self.byte_at(start + 1).unwrap_or(b'\n');
        match self.byte()? {
            b'-' if !matches!(after, b' ' | b'\n') && !is_bracket(after) => {}
            b'-' | b'?' | b':' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>' | b'%' | b'@' | b'`'
            | b'\'' | b'"' | b'\n' => return None,
            byte if is_bracket(byte) => return None,
            _ => {}
        }
        let rest = self.text.as_bytes().get(start..)?;
        let mut before = b' ';
        let end = rest.iter().enumerate().find(|&(at, &byte)| {
            let ends = match byte {
                b'\n' => true,
                b':' => match rest.get(at + 1) {
                    None | Some(b' ' | b'\n') => true,
                    Some(&next) => in_flow && is_bracket(next),
                },
                b'#' => before == b' ',
                _ => in_flow && is_bracket(byte),
            };
            before = byte;
            ends
        });
        let end = start + end.map_or(rest.len(), |(at, _)| at);
        let value = self.text.get(start..end)?.trim_end_matches(' ');
        self.at = start + value.len();
        // A colon apart from its key is rare.
        let is_apart = self.at < end && self.byte_at(end) == Some(b':');
        (!is_apart).then_some(value)
    }
}

/// What means something in a collection in brackets.
fn is_bracket(byte: u8) -> bool {
    matches!(byte, b',' | b'[' | b']' | b'{' | b'}')
}
