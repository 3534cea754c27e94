//! The names that Kubernetes allows.

use crate::api::labels::LONGEST_LABEL;

/// The longest name of an object, of a namespace.
const LONGEST: (usize, usize) = (253, 63);

/// A Registry's name: a Secret's, which fits into the label of its pull secrets.
///
/// # Errors
/// The rule.
pub fn registry(text: &str) -> Result<String, String> {
    if text.len() > LONGEST_LABEL {
        return Err(format!(
            "the name of a Registry has at most {LONGEST_LABEL} letters, as it is a label on its pull secrets"
        ));
    }
    secret(text)
}

/// A Secret's name: a DNS subdomain (RFC 1123).
///
/// # Errors
/// The rule.
pub fn secret(text: &str) -> Result<String, String> {
    let rule = "a name has lower-case letters, figures, - and . only, and begins and ends with a letter or figure";
    let fits = text.split('.').all(is_label) && text.len() <= LONGEST.0;
    fits.then(|| text.to_owned()).ok_or_else(|| rule.to_owned())
}

/// A namespace's name: a DNS label (RFC 1123).
///
/// # Errors
/// The rule.
pub fn namespace(text: &str) -> Result<String, String> {
    let rule = "a namespace has lower-case letters, figures and - only, at most 63, and begins and ends with a letter or \
                figure";
    let fits = is_label(text) && text.len() <= LONGEST.1;
    fits.then(|| text.to_owned()).ok_or_else(|| rule.to_owned())
}

fn is_label(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !text.is_empty() && text.bytes().all(allowed) && !text.starts_with('-') && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::usual("regcred", true, true)]
    #[case::dots("a.b-c.1", true, false)]
    #[case::nothing("", false, false)]
    #[case::upper_case("Regcred", false, false)]
    #[case::a_dash_first("-a", false, false)]
    #[case::two_dots("a..b", false, false)]
    #[case::long(
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        true,
        false
    )]
    fn a_name_is_allowed(#[case] text: &str, #[case] of_secret: bool, #[case] of_namespace: bool) {
        assert_eq!(
            (secret(text).is_ok(), namespace(text).is_ok()),
            (of_secret, of_namespace)
        );
    }
}
