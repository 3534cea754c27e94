//! What somebody may have meant who wrote something that does not exist.

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

/// The one of `known` that `written` seems to be a misspelling of: the same letters in another case or joined otherwise,
/// or all but few of them.
#[must_use]
pub fn misspelt<'k>(written: &str, known: &[&'k str]) -> Option<&'k str> {
    let letters = |text: &str| text.replace(['-', '_', '.'], "").to_ascii_lowercase();
    let wanted = letters(written);
    let unlikeness = |name: &&str| strsim::damerau_levenshtein(&wanted, &letters(name));
    let (wrong, name) = known
        .iter()
        .map(|name| (unlikeness(name), *name))
        .min_by_key(|(wrong, _)| *wrong)?;
    // A quarter of the letters lets AWS_ACCESS_KEY_ID be accessKeyId; half of a short name would be another name.
    let allowed = (wanted.len() / 4).max(2);
    (wrong <= allowed && wrong * 2 < name.len()).then_some(name)
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

    #[rstest]
    #[case::another_case("Token", Some("token"))]
    #[case::a_letter_left_out("tken", Some("token"))]
    #[case::as_the_environment_has_it("AWS_ACCESS_KEY_ID", Some("accessKeyId"))]
    #[case::another_name("key", None)]
    #[case::half_of_a_short_one("ul", Some("url"))]
    #[case::one_letter_of_a_short_one("u", None)]
    fn a_misspelling_is_of(#[case] written: &str, #[case] expected: Option<&str>) {
        assert_eq!(
            misspelt(written, &["token", "accessKeyId", "url"]),
            expected
        );
    }
}
