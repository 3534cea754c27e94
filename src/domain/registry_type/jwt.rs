//! As much of a JSON web token as tells for whom it is and until when. Its signature is nobody's business here.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::Deserialize;

/// What a token says of itself.
pub(super) struct Claims {
    /// `exp`
    pub(super) expires: Option<Timestamp>,
    /// `aud`, where it is one.
    pub(super) audience: Option<String>,
}

#[derive(Deserialize)]
struct Payload {
    exp: Option<serde_json::Number>,
    aud: Option<serde_json::Value>,
}

/// Whether a text has the shape of a token: three parts, the first the base64 of a JSON object.
pub(super) fn has_shape(text: &str) -> bool {
    text.starts_with("eyJ") && text.split('.').count() == 3
}

/// What the token in `text` says; `None` where it is none, or its payload cannot be read.
pub(super) fn claims(text: &str) -> Option<Claims> {
    if !has_shape(text) {
        return None;
    }
    let payload = BASE64_URL_SAFE_NO_PAD
        .decode(text.split('.').nth(1)?)
        .ok()?;
    let Payload { exp, aud } = serde_json::from_slice(&payload).ok()?;
    let seconds = exp.and_then(|exp| exp.as_i64());
    Some(Claims {
        expires: seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()),
        audience: aud.and_then(|aud| aud.as_str().map(str::to_owned)),
    })
}
