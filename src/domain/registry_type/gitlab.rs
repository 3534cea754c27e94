//! GitLab's registry: the kinds of tokens have prefixes and users of their own.

use super::{About::Password, Findings, Login};

pub(super) fn check(login: &Login<'_>, found: &mut Findings) {
    let (user, token) = (login.username, login.password_text());
    if user == "gitlab-ci-token" || token.starts_with("glcbt-") {
        found.short_lived(
            "a token of a CI job ends with it: for a pull secret use a deploy token with read_registry",
        );
    } else if user.starts_with("gitlab+deploy-token-") && token.starts_with("glpat-") {
        found.hint(
            Password,
            "the user is a deploy token's, the password a personal access token",
        );
    } else if token.starts_with("gldt-") && !user.starts_with("gitlab+deploy-token-") {
        found.hint(
            Password,
            "the password is a deploy token, whose user is gitlab+deploy-token-… unless another was chosen",
        );
    } else if !token.starts_with("gl") {
        found.hint(
            Password,
            "the password does not look like a token of GitLab (glpat-…, gldt-…); an account's works without two factors \
             only",
        );
    }
}
