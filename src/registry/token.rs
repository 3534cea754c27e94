//! Bearer tokens: one request to the token server, what it grants, and for how long that is kept.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderValue, Method, StatusCode};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use smol_str::SmolStr;
use zeroize::Zeroizing;

use super::{
    blocked,
    bounded::Bounded,
    flight::{Flights, Seat},
    limits::{self, read_at_most},
    realm::Realm,
    setup::Profile,
    transport::{self, Outgoing},
    trouble::Trouble,
};
use crate::{
    domain::credential::{Credential, Fingerprint},
    telemetry::metrics::{Cache, Metrics},
};

/// The distribution specification: a token that does not say so lives this long, and none lives shorter.
const SHORTEST: Duration = Duration::from_mins(1);
/// The longest that a server's word is taken for; ECR's tokens live so long.
const LONGEST: Duration = Duration::from_hours(12);
/// Servers read heads of 8 to 16 KiB, so a longer token would be refused anyway.
const MOST_TEXT: usize = 16 << 10;
/// Tokens that are kept, some of them several kilobytes long.
const ENTRIES: usize = 1024;

/// What a token was granted for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct TokenKey {
    /// The server, and in its query the service and the scope.
    pub(super) realm: Realm,
    pub(super) who: Fingerprint,
}

/// A granted token, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) header: HeaderValue,
    until: Instant,
}

/// All tokens, and those on their way.
#[derive(Debug)]
pub(super) struct Tokens {
    kept: Bounded<TokenKey, Token>,
    flights: Arc<Flights<TokenKey, Result<Token, Trouble>>>,
}

/// How to ask for a token.
#[derive(Clone)]
pub(super) struct Errand {
    pub(super) profile: Arc<Profile>,
    pub(super) credential: Option<Arc<Credential>>,
    /// The registry that the token is for.
    pub(super) host: SmolStr,
    pub(super) metrics: Arc<Metrics>,
    pub(super) timeout: Duration,
}

#[derive(Deserialize)]
struct Grant {
    token: Option<String>,
    access_token: Option<String>,
    #[serde(default)]
    expires_in: Value,
    #[serde(default)]
    issued_at: Value,
}

// === impl Tokens ===

impl Default for Tokens {
    fn default() -> Self {
        Self {
            kept: Bounded::new(ENTRIES),
            flights: Arc::default(),
        }
    }
}

impl Tokens {
    /// The token of `key`, and whether it was kept from before.
    ///
    /// # Errors
    /// [`Trouble`], as the token server answered.
    pub(super) async fn get(
        self: &Arc<Self>,
        key: &TokenKey,
        errand: Errand,
    ) -> Result<(Token, bool), Trouble> {
        let kept = self.kept(key);
        errand.metrics.cache(Cache::Token, kept.is_some());
        if let Some(token) = kept {
            return Ok((token, true));
        }
        let tokens = Arc::clone(self);
        let limit = errand.timeout;
        let landed = || self.kept(key).map(Ok);
        let seat = self.flights.board(key.clone(), None, landed, |_| {
            let key = key.clone();
            async move {
                let fetched = tokio::time::timeout(limit, fetch(&key.realm, &errand)).await;
                let token = fetched.unwrap_or_else(|_| Err(Trouble::timed_out(limit)))?;
                tokens.kept.insert(key, token.clone());
                Ok(token)
            }
        });
        let granted = match seat {
            Seat::Landed(granted) => granted,
            Seat::Waiting(ticket) => {
                let crashed = || Err(Trouble::Unavailable("no token came".to_owned()));
                ticket.answer(None).await.unwrap_or_else(crashed)
            }
        };
        granted.map(|token| (token, false))
    }

    /// Drops a token that a registry did not take, unless another has come in its place.
    pub(super) fn drop_stale(&self, key: &TokenKey, header: &HeaderValue) {
        self.kept.remove_if(key, |token| token.header == *header);
    }

    fn kept(&self, key: &TokenKey) -> Option<Token> {
        let now = tokio::time::Instant::now().into_std();
        let token = self.kept.read(key, Token::clone);
        token.filter(|token| now < token.until)
    }
}

/// `Authorization: Basic` of a credential, whose bytes need not be text.
pub(super) fn basic(credential: &Credential) -> Result<HeaderValue, Trouble> {
    let mut pair = Zeroizing::new(credential.username().to_vec());
    pair.push(b':');
    pair.extend_from_slice(credential.password());
    let text = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_slice())));
    secret_header(&text)
}

fn secret_header(text: &str) -> Result<HeaderValue, Trouble> {
    let unusable = |_| Trouble::Unavailable("the credential cannot be sent".to_owned());
    let mut header = HeaderValue::from_str(text).map_err(unusable)?;
    header.set_sensitive(true);
    Ok(header)
}

async fn fetch(realm: &Realm, errand: &Errand) -> Result<Token, Trouble> {
    let credential = errand.credential.as_deref();
    let outgoing = Outgoing {
        method: Method::GET,
        url: realm.url.clone(),
        accept: None,
        authorization: credential.map(basic).transpose()?,
    };
    let began = tokio::time::Instant::now().into_std();
    let reply = transport::send(&errand.profile, outgoing, &errand.host, &errand.metrics).await?;
    match reply.status() {
        StatusCode::OK => {}
        status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
            let detail = format!("the token server answered {status}");
            return Err(Trouble::Unauthorized(detail));
        }
        StatusCode::TOO_MANY_REQUESTS => {
            let pause = blocked::pause(reply.headers(), Timestamp::now());
            return Err(Trouble::Limited(began + pause));
        }
        status => {
            let detail = format!("the token server answered {status}");
            return Err(Trouble::Unavailable(detail));
        }
    }
    let body = read_at_most(reply.into_body(), limits::TOKEN).await?;
    granted(&body, began, Timestamp::now())
}

fn granted(body: &[u8], began: Instant, wall: Timestamp) -> Result<Token, Trouble> {
    let unusable = |what: &str| Trouble::Unavailable(format!("the token server sent {what}"));
    let grant: Grant = serde_json::from_slice(body).map_err(|_| unusable("no JSON grant"))?;
    let given = [&grant.token, &grant.access_token].into_iter().flatten();
    let text = given
        .map(String::as_str)
        .find(|text| !text.is_empty())
        .unwrap_or_default();
    if text.is_empty() || text.len() > MOST_TEXT || !text.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(unusable("a token that no header can carry"));
    }
    let header = secret_header(&Zeroizing::new(format!("Bearer {text}")))?;
    let life = life(&grant, wall);
    // A tenth early, so that it does not run out between the look at it and the registry's look at it.
    let until = began + life.saturating_sub(life / 10);
    Ok(Token { header, until })
}

fn life(grant: &Grant, wall: Timestamp) -> Duration {
    let seconds = match &grant.expires_in {
        Value::String(text) => text.parse().ok(),
        number => number.as_u64(),
    };
    let whole = Duration::from_secs(seconds.unwrap_or_default()).clamp(SHORTEST, LONGEST);
    let issued = grant
        .issued_at
        .as_str()
        .and_then(|text| text.parse::<Timestamp>().ok());
    // A server whose clock is ahead has issued it now; one whose clock is behind costs the cache, not the answer.
    let age = issued.map(|issued| wall.duration_since(issued));
    let age = age.and_then(|age| Duration::try_from(age).ok());
    whole.saturating_sub(age.unwrap_or_default())
}

impl fmt::Debug for Errand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Errand")
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const WALL: &str = "2024-01-01T00:01:00Z";

    fn read(body: &str) -> Result<(String, u64), Trouble> {
        let began = Instant::now();
        let token = granted(body.as_bytes(), began, WALL.parse().unwrap())?;
        let header = token.header.to_str().unwrap().to_owned();
        Ok((header, (token.until - began).as_secs()))
    }

    #[rstest]
    #[case::default_life(r#"{"token":"a"}"#, "Bearer a", 54)]
    #[case::access_token(r#"{"access_token":"b"}"#, "Bearer b", 54)]
    #[case::both(r#"{"token":"a","access_token":"b"}"#, "Bearer a", 54)]
    #[case::empty_token(r#"{"token":"","access_token":"b"}"#, "Bearer b", 54)]
    #[case::at_least_a_minute(r#"{"token":"a","expires_in":5}"#, "Bearer a", 54)]
    #[case::five_minutes(r#"{"token":"a","expires_in":300}"#, "Bearer a", 270)]
    #[case::as_text(r#"{"token":"a","expires_in":"300"}"#, "Bearer a", 270)]
    #[case::nonsense_life(r#"{"token":"a","expires_in":-1,"issued_at":7}"#, "Bearer a", 54)]
    #[case::half_gone(
        r#"{"token":"a","expires_in":120,"issued_at":"2024-01-01T00:00:00Z"}"#,
        "Bearer a",
        54
    )]
    #[case::clock_ahead(r#"{"token":"a","issued_at":"2024-01-01T09:00:00Z"}"#, "Bearer a", 54)]
    #[case::clock_behind(r#"{"token":"a","issued_at":"2023-01-01T09:00:00Z"}"#, "Bearer a", 0)]
    #[case::capped(r#"{"token":"a","expires_in":99999999}"#, "Bearer a", 38_880)]
    fn grants(#[case] body: &str, #[case] header: &str, #[case] seconds: u64) {
        assert_eq!(read(body), Ok((header.to_owned(), seconds)));
    }

    #[rstest]
    #[case::line_break(r#"{"token":"a\nb"}"#)]
    #[case::header_injection(r#"{"token":"a\r\nX-Evil: 1"}"#)]
    #[case::nul(r#"{"token":"a\u0000"}"#)]
    #[case::not_ascii(r#"{"token":"schlüssel"}"#)]
    #[case::space(r#"{"token":"a b"}"#)]
    #[case::none("{}")]
    #[case::not_json("<html>")]
    #[case::a_list("[]")]
    #[case::a_number(r#"{"token":7}"#)]
    fn refuses(#[case] body: &str) {
        assert!(matches!(read(body), Err(Trouble::Unavailable(_))), "{body}");
    }

    #[test]
    fn basic_takes_any_bytes_and_shows_none() {
        let header = basic(&Credential::new(vec![0xff, 0xfe], "p")).unwrap();
        assert_eq!(header.to_str().unwrap(), "Basic //46cA==");
        assert_eq!(format!("{header:?}"), "Sensitive");
    }
}
