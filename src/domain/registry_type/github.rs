//! GitHub's container registry: any user's name, and a token whose prefix tells its kind.

use super::{About::Password, Findings, Login};

pub(super) fn check(login: &Login<'_>, found: &mut Findings) {
    let token = login.password_text();
    let of_old = token.len() == 40 && token.bytes().all(|b| b.is_ascii_hexdigit());
    if token.starts_with("github_pat_") {
        found.hint(
            Password,
            "a fine-grained token has no rights on GitHub's packages: use a classic one with read:packages",
        );
    } else if token.starts_with("ghs_") {
        found.short_lived(
            "a token of GitHub Actions ends with its job: for a pull secret use a classic one with read:packages",
        );
    } else if token.starts_with("ghr_") {
        found.hint(
            Password,
            "a refresh token logs nobody in: use the token that it renews",
        );
    } else if !of_old
        && !["ghp_", "gho_", "ghu_"]
            .iter()
            .any(|p| token.starts_with(p))
    {
        found.hint(
            Password,
            "the password does not look like a token of GitHub (ghp_…), and GHCR takes no account's password",
        );
    }
}
