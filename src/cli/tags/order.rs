//! In which order tags are looked at, and shown.

use std::{
    cmp::{Ordering, Reverse},
    iter::Peekable,
    str::Bytes,
};

use crate::{
    domain::{git_sha, reference::DEFAULT_TAG},
    registry::tags::Listed,
};

/// Sorts tags by how much they tell a person: those that were pushed last, as far as that is told; else `latest`, then names and
/// versions, the higher ones first, then git SHAs, and what tools keep under tags for lack of a better place at last.
pub(super) fn by_interest(tags: &mut [Listed]) {
    let rank = |tag: &Listed| match tag.name.as_str() {
        DEFAULT_TAG => 0,
        name if is_attachment(name) => 3,
        name if git_sha::is_git_sha(name) => 2,
        _ => 1,
    };
    tags.sort_by(|a, b| {
        let newer = Reverse(a.pushed).cmp(&Reverse(b.pushed));
        newer
            .then_with(|| rank(a).cmp(&rank(b)))
            .then_with(|| natural(&b.name, &a.name))
    });
}

/// Signatures and attestations: `sha256-<hex>` of an image, as the referrers' fallback and cosign have it.
fn is_attachment(name: &str) -> bool {
    name.starts_with("sha256-")
}

/// Compares with numbers as numbers: `v1.9` is before `v1.10`. Of a release and its candidates (`1.2` and `1.2-rc1`), the
/// release is higher.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.bytes().peekable(), b.bytes().peekable());
    loop {
        let order = match (left.peek(), right.peek()) {
            (None, None) => return Ordering::Equal,
            (None, Some(b'-')) => Ordering::Greater,
            (Some(b'-'), None) | (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(x), Some(y)) if x.is_ascii_digit() && y.is_ascii_digit() => {
                number(&mut left).cmp(&number(&mut right))
            }
            (Some(_), Some(_)) => left.next().cmp(&right.next()),
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// The figures that come next, comparable as a number of any length: how many there are, and which.
fn number(bytes: &mut Peekable<Bytes<'_>>) -> (usize, Vec<u8>) {
    let mut figures = Vec::new();
    while let Some(figure) = bytes.next_if(u8::is_ascii_digit) {
        if figure != b'0' || !figures.is_empty() {
            figures.push(figure);
        }
    }
    (figures.len(), figures)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(names: &[&str]) -> Vec<String> {
        let listed = |name: &&str| Listed {
            name: (*name).into(),
            digest: None,
            pushed: None,
        };
        let mut tags: Vec<_> = names.iter().map(listed).collect();
        by_interest(&mut tags);
        tags.into_iter().map(|tag| tag.name.to_string()).collect()
    }

    #[test]
    fn higher_versions_come_before_lower_ones_and_commits_last() {
        let attachment = "sha256-4f0c.sig";
        let expected = [
            "latest",
            "v1.10.0",
            "v1.9.0",
            "v1.9.0-rc2",
            "sha-c6cd88e",
            attachment,
        ];
        let given = [
            attachment,
            "sha-c6cd88e",
            "v1.10.0",
            "v1.9.0-rc2",
            "latest",
            "v1.9.0",
        ];
        assert_eq!(sorted(&given), expected);
    }

    #[test]
    fn numbers_of_any_length_are_numbers() {
        let long = "1".repeat(100);
        assert_eq!(
            sorted(&["20240115", "007", &long, "8"]),
            [long.as_str(), "20240115", "8", "007"]
        );
    }

    #[test]
    fn what_was_pushed_last_comes_first() {
        let pushed = |name: &str, second| Listed {
            name: name.into(),
            digest: None,
            pushed: jiff::Timestamp::from_second(second).ok(),
        };
        let mut tags = [pushed("latest", 1), pushed("sha-c6cd88e", 2)];
        by_interest(&mut tags);
        assert_eq!(tags[0].name, "sha-c6cd88e");
    }
}
