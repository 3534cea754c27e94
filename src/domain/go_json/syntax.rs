//! The syntax check of `encoding/json` (`scanner.go`), with its messages.

use super::is_space;

/// Go's `maxNestingDepth`.
const MAX_DEPTH: usize = 10_000;

/// A document that is no JSON to Go.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SyntaxError {
    /// It stops too early.
    #[error("unexpected end of JSON input")]
    End,
    /// A byte in the wrong place.
    #[error("invalid character {} {place}", quoted(*byte))]
    Byte {
        /// The byte.
        byte: u8,
        /// The place, in Go's words.
        place: &'static str,
    },
}

enum Open {
    Object,
    Array,
}

struct Scanner<'a>(&'a [u8]);

/// Checks a whole document, of any depth up to Go's limit, without recursion.
pub(super) fn check(document: &[u8]) -> Result<(), SyntaxError> {
    let mut scanner = Scanner(document);
    let mut open = Vec::new();
    loop {
        let opened = scanner.begin_value(&mut open)?;
        if !opened && scanner.end_value(&mut open)? {
            return Ok(());
        }
    }
}

impl Scanner<'_> {
    /// Reads a literal, or the start of a container; true if a value has to follow inside the latter.
    fn begin_value(&mut self, open: &mut Vec<Open>) -> Result<bool, SyntaxError> {
        match self.after_space()? {
            b'{' => {
                push(open, Open::Object, b'{')?;
                if self.closes(b'}') {
                    open.pop();
                    return Ok(false);
                }
                self.key()?;
                Ok(true)
            }
            b'[' => {
                push(open, Open::Array, b'[')?;
                if self.closes(b']') {
                    open.pop();
                    return Ok(false);
                }
                Ok(true)
            }
            b'"' => self.string().map(|()| false),
            b't' => self.literal(TRUE).map(|()| false),
            b'f' => self.literal(FALSE).map(|()| false),
            b'n' => self.literal(NULL).map(|()| false),
            first @ (b'-' | b'0'..=b'9') => self.number(first).map(|()| false),
            byte => Err(wrong(byte, "looking for beginning of value")),
        }
    }

    /// Reads what may follow a value; true at the end of the document, false where another value has to follow.
    fn end_value(&mut self, open: &mut Vec<Open>) -> Result<bool, SyntaxError> {
        loop {
            match open.last() {
                None => {
                    return match self.after_space() {
                        Ok(byte) => Err(wrong(byte, "after top-level value")),
                        Err(_) => Ok(true),
                    };
                }
                Some(Open::Object) => match self.after_space()? {
                    b',' => return self.key().map(|()| false),
                    b'}' => drop(open.pop()),
                    byte => return Err(wrong(byte, "after object key:value pair")),
                },
                Some(Open::Array) => match self.after_space()? {
                    b',' => return Ok(false),
                    b']' => drop(open.pop()),
                    byte => return Err(wrong(byte, "after array element")),
                },
            }
        }
    }

    fn key(&mut self) -> Result<(), SyntaxError> {
        match self.after_space()? {
            b'"' => self.string()?,
            byte => return Err(wrong(byte, "looking for beginning of object key string")),
        }
        match self.after_space()? {
            b':' => Ok(()),
            byte => Err(wrong(byte, "after object key")),
        }
    }

    fn string(&mut self) -> Result<(), SyntaxError> {
        loop {
            match self.next().ok_or(SyntaxError::End)? {
                b'"' => return Ok(()),
                b'\\' => self.escape()?,
                byte if byte < b' ' => return Err(wrong(byte, "in string literal")),
                _ => {}
            }
        }
    }

    fn escape(&mut self) -> Result<(), SyntaxError> {
        match self.next_or_space() {
            b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"' => Ok(()),
            b'u' => (0..4).try_for_each(|_| match self.next_or_space() {
                byte if byte.is_ascii_hexdigit() => Ok(()),
                byte => Err(wrong(byte, "in \\u hexadecimal character escape")),
            }),
            byte => Err(wrong(byte, "in string escape code")),
        }
    }

    fn literal(&mut self, rest: &[(u8, &'static str)]) -> Result<(), SyntaxError> {
        rest.iter()
            .try_for_each(|(expected, place)| match self.next_or_space() {
                byte if byte == *expected => Ok(()),
                byte => Err(wrong(byte, place)),
            })
    }

    fn number(&mut self, first: u8) -> Result<(), SyntaxError> {
        let lead = match first {
            b'-' => match self.next_or_space() {
                byte if byte.is_ascii_digit() => byte,
                byte => return Err(wrong(byte, "in numeric literal")),
            },
            digit => digit,
        };
        if lead != b'0' {
            self.digits();
        }
        if self.takes(b".") {
            self.digit("after decimal point in numeric literal")?;
            self.digits();
        }
        if self.takes(b"eE") {
            self.takes(b"+-");
            self.digit("in exponent of numeric literal")?;
            self.digits();
        }
        Ok(())
    }

    fn digit(&mut self, place: &'static str) -> Result<(), SyntaxError> {
        match self.next_or_space() {
            byte if byte.is_ascii_digit() => Ok(()),
            byte => Err(wrong(byte, place)),
        }
    }

    fn digits(&mut self) {
        while self.takes(b"0123456789") {}
    }

    fn takes(&mut self, wanted: &[u8]) -> bool {
        let found = self.0.first().is_some_and(|b| wanted.contains(b));
        if found {
            self.next();
        }
        found
    }

    fn closes(&mut self, end: u8) -> bool {
        while self.0.first().is_some_and(|b| is_space(*b)) {
            self.next();
        }
        self.takes(&[end])
    }

    fn after_space(&mut self) -> Result<u8, SyntaxError> {
        loop {
            match self.next() {
                None => return Err(SyntaxError::End),
                Some(byte) if is_space(byte) => {}
                Some(byte) => return Ok(byte),
            }
        }
    }

    /// Go's scanner is told of the end by a space, and complains of that space where it is out of place.
    fn next_or_space(&mut self) -> u8 {
        self.next().unwrap_or(b' ')
    }

    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }
}

const TRUE: &[(u8, &str)] = &[
    (b'r', "in literal true (expecting 'r')"),
    (b'u', "in literal true (expecting 'u')"),
    (b'e', "in literal true (expecting 'e')"),
];
const FALSE: &[(u8, &str)] = &[
    (b'a', "in literal false (expecting 'a')"),
    (b'l', "in literal false (expecting 'l')"),
    (b's', "in literal false (expecting 's')"),
    (b'e', "in literal false (expecting 'e')"),
];
const NULL: &[(u8, &str)] = &[
    (b'u', "in literal null (expecting 'u')"),
    (b'l', "in literal null (expecting 'l')"),
    (b'l', "in literal null (expecting 'l')"),
];

fn push(open: &mut Vec<Open>, kind: Open, byte: u8) -> Result<(), SyntaxError> {
    open.push(kind);
    if open.len() > MAX_DEPTH {
        return Err(wrong(byte, "exceeded max depth"));
    }
    Ok(())
}

fn wrong(byte: u8, place: &'static str) -> SyntaxError {
    SyntaxError::Byte { byte, place }
}

/// Go's `quoteChar`: the byte as a Latin-1 character in single quotes, escaped by `strconv.Quote`.
fn quoted(byte: u8) -> String {
    match byte {
        b'\'' => r"'\''".to_owned(),
        b'\\' => r"'\\'".to_owned(),
        0x07 => r"'\a'".to_owned(),
        0x08 => r"'\b'".to_owned(),
        0x0b => r"'\v'".to_owned(),
        0x0c => r"'\f'".to_owned(),
        b'\n' => r"'\n'".to_owned(),
        b'\r' => r"'\r'".to_owned(),
        b'\t' => r"'\t'".to_owned(),
        0x00..=0x1f | 0x7f => format!("'\\x{byte:02x}'"),
        // U+00AD, the soft hyphen, is not printable to Go.
        0x80..=0xa0 | 0xad => format!("'\\u{byte:04x}'"),
        _ => format!("'{}'", char::from(byte)),
    }
}
