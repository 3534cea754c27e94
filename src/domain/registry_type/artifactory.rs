//! Artifactory: two kinds of tokens have a length of their own.

use super::{About::Password, Findings, Login};

/// Prefix, length and name of the kinds.
const KINDS: [(&str, usize, &str); 2] = [
    ("AKCp", 73, "an API key"),
    ("cmVmd", 64, "a reference token"),
];

pub(super) fn check(login: &Login<'_>, found: &mut Findings) {
    let token = login.password_text();
    for (prefix, length, name) in KINDS {
        if token.starts_with(prefix) && token.len() != length {
            found.hint(
                Password,
                format!("the password looks like {name} of Artifactory, but those have {length} characters"),
            );
        }
    }
}
