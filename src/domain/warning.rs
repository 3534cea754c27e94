//! Warnings as `kubectl` shows them: one line, short, the most important first.

use std::fmt::Write as _;

/// Characters of one warning. The API server cuts at 256 once all warnings of a request pass 4096 runes (facts §3.2).
pub const LONGEST: usize = 200;
/// Warnings of one review.
const MOST: usize = 10;

/// How much a warning matters; the declared order is the order in which they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// The Pod cannot run, or would be denied.
    Fatal,
    /// An image is not pinned.
    Unpinned,
    /// A credential is missing or unfit.
    Credential,
    /// What would change.
    Change,
    /// Good to know.
    Note,
}

/// The warnings of one review.
#[derive(Clone, Debug, Default)]
pub struct Warnings(Vec<(Weight, String)>);

impl Warnings {
    /// Adds a line.
    pub fn push(&mut self, weight: Weight, line: impl Into<String>) {
        self.0.push((weight, line.into()));
    }

    /// Adds those of another.
    pub fn append(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there is one of this weight.
    #[must_use]
    pub fn has(&self, weight: Weight) -> bool {
        self.0.iter().any(|(of, _)| *of == weight)
    }

    /// The lines as they are sent: sorted, without repetition, each printable and short, at most ten.
    #[must_use]
    pub fn lines(mut self) -> Vec<String> {
        self.0.sort_by_key(|(weight, _)| *weight);
        let mut lines: Vec<String> = Vec::with_capacity(self.0.len().min(MOST));
        let mut left_out = 0_usize;
        for (_, line) in self.0 {
            let line = clean(&line);
            if lines.contains(&line) {
                continue;
            }
            if lines.len() < MOST {
                lines.push(line);
            } else {
                left_out += 1;
            }
        }
        if left_out > 0
            && let Some(last) = lines.last_mut()
        {
            *last = format!("and {} more; the log of cotter has them", left_out + 1);
        }
        lines
    }
}

/// A text fit for one warning: control characters escaped, cut to the limit.
#[must_use]
pub fn clean(line: &str) -> String {
    let mut text = String::with_capacity(line.len().min(LONGEST));
    for c in line.chars() {
        if is_unprintable(c) {
            let _ = write!(text, "{}", c.escape_unicode());
        } else {
            text.push(c);
        }
    }
    shorten(text, LONGEST)
}

/// `text`, or its first characters and an ellipsis, `longest` characters in all.
#[must_use]
pub fn shorten(text: String, longest: usize) -> String {
    if text.len() <= longest || text.chars().count() <= longest {
        return text;
    }
    let kept = text.chars().take(longest.saturating_sub(1));
    kept.chain(['…']).collect()
}

/// A reference as people are shown it: digests shortened to 12 hex figures.
#[must_use]
pub fn short_reference(text: &str) -> String {
    match text.split_once('@') {
        Some((name, digest)) => {
            let (algorithm, hex) = digest.split_once(':').unwrap_or(("", digest));
            format!("{name}@{algorithm}:{}", hex.get(..12).unwrap_or(hex))
        }
        None => text.to_owned(),
    }
}

/// Control characters, which make the API server drop a warning, and those that reorder what a terminal shows.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorted_unique_and_bounded() {
        let mut warnings = Warnings::default();
        warnings.push(Weight::Note, "note");
        for n in 0..20 {
            warnings.push(Weight::Unpinned, format!("slot {n}"));
        }
        warnings.push(Weight::Fatal, "fatal");
        warnings.push(Weight::Fatal, "fatal");
        let lines = warnings.lines();
        assert_eq!(lines.len(), MOST);
        assert_eq!(lines[0], "fatal");
        assert_eq!(lines[1], "slot 0");
        assert_eq!(lines[9], "and 13 more; the log of cotter has them");
    }

    #[test]
    fn one_printable_line_of_at_most_200_characters() {
        let line = clean(&format!("a\nb\t\u{202e}{}", "é".repeat(300)));
        assert!(line.starts_with(r"a\u{a}b\u{9}\u{202e}"), "{line}");
        assert_eq!(line.chars().count(), LONGEST);
        assert!(line.ends_with('…'));
    }

    #[test]
    fn digests_are_shortened() {
        let text = format!("a/b:dev@sha256:{}", "4f0c".repeat(16));
        assert_eq!(short_reference(&text), "a/b:dev@sha256:4f0c4f0c4f0c");
        assert_eq!(short_reference("a/b:dev"), "a/b:dev");
    }
}
