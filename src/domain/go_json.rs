//! JSON as Go's `encoding/json` (1.26) reads it, where that differs from `serde_json`: what is a syntax error and how
//! it reads, lone surrogates, invalid UTF-8, and member names in any case. No tree is built: a checked document is
//! walked by its bytes, without recursion.

mod syntax;
#[cfg(test)]
mod tests;

pub use syntax::SyntaxError;
use syntax::check;

/// One value of a checked document: its bytes, without the space around it.
#[derive(Clone, Copy)]
pub struct Value<'a>(&'a [u8]);

/// What a value is, in the words of Go's errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number
    Number,
    /// A string
    String,
    /// An array
    Array,
    /// An object
    Object,
}

/// The members of an object, in the order in which they are written.
pub struct Members<'a>(&'a [u8]);

impl Kind {
    /// As Go's errors call it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "bool",
            Self::Number => "number",
            Self::String => "string",
            Self::Array => "array",
            Self::Object => "object",
        }
    }
}

impl<'a> Value<'a> {
    /// Checks a whole document.
    ///
    /// # Errors
    /// [`SyntaxError`] where Go's `checkValid` finds one.
    pub fn parse(document: &'a [u8]) -> Result<Self, SyntaxError> {
        check(document)?;
        Ok(Self(trim(document)))
    }

    /// What the value is.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self.0.first() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b't' | b'f') => Kind::Bool,
            Some(b'n') | None => Kind::Null,
            Some(_) => Kind::Number,
        }
    }

    /// Its members; none if it is no object.
    #[must_use]
    pub fn members(self) -> Members<'a> {
        Members(self.0.strip_prefix(b"{").unwrap_or_default())
    }

    /// The text of a string; empty if it is none. What is no Unicode becomes U+FFFD.
    #[must_use]
    pub fn text(self) -> String {
        let inner = self.0.strip_prefix(b"\"").unwrap_or_default();
        unquote(inner.strip_suffix(b"\"").unwrap_or(inner))
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = (String, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.0.iter().position(|b| *b == b'"')?;
        let (name, rest) = split_value(self.0.get(start..)?)?;
        let colon = rest.iter().position(|b| *b == b':')?;
        let (value, rest) = split_value(trim(rest.get(colon + 1..)?))?;
        self.0 = rest;
        Some((Value(name).text(), Value(value)))
    }
}

/// Whether Go takes the member `name` for the struct field `field`, which is in ASCII. Two letters outside ASCII fold
/// into it: U+017F is an s, U+212A a k.
#[must_use]
pub fn names_field(name: &str, field: &str) -> bool {
    let fold = |c: char| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        _ => c.to_ascii_lowercase(),
    };
    name.chars().map(fold).eq(field.chars().map(fold))
}

fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\r' | b'\n')
}

fn trim(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|b| !is_space(*b)).unwrap_or(0);
    let end = bytes
        .iter()
        .rposition(|b| !is_space(*b))
        .map_or(0, |at| at + 1);
    bytes.get(start..end).unwrap_or_default()
}

/// The value at the start of valid JSON, and what follows it.
fn split_value(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (at, b) in bytes.iter().enumerate() {
        match b {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth > 0 => depth -= 1,
            _ if depth > 0 => {}
            b',' | b'}' | b']' | b':' => return bytes.split_at_checked(at),
            _ if is_space(*b) => return bytes.split_at_checked(at),
            _ => {}
        }
        if depth == 0 && !in_string && matches!(b, b'"' | b'}' | b']') {
            return bytes.split_at_checked(at + 1);
        }
    }
    Some((bytes, &[]))
}

/// Go's `unquoteBytes` on what stands between the quotes of a valid string.
fn unquote(mut raw: &[u8]) -> String {
    let mut text = String::with_capacity(raw.len());
    loop {
        let plain_len = raw.iter().position(|b| *b == b'\\').unwrap_or(raw.len());
        let (plain, escape) = raw.split_at_checked(plain_len).unwrap_or((raw, &[]));
        push_utf8(&mut text, plain);
        raw = match escape {
            [_, b'u', rest @ ..] => push_unicode(&mut text, rest),
            [_, escaped, rest @ ..] => {
                text.push(match escaped {
                    b'b' => '\u{8}',
                    b'f' => '\u{c}',
                    b'n' => '\n',
                    b'r' => '\r',
                    b't' => '\t',
                    other => char::from(*other),
                });
                rest
            }
            _ => return text,
        };
    }
}

/// One U+FFFD for each byte that is no UTF-8, as Go does; the standard library writes one for each sequence.
fn push_utf8(text: &mut String, bytes: &[u8]) {
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
}

/// Reads what follows `\u`, and the second half of a surrogate pair if it follows; the rest is given back.
fn push_unicode<'a>(text: &mut String, digits: &'a [u8]) -> &'a [u8] {
    let (first, rest) = hex4(digits);
    if let Some(c) = char::from_u32(first) {
        text.push(c);
        return rest;
    }
    if let [b'\\', b'u', second @ ..] = rest {
        let (second, behind) = hex4(second);
        if (0xd800..0xdc00).contains(&first) && (0xdc00..0xe000).contains(&second) {
            let joined = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            text.push(char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER));
            return behind;
        }
    }
    text.push(char::REPLACEMENT_CHARACTER);
    rest
}

fn hex4(bytes: &[u8]) -> (u32, &[u8]) {
    let (digits, rest) = bytes.split_at_checked(4).unwrap_or((bytes, &[]));
    let digit = |b: &u8| char::from(*b).to_digit(16).unwrap_or(0);
    (digits.iter().map(digit).fold(0, |n, d| n * 16 + d), rest)
}
