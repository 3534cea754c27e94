//! Go's `filepath.Match` on Linux, for one label of a host. A malformed pattern matches nothing.

/// Whether the whole of `label` matches `pattern`: `*`, `?`, `[…]` and `\`.
pub(super) fn matches(mut pattern: &[u8], mut label: &[u8]) -> bool {
    while !pattern.is_empty() {
        let (star, chunk, rest) = next_chunk(pattern);
        pattern = rest;
        if star && chunk.is_empty() {
            return !label.contains(&b'/');
        }
        let last = pattern.is_empty();
        let fits = |text| match_chunk(chunk, text).filter(|left| !last || left.is_empty());
        // Only a star may skip bytes, and no star skips a slash.
        let skippable = if star {
            label.iter().take_while(|b| **b != b'/').count()
        } else {
            0
        };
        match (0..=skippable).find_map(|skip| label.get(skip..).and_then(fits)) {
            Some(left) => label = left,
            None => return false,
        }
    }
    label.is_empty()
}

/// Cuts off the stars at the start and what follows them up to the next star.
fn next_chunk(pattern: &[u8]) -> (bool, &[u8], &[u8]) {
    let stars = pattern.iter().take_while(|b| **b == b'*').count();
    let pattern = pattern.get(stars..).unwrap_or_default();
    let (mut in_range, mut escaped) = (false, false);
    let end = pattern.iter().position(|b| {
        match b {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'[' => in_range = true,
            b']' => in_range = false,
            b'*' => return !in_range,
            _ => {}
        }
        false
    });
    let (chunk, rest) = pattern
        .split_at_checked(end.unwrap_or(pattern.len()))
        .unwrap_or((pattern, &[]));
    (stars > 0, chunk, rest)
}

/// Matches a chunk without stars at the start of `text`, and gives back what is left of it.
fn match_chunk<'a>(mut chunk: &[u8], mut text: &'a [u8]) -> Option<&'a [u8]> {
    while let Some((first, behind)) = chunk.split_first() {
        match first {
            b'[' => {
                let (c, left) = rune(text)?;
                chunk = match_class(behind, c)?;
                text = left;
            }
            b'?' => {
                let (c, left) = rune(text)?;
                if c == '/' {
                    return None;
                }
                (chunk, text) = (behind, left);
            }
            _ => {
                let literal = if *first == b'\\' { behind } else { chunk };
                let (wanted, behind) = literal.split_first()?;
                text = text.strip_prefix(&[*wanted])?;
                chunk = behind;
            }
        }
    }
    Some(text)
}

/// The chunk behind a character class that `c` is in.
fn match_class(class: &[u8], c: char) -> Option<&[u8]> {
    let (negated, mut class) = match class {
        [b'^', rest @ ..] => (true, rest),
        _ => (false, class),
    };
    let (mut found, mut ranges) = (false, 0_usize);
    loop {
        if let [b']', rest @ ..] = class
            && ranges > 0
        {
            return (found != negated).then_some(rest);
        }
        let (low, behind) = class_member(class)?;
        let (high, behind) = match behind {
            [b'-', rest @ ..] => class_member(rest)?,
            _ => (low, behind),
        };
        found |= (low..=high).contains(&c);
        ranges += 1;
        class = behind;
    }
}

/// `getEsc`: one character of a class, which something has to follow.
fn class_member(class: &[u8]) -> Option<(char, &[u8])> {
    let class = match class {
        [b'-' | b']', ..] => return None,
        [b'\\', rest @ ..] => rest,
        _ => class,
    };
    let (c, rest) = rune(class)?;
    let broken = c == char::REPLACEMENT_CHARACTER && class.len() == rest.len() + 1;
    (!broken && !rest.is_empty()).then_some((c, rest))
}

/// The first character; U+FFFD and one byte where it is no UTF-8.
fn rune(text: &[u8]) -> Option<(char, &[u8])> {
    let head = text.get(..text.len().min(4))?;
    let valid = match std::str::from_utf8(head) {
        Ok(valid) => valid,
        Err(error) => std::str::from_utf8(head.get(..error.valid_up_to())?).ok()?,
    };
    match valid.chars().next() {
        Some(c) => Some((c, text.get(c.len_utf8()..)?)),
        None => Some((char::REPLACEMENT_CHARACTER, text.get(1..)?)),
    }
}
