//! Which tags look like a git SHA, and which tags CI would give to a commit.

/// Whether `tag` is the SHA of a commit: 40 or 64 hex figures, `sha-`, `git-` or `g` and 7 to 40 of them, or
/// 7 to 39 bare ones with at least one letter and one figure, so that neither a date nor a word counts.
#[must_use]
pub fn is_git_sha(tag: &str) -> bool {
    if is_hex(tag) && matches!(tag.len(), 40 | 64) {
        return true;
    }
    let prefixed = ["sha-", "git-", "g"]
        .iter()
        .filter_map(|prefix| tag.strip_prefix(prefix))
        .any(|rest| is_hex(rest) && (7..=40).contains(&rest.len()));
    prefixed || is_bare_short_sha(tag)
}

/// Whether `revision` is a whole commit id, as `org.opencontainers.image.revision` holds it.
#[must_use]
pub fn is_revision(revision: &str) -> bool {
    is_hex(revision) && matches!(revision.len(), 40 | 64)
}

/// The tags that CI tools give to the commit `revision`, likeliest first; none if it is no whole commit id.
pub fn candidate_tags(revision: &str) -> impl Iterator<Item = String> + use<> {
    let short = revision.get(..7).unwrap_or_default();
    let tags = [
        revision.to_owned(),
        format!("sha-{short}"),
        format!("sha-{revision}"),
    ];
    let known = is_revision(revision);
    tags.into_iter().filter(move |_| known)
}

fn is_bare_short_sha(tag: &str) -> bool {
    is_hex(tag)
        && (7..=39).contains(&tag.len())
        && tag.bytes().any(|b| b.is_ascii_digit())
        && tag.bytes().any(|b| b.is_ascii_alphabetic())
}

fn is_hex(text: &str) -> bool {
    text.bytes()
        .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const SHA: &str = "c6cd88ef7de43520f6e95fcb87e6f2452b45edd4";

    #[rstest]
    #[case::whole(SHA, true)]
    #[case::sha256_repository(
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        true
    )]
    #[case::whole_of_figures_only("1111111111111111111111111111111111111111", true)]
    #[case::sha_and_seven("sha-c6cd88e", true)]
    #[case::git_and_seven("git-c6cd88e", true)]
    #[case::g_and_seven("gc6cd88e", true)]
    #[case::bare_seven("c6cd88e", true)]
    #[case::bare_thirty_nine("c6cd88ef7de43520f6e95fcb87e6f2452b45edd", true)]
    #[case::prefix_and_figures_only("sha-1234567", true)]
    #[case::a_date("20240115", false)]
    #[case::a_word("deadbeef", false)]
    #[case::six("c6cd88", false)]
    #[case::sha_and_six("sha-c6cd88", false)]
    #[case::upper_case("C6CD88E", false)]
    #[case::sha_and_41("sha-c6cd88ef7de43520f6e95fcb87e6f2452b45edd4a", false)]
    #[case::bare_41("c6cd88ef7de43520f6e95fcb87e6f2452b45edd4a", false)]
    #[case::version("v1.2.3", false)]
    #[case::latest("latest", false)]
    #[case::empty("", false)]
    fn recognises(#[case] tag: &str, #[case] expected: bool) {
        assert_eq!(is_git_sha(tag), expected);
    }

    #[test]
    fn candidates_of_a_revision() {
        let tags: Vec<_> = candidate_tags(SHA).collect();
        assert_eq!(
            tags,
            [SHA.to_owned(), "sha-c6cd88e".into(), format!("sha-{SHA}")]
        );
        assert_eq!(candidate_tags("dev").count(), 0);
    }
}
