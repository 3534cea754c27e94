//! The `auth` member of an entry: base64 of `user:password`, as the kubelet's `decodeDockerConfigFieldAuth` reads it
//! with Go's `encoding/base64`.

/// Why an `auth` cannot be read, in Go's words; none of it shows what the value holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// A byte that is out of place, counted from 0.
    #[error("illegal base64 data at input byte {0}")]
    Base64(usize),
    /// It decodes, but to no `user:password`.
    #[error("unable to parse auth field, must be formatted as base64(username:password)")]
    NoColon,
}

/// User and password, split at the first colon. Neither need be UTF-8.
///
/// # Errors
/// [`AuthError`] where the kubelet fails, and with it every pull of the Pod.
pub fn decode(auth: &str) -> Result<(Vec<u8>, Vec<u8>), AuthError> {
    let padded = auth.trim().ends_with('=');
    let decoded = base64(auth.as_bytes(), padded)?;
    let mut halves = decoded.splitn(2, |b| *b == b':');
    match (halves.next(), halves.next()) {
        (Some(user), Some(password)) => Ok((user.to_vec(), password.to_vec())),
        _ => Err(AuthError::NoColon),
    }
}

/// Whether an undecodable `auth` looks like text of a tutorial that nobody replaced, rather than a mistyped value.
#[must_use]
pub fn looks_like_placeholder(auth: &str) -> bool {
    const WORDS: [&str; 9] = [
        "base64",
        "your",
        "changeme",
        "replace",
        "placeholder",
        "example",
        "password",
        "token",
        "abcdef",
    ];
    let auth = auth.trim();
    let lower = auth.to_ascii_lowercase();
    let marked = |c: char| matches!(c, '<' | '>' | '{' | '}' | '$' | '*');
    let is_word = |word: &&str| !word.is_empty() && word.chars().all(char::is_alphabetic);
    !auth.is_empty()
        && (!auth.is_ascii()
            || auth.contains(marked)
            || auth.contains("...")
            || auth.split(' ').filter(is_word).count() > 1
            || WORDS.iter().any(|word| lower.contains(word))
            || lower.chars().all(|c| c == 'x'))
}

/// `StdEncoding` where padding is wanted, else `RawStdEncoding`; CR and LF are skipped, trailing bits ignored.
fn base64(source: &[u8], padded: bool) -> Result<Vec<u8>, AuthError> {
    let mut decoded = Vec::with_capacity(source.len() / 4 * 3 + 3);
    let (mut quantum, mut count) = (0_u32, 0_usize);
    let mut bytes = source
        .iter()
        .enumerate()
        .filter(|(_, b)| !matches!(b, b'\r' | b'\n'));
    while let Some((at, byte)) = bytes.next() {
        if let Some(six) = sextet(*byte) {
            quantum = quantum << 6 | six;
            count += 1;
            if count == 4 {
                push(&mut decoded, quantum, 3);
                (quantum, count) = (0, 0);
            }
            continue;
        }
        if *byte != b'=' || !padded || count < 2 {
            return Err(AuthError::Base64(at));
        }
        if count == 2 {
            match bytes.next() {
                Some((_, b'=')) => {}
                Some((second, _)) => return Err(AuthError::Base64(second - 1)),
                None => return Err(AuthError::Base64(source.len())),
            }
        }
        if let Some((trailing, _)) = bytes.next() {
            return Err(AuthError::Base64(trailing));
        }
        push(&mut decoded, quantum << (6 * (4 - count)), count - 1);
        return Ok(decoded);
    }
    match count {
        0 => Ok(decoded),
        _ if padded || count == 1 => Err(AuthError::Base64(source.len() - count)),
        _ => {
            push(&mut decoded, quantum << (6 * (4 - count)), count - 1);
            Ok(decoded)
        }
    }
}

fn push(decoded: &mut Vec<u8>, quantum: u32, bytes: usize) {
    let [_, quantum @ ..] = quantum.to_be_bytes();
    decoded.extend(quantum.iter().take(bytes));
}

fn sextet(byte: u8) -> Option<u32> {
    let six = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(six))
}
