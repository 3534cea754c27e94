//! Which tags somebody may have meant who wrote one that does not exist.

use super::git_sha;

/// How many are told.
const MOST: usize = 3;

/// Up to three of `tags`: those that look like a git SHA first, then those that are spelled most alike.
#[must_use]
pub fn nearest<'t>(wanted: &str, tags: impl IntoIterator<Item = &'t str>) -> Vec<&'t str> {
    let mut tags: Vec<_> = tags.into_iter().collect();
    let unlikeness = |tag: &str| {
        let wrong_letters = strsim::damerau_levenshtein(wanted, tag);
        (wrong_letters, wanted.len().abs_diff(tag.len()))
    };
    tags.sort_by_cached_key(|tag| {
        let is_plain = !git_sha::is_git_sha(tag);
        (is_plain, unlikeness(tag), (*tag).to_owned())
    });
    tags.truncate(MOST);
    tags
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::spelled_alike("dev3", &["latest", "dev", "v1", "dev2"], &["dev2", "dev", "v1"])]
    #[case::git_sha_first("dev", &["dev1", "dev2", "c6cd88e", "dev3"], &["c6cd88e", "dev1", "dev2"])]
    #[case::a_sha_cut_short("c6cd88", &["aaaaaa1", "c6cd88e", "b6cd88e", "a1b2c3d"], &["c6cd88e", "b6cd88e", "a1b2c3d"])]
    #[case::none("dev", &[], &[])]
    fn are(#[case] wanted: &str, #[case] tags: &[&str], #[case] expected: &[&str]) {
        assert_eq!(nearest(wanted, tags.iter().copied()), expected);
    }
}
