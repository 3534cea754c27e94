//! What token services answer: JSON, and where they refuse, a reason.

use serde::{Deserialize, de::DeserializeOwned};

use crate::registry::post::Answer;

/// The longest reason; those of Microsoft Entra ID are some 300 characters long.
const MOST: usize = 400;

/// The ways to say why: OAuth 2.0 (RFC 6749, section 5.2), a registry's, AWS'.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    error_description: Option<String>,
    error: Option<String>,
    errors: Vec<RegistryError>,
    #[serde(alias = "Message")]
    message: Option<String>,
    #[serde(rename = "__type")]
    kind: Option<String>,
}

#[derive(Deserialize)]
struct RegistryError {
    message: String,
}

/// What a success says.
///
/// # Errors
/// What `who` said in its place.
pub(super) fn read<T: DeserializeOwned>(who: &str, answer: &Answer) -> Result<T, String> {
    if answer.status.is_success() {
        // What serde found instead might be a part of a token.
        return serde_json::from_slice(&answer.body)
            .map_err(|_| format!("{who} answered what is no token"));
    }
    let status = answer.status;
    Err(match reason(&answer.body) {
        Some(reason) => format!("{who} answered {status}: {reason}"),
        None => format!("{who} answered {status}"),
    })
}

/// The reason in an error's body, in one line.
fn reason(body: &[u8]) -> Option<String> {
    let text = match serde_json::from_slice::<Refusal>(body) {
        Ok(said) => {
            let registry = said.errors.into_iter().next().map(|error| error.message);
            // What has a description has a code there, which says less.
            let oauth = said.error_description.or(said.error);
            oauth.or(registry).or(said.message).or(said.kind)?
        }
        Err(_) => String::from_utf8(body.to_vec()).ok()?,
    };
    let words: Vec<_> = text.split_whitespace().collect();
    let line: String = words
        .join(" ")
        .chars()
        .filter(|c| !c.is_control())
        .take(MOST)
        .collect();
    (!line.is_empty() && !line.starts_with('<')).then_some(line)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::StatusCode;
    use rstest::rstest;
    use serde_json::Value;

    use super::*;

    fn refused(body: impl Into<Bytes>) -> String {
        let answer = Answer {
            status: StatusCode::FORBIDDEN,
            body: body.into(),
        };
        read::<Value>("X", &answer).unwrap_err()
    }

    #[rstest]
    #[case::entra(
        r#"{"error":"invalid_client","error_description":"AADSTS70021: No matching federated identity\r\nTrace"}"#,
        "X answered 403 Forbidden: AADSTS70021: No matching federated identity Trace"
    )]
    #[case::a_registry(
        r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#,
        "X answered 403 Forbidden: authentication required"
    )]
    #[case::aws(
        r#"{"__type":"AccessDeniedException","Message":"User: arn:… is not authorized"}"#,
        "X answered 403 Forbidden: User: arn:… is not authorized"
    )]
    #[case::aws_without_a_text(
        r#"{"__type":"ExpiredTokenException"}"#,
        "X answered 403 Forbidden: ExpiredTokenException"
    )]
    #[case::text(
        "GKE Metadata Server\n denied",
        "X answered 403 Forbidden: GKE Metadata Server denied"
    )]
    #[case::a_page("<html>", "X answered 403 Forbidden")]
    #[case::nothing("", "X answered 403 Forbidden")]
    #[case::json_of_another_kind("[1]", "X answered 403 Forbidden: [1]")]
    fn a_refusal_gives_its_reason(#[case] body: &'static str, #[case] expected: &str) {
        assert_eq!(refused(body), expected);
    }

    #[test]
    fn a_long_reason_is_cut() {
        assert!(refused("x".repeat(10_000)).len() < 500);
    }

    #[test]
    fn nothing_of_an_answer_that_cannot_be_read_is_repeated() {
        let answer = Answer {
            status: StatusCode::OK,
            body: Bytes::from(r#"{"access_token":"s3cret"}"#),
        };
        let said = read::<Vec<u8>>("X", &answer).unwrap_err();
        assert_eq!(said, "X answered what is no token");
    }
}
