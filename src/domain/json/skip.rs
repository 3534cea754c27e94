//! Passes over JSON that does not matter, as fast as safe code does: most of a review is passed over.

use super::JsonError;

/// Brackets that are told apart; deeper ones are only counted. The bits of a `u128`.
const TOLD_APART: u32 = 128;

/// The open brackets around a place, the innermost in the lowest bit: 1 for an object.
#[derive(Clone, Copy, Default)]
struct Open {
    objects: u128,
    depth: u32,
}

/// Where the value that stands at `at` ends.
pub(super) fn value(bytes: &[u8], mut at: usize) -> Result<usize, JsonError> {
    let mut open = Open::default();
    loop {
        at = white_space(bytes, at);
        match bytes.get(at) {
            Some(b'"') => (at, _) = text(bytes, at)?,
            Some(b'{' | b'[') if open.depth == TOLD_APART => at = counted(bytes, at)?,
            Some(b'{') => {
                at = white_space(bytes, at + 1);
                if bytes.get(at) == Some(&b'}') {
                    at += 1;
                } else {
                    open.push(true);
                    at = key(bytes, at)?;
                    continue;
                }
            }
            Some(b'[') => {
                at = white_space(bytes, at + 1);
                if bytes.get(at) == Some(&b']') {
                    at += 1;
                } else {
                    open.push(false);
                    continue;
                }
            }
            _ => at = word(bytes, at)?,
        }
        match open.after(bytes, at)? {
            (end, true) => return Ok(end),
            (next, false) => at = next,
        }
    }
}

/// Where the string that begins at `at` ends, and whether it has escapes.
pub(super) fn text(bytes: &[u8], at: usize) -> Result<(usize, bool), JsonError> {
    let mut end = at + 1;
    let mut escaped = false;
    loop {
        end += until_quote_or_backslash(bytes.get(end..).unwrap_or_default());
        match bytes.get(end) {
            Some(b'"') => return Ok((end + 1, escaped)),
            Some(_) => {
                escaped = true;
                end += 2;
            }
            None => return fail("the end of this string", at),
        }
    }
}

/// The next place without white space.
#[inline]
pub(super) fn white_space(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\n' | b'\r') = bytes.get(at) {
        at += 1;
    }
    at
}

/// Where the value of the member that begins at `at` begins.
#[inline]
fn key(bytes: &[u8], at: usize) -> Result<usize, JsonError> {
    if bytes.get(at) != Some(&b'"') {
        return fail("a string", at);
    }
    let (end, _) = text(bytes, at)?;
    let colon = white_space(bytes, end);
    if bytes.get(colon) != Some(&b':') {
        return fail("a colon", colon);
    }
    Ok(colon + 1)
}

/// Where a number, a boolean or a null ends.
fn word(bytes: &[u8], at: usize) -> Result<usize, JsonError> {
    let rest = bytes.get(at..).unwrap_or_default();
    let is_number = |byte: &u8| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9');
    match rest {
        [b'-' | b'0'..=b'9', ..] => Ok(at + rest.iter().take_while(|b| is_number(b)).count()),
        [b't', b'r', b'u', b'e', ..] | [b'n', b'u', b'l', b'l', ..] => Ok(at + 4),
        [b'f', b'a', b'l', b's', b'e', ..] => Ok(at + 5),
        _ => fail("a value", at),
    }
}

/// Where the bracket that begins at `at` is closed again.
fn counted(bytes: &[u8], mut at: usize) -> Result<usize, JsonError> {
    let mut open = 0_usize;
    loop {
        match bytes.get(at) {
            Some(b'"') => {
                (at, _) = text(bytes, at)?;
                continue;
            }
            Some(b'{' | b'[') => open += 1,
            Some(b'}' | b']') => open -= 1,
            Some(_) => {}
            None => return fail("the closing bracket", at),
        }
        at += 1;
        if open == 0 {
            return Ok(at);
        }
    }
}

/// How many bytes stand before the first `"` or `\`, eight at a time: most strings end within a word or two, where a
/// call of memchr costs more than it saves.
#[inline]
fn until_quote_or_backslash(bytes: &[u8]) -> usize {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // The lowest byte that is marked is one that is zero (Hacker's Delight §6-1).
    let zeros = |word: u64| word.wrapping_sub(LOW) & !word & HIGH;
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let found = zeros(word ^ (LOW * 0x22)) | zeros(word ^ (LOW * 0x5c));
        if found != 0 {
            return index * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    let tail = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'));
    words.len() * 8 + tail.unwrap_or(rest.len())
}

fn fail<T>(wanted: &'static str, at: usize) -> Result<T, JsonError> {
    Err(JsonError { wanted, at })
}

// === impl Open ===

impl Open {
    fn push(&mut self, object: bool) {
        self.objects = self.objects << 1 | u128::from(object);
        self.depth += 1;
    }

    /// Goes on behind a value: closes what is closed there. The place of the next value and false, or the end and true.
    #[inline]
    fn after(&mut self, bytes: &[u8], mut at: usize) -> Result<(usize, bool), JsonError> {
        while self.depth > 0 {
            at = white_space(bytes, at);
            let in_object = self.objects & 1 == 1;
            match bytes.get(at) {
                Some(b',') if in_object => {
                    let next = white_space(bytes, at + 1);
                    return Ok((key(bytes, next)?, false));
                }
                Some(b',') => return Ok((at + 1, false)),
                Some(b'}') if in_object => {}
                Some(b']') if !in_object => {}
                _ => return fail("a comma or the closing bracket", at),
            }
            self.objects >>= 1;
            self.depth -= 1;
            at += 1;
        }
        Ok((at, true))
    }
}
