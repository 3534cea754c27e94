//! Quay: robots are `organisation+robot`.

use super::{
    About::{Password, Username},
    Findings, Login,
};

/// As many letters and figures as a robot's token has.
const TOKEN: usize = 64;

pub(super) fn check(login: &Login<'_>, found: &mut Findings) {
    let Some((_, robot)) = login.username.split_once('+') else {
        return;
    };
    let mut letters = robot.bytes();
    let is_name = letters.next().is_some_and(|b| b.is_ascii_lowercase())
        && letters.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && (2..=255).contains(&robot.len());
    if !is_name {
        found.hint(
            Username,
            "a robot of Quay is organisation+robot, its name in lower-case letters, figures and underscores",
        );
    }
    let token = login.password;
    let of_token = |b: &u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    if token.len() != TOKEN || !token.iter().all(of_token) {
        found.hint(
            Password,
            "the password does not look like a robot's token of Quay (64 upper-case letters and figures)",
        );
    }
}
