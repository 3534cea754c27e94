//! Reads the few members of a large JSON document that matter, in one pass, borrowed, and skips the rest.
//!
//! An admission's cost is mostly that of reading its review. Strings that do not matter are skipped a machine word or
//! more at a time, and nothing is built of them. RFC 8259, but for some liberties in what is skipped: escapes,
//! control characters and the inner form of numbers are not checked, nor is anything but strings and the number of
//! brackets where the nesting is very deep.

mod skip;

use std::borrow::Cow;

/// Nesting beyond this is not read, so that no text can exhaust the stack; Kubernetes' own objects stay far below it.
const DEEPEST: usize = 128;

/// Where and why a text cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{wanted} at byte {at}")]
pub struct JsonError {
    /// What was expected, or what is wrong.
    pub wanted: &'static str,
    /// The offset from the start of the text.
    pub at: usize,
}

/// A place in a JSON text.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

/// What can be read from a JSON text. A null is the default, as in Go.
pub trait Read<'a>: Default {
    /// Reads a value that is not null.
    ///
    /// # Errors
    /// [`JsonError`] for a value of another shape, or what is no JSON.
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, JsonError>;
}

/// Reads a whole text.
///
/// # Errors
/// [`JsonError`] for a value of another shape, what is no JSON, or anything behind the value.
pub fn read<'a, T: Read<'a>>(text: &'a str) -> Result<T, JsonError> {
    let mut cursor = Cursor {
        text,
        at: 0,
        depth: 0,
    };
    let value = cursor.value()?;
    match cursor.peek() {
        None => Ok(value),
        Some(_) => cursor.fail("the end of the text"),
    }
}

/// Implements [`Read`] for a struct with one lifetime: each named member goes into its field, all others are skipped.
macro_rules! members {
    ($name:ident { $($key:literal => $field:ident),+ $(,)? } $(and |$found:ident| $also:expr)?) => {
        impl<'a> $crate::domain::json::Read<'a> for $name<'a> {
            fn read(
                cursor: &mut $crate::domain::json::Cursor<'a>,
            ) -> Result<Self, $crate::domain::json::JsonError> {
                let mut found = Self::default();
                cursor.object(|cursor, key| {
                    match key {
                        $($key => found.$field = cursor.value()?,)+
                        _ => cursor.skip()?,
                    }
                    Ok(())
                })?;
                $(let $found = &mut found; $also;)?
                Ok(found)
            }
        }
    };
}
pub(crate) use members;

// === impl Cursor ===

impl<'a> Cursor<'a> {
    /// Reads the value that comes next; null is the default.
    ///
    /// # Errors
    /// As [`Read::read`].
    pub fn value<T: Read<'a>>(&mut self) -> Result<T, JsonError> {
        if self.peek() == Some(b'n') {
            self.literal("null")?;
            return Ok(T::default());
        }
        T::read(self)
    }

    /// Reads an object, handing each key to `member`, which reads its value. The last of equal keys wins where the
    /// value replaces what was there.
    ///
    /// # Errors
    /// As [`Read::read`].
    pub fn object(
        &mut self,
        mut member: impl FnMut(&mut Self, &str) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        self.items(b'{', b'}', "an object", |cursor| {
            let key = cursor.text()?;
            cursor.byte(b':', "a colon")?;
            member(cursor, &key)
        })
    }

    /// Reads a string.
    ///
    /// # Errors
    /// As [`Read::read`].
    pub fn text(&mut self) -> Result<Cow<'a, str>, JsonError> {
        if self.peek() != Some(b'"') {
            return self.fail("a string");
        }
        let start = self.at;
        let (end, escaped) = skip::text(self.text.as_bytes(), start)?;
        self.at = end;
        let inner = self.text.get(start + 1..end - 1).unwrap_or_default();
        if !escaped {
            return Ok(Cow::Borrowed(inner));
        }
        let quoted = self.text.get(start..end).unwrap_or_default();
        match serde_json::from_str(quoted) {
            Ok(text) => Ok(Cow::Owned(text)),
            Err(_) => self.fail("a string whose escapes can be read"),
        }
    }

    /// Reads `true` or `false`.
    ///
    /// # Errors
    /// As [`Read::read`].
    pub fn boolean(&mut self) -> Result<bool, JsonError> {
        match self.peek() {
            Some(b't') => self.literal("true").map(|()| true),
            Some(b'f') => self.literal("false").map(|()| false),
            _ => self.fail("true or false"),
        }
    }

    /// Passes over the value that comes next.
    ///
    /// # Errors
    /// [`JsonError`] where it is no JSON.
    pub fn skip(&mut self) -> Result<(), JsonError> {
        match skip::value(self.text.as_bytes(), self.at) {
            Ok(at) => {
                self.at = at;
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Reads what stands between two brackets, item by item.
    fn items(
        &mut self,
        open: u8,
        close: u8,
        wanted: &'static str,
        mut item: impl FnMut(&mut Self) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        self.byte(open, wanted)?;
        self.depth += 1;
        if self.depth > DEEPEST {
            return self.fail("less nesting");
        }
        if self.peek() == Some(close) {
            self.at += 1;
        } else {
            loop {
                item(self)?;
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(byte) if byte == close => {
                        self.at += 1;
                        break;
                    }
                    _ => return self.fail("a comma or the closing bracket"),
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        self.at = skip::white_space(bytes, self.at);
        bytes.get(self.at).copied()
    }

    fn byte(&mut self, byte: u8, wanted: &'static str) -> Result<(), JsonError> {
        if self.peek() != Some(byte) {
            return self.fail(wanted);
        }
        self.at += 1;
        Ok(())
    }

    fn literal(&mut self, literal: &'static str) -> Result<(), JsonError> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        if !rest.starts_with(literal.as_bytes()) {
            return self.fail("a value");
        }
        self.at += literal.len();
        Ok(())
    }

    fn fail<T>(&self, wanted: &'static str) -> Result<T, JsonError> {
        let at = self.at;
        Err(JsonError { wanted, at })
    }
}

// === impl Read ===

impl<'a> Read<'a> for Cow<'a, str> {
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, JsonError> {
        cursor.text()
    }
}

impl<'a> Read<'a> for bool {
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, JsonError> {
        cursor.boolean()
    }
}

impl<'a, T: Read<'a>> Read<'a> for Option<T> {
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, JsonError> {
        T::read(cursor).map(Some)
    }
}

impl<'a, T: Read<'a>> Read<'a> for Box<T> {
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, JsonError> {
        T::read(cursor).map(Self::new)
    }
}

impl<'a, T: Read<'a>> Read<'a> for Vec<T> {
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, JsonError> {
        let mut items = Self::new();
        cursor.items(b'[', b']', "an array", |cursor| {
            items.push(cursor.value()?);
            Ok(())
        })?;
        Ok(items)
    }
}

#[cfg(test)]
mod tests;
