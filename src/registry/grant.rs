//! What a token says that it grants. Only the tokens of the distribution specification say so (`auth/jwt`); others are opaque,
//! and nothing is checked here: the registry that takes a token is the one to believe it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::HeaderValue;
use serde::Deserialize;
use zeroize::Zeroizing;

#[derive(Deserialize)]
struct Claims {
    access: Option<Vec<Access>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Access {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    actions: Vec<String>,
}

/// Whether the token in `header` grants a pull of `repository`; `None` where it does not say.
pub(super) fn pulls(header: &HeaderValue, repository: &str) -> Option<bool> {
    let token = header.to_str().ok()?.strip_prefix("Bearer ")?;
    let mut parts = token.split('.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    let claims = Zeroizing::new(URL_SAFE_NO_PAD.decode(claims).ok()?);
    let access = serde_json::from_slice::<Claims>(&claims).ok()?.access?;
    let is_pull = |action: &String| matches!(action.as_str(), "pull" | "*");
    let grants = |access: &Access| {
        access.kind == "repository"
            && access.name == repository
            && access.actions.iter().any(is_pull)
    };
    Some(access.iter().any(grants))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const OURS: &str = r#"{"access":[{"type":"repository","name":"team/app","actions":["pull"]}]}"#;

    #[rstest]
    #[case::ours(OURS, Some(true))]
    #[case::all_actions(&OURS.replace("pull", "*"), Some(true))]
    #[case::another_repository(&OURS.replace("app", "app2"), Some(false))]
    #[case::another_type(&OURS.replace("repository", "registry"), Some(false))]
    #[case::push_only(&OURS.replace("pull", "push"), Some(false))]
    #[case::nothing(r#"{"access":[]}"#, Some(false))]
    #[case::does_not_say(r#"{"sub":"alice"}"#, None)]
    #[case::null(r#"{"access":null}"#, None)]
    #[case::no_json("nonsense", None)]
    fn of_a_token(#[case] claims: &str, #[case] expected: Option<bool>) {
        let token = format!("Bearer e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims));
        let header = HeaderValue::from_str(&token).unwrap();
        assert_eq!(pulls(&header, "team/app"), expected);
    }

    #[test]
    fn an_opaque_token_does_not_say() {
        let header = HeaderValue::from_static("Bearer djE6Z2hjcg==");
        assert_eq!(pulls(&header, "team/app"), None);
    }
}
