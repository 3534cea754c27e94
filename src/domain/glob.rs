//! Globs of the policy: `*` stays inside a path segment, `**` crosses them, `?` is one character.

use std::fmt;

use serde::Deserialize;
use smol_str::SmolStr;

/// A glob over tags or over `host/repository`.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Glob(SmolStr);

impl Glob {
    /// A glob; every text is one.
    #[must_use]
    pub fn new(pattern: &str) -> Self {
        Self(pattern.into())
    }

    /// Whether the whole of `text` matches.
    ///
    /// Linear in `text` for each `*`: only the last star of a kind is ever tried again.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        matches(self.0.as_bytes(), text.as_bytes())
    }
}

impl fmt::Debug for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

fn matches(mut pattern: &[u8], mut text: &[u8]) -> bool {
    // Where to go on after a mismatch: the pattern behind the star, the text from which it may take one more byte.
    let mut within: Option<(&[u8], &[u8])> = None;
    let mut across: Option<(&[u8], &[u8])> = None;
    loop {
        match (pattern, text) {
            ([b'*', b'*', rest @ ..], _) => {
                (across, within, pattern) = (Some((rest, text)), None, rest);
            }
            ([b'*', rest @ ..], _) => (within, pattern) = (Some((rest, text)), rest),
            ([], []) => return true,
            ([b'?', p @ ..], [t, rest @ ..]) if *t != b'/' => (pattern, text) = (p, rest),
            ([p, p_rest @ ..], [t, rest @ ..]) if p == t => (pattern, text) = (p_rest, rest),
            _ => match (within, across) {
                (Some((p, [taken, rest @ ..])), _) if *taken != b'/' => {
                    (within, pattern, text) = (Some((p, rest)), p, rest);
                }
                (_, Some((p, [_, rest @ ..]))) => {
                    (across, within, pattern, text) = (Some((p, rest)), None, p, rest);
                }
                _ => return false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::literal("release", "release", true)]
    #[case::longer_text("release", "release-1", false)]
    #[case::star("v*", "v1.2.3", true)]
    #[case::star_in_the_middle("v*.0", "v1.2.0", true)]
    #[case::star_stops_at_a_slash("ghcr.io/*", "ghcr.io/a/b", false)]
    #[case::double_star("registry.k8s.io/**", "registry.k8s.io/a/b", true)]
    #[case::double_star_wants_the_slash("registry.k8s.io/**", "registry.k8s.io.evil/a", false)]
    #[case::double_then_single("**/app-*", "ghcr.io/a/app-b", true)]
    #[case::double_then_single_with_a_slash("**/app-*", "ghcr.io/app-a/b", false)]
    #[case::question_mark("v?", "v1", true)]
    #[case::question_mark_is_one("v?", "v12", false)]
    #[case::empty("", "", true)]
    #[case::star_takes_nothing("a*", "a", true)]
    fn globs(#[case] pattern: &str, #[case] text: &str, #[case] expected: bool) {
        assert_eq!(Glob::new(pattern).matches(text), expected);
    }

    #[test]
    fn many_stars_end_quickly() {
        let text = "a".repeat(5_000);
        assert!(!Glob::new(&format!("{}b", "*a".repeat(50))).matches(&text));
    }
}
