//! Harbor: robots are `robot$name` or `robot$project+name`.

use super::{About::Username, Findings, Login};

pub(super) fn check(login: &Login<'_>, found: &mut Findings) {
    let rest = login.username.strip_prefix("robot");
    if rest.is_some_and(|rest| !rest.contains('$')) {
        found.hint(
            Username,
            "a robot of Harbor is robot$name: a shell may have taken the $ for a variable, so put the user in single \
             quotes",
        );
    }
}
