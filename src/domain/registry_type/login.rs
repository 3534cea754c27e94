//! What holds for the user and the password of any registry.

use jiff::Timestamp;

use super::{
    About::{Password, Username},
    Findings, Login, jwt,
};

pub(super) fn check(login: &Login<'_>, now: Timestamp, found: &mut Findings) {
    username(login.username, found);
    password(login, now, found);
}

fn username(name: &str, found: &mut Findings) {
    if name.is_empty() {
        found.error(
            Username,
            "the user is empty: most registries that take a token alone want any name",
        );
    }
    if let Some((user, _)) = name.split_once(':') {
        // People put user:password into one field, and then the front part may be the secret one.
        let user = if found.kept {
            "another user".to_owned()
        } else {
            format!("{user:?}")
        };
        found.error(
            Username,
            format!(
                "the user has a colon: the kubelet splits user and password at the first one, so that it would log in as \
                 {user} with another password; give a user without a colon"
            ),
        );
    }
    if name.contains(char::is_control) {
        found.hint(
            Username,
            "the user has a control character, such as a line break",
        );
    } else if name.trim() != name {
        found.hint(Username, "the user begins or ends with white space");
    }
}

fn password(login: &Login<'_>, now: Timestamp, found: &mut Findings) {
    let password = login.password;
    if password.is_empty() {
        found.error(Password, "the password is empty");
        return;
    }
    white_space(password, found);
    if is_unexpanded(login.password_text()) {
        found.hint(
            Password,
            "the password looks like a variable that nobody has expanded",
        );
    }
    let expires = jwt::claims(login.password_text()).and_then(|claims| claims.expires);
    if let Some(expired) = expires.filter(|at| *at <= now) {
        found.hint(
            Password,
            format!("the token has expired at {expired}: get a new one"),
        );
    }
}

fn white_space(password: &[u8], found: &mut Findings) {
    let text = password.trim_ascii();
    // Around and within a JSON document it means nothing, and files of keys end with a line break.
    if text.starts_with(b"{") && text.ends_with(b"}") {
        return;
    }
    if password.ends_with(b"\n") {
        found.hint(
            Password,
            "the password ends with a line break, as echo adds one: use printf %s",
        );
    } else if text != password {
        found.hint(Password, "the password begins or ends with white space");
    } else if password.iter().any(u8::is_ascii_control) && !password.starts_with(b"{") {
        found.hint(Password, "the password has a control character in it");
    }
}

/// `$TOKEN`, `${TOKEN}`, `${{ secrets.TOKEN }}`.
fn is_unexpanded(password: &str) -> bool {
    let Some(name) = password.strip_prefix('$') else {
        return false;
    };
    let name = name.trim_matches(['{', '}', ' ']);
    !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
        || password.starts_with("${{")
}
