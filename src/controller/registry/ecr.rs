//! Passwords of ECR: AWS makes them for half a day, for a key or for the identity that cotter runs with, and they are
//! renewed at half their life.

use std::{
    collections::HashMap,
    error::Error,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use aws_config::{BehaviorVersion, Region};
use aws_sdk_ecr::{Client, config::Credentials, types::AuthorizationData};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::objects::ContentHash;
use crate::domain::registry_kind::{Given, TokenService};

/// How long AWS may take, its own retries included.
const PATIENCE: Duration = Duration::from_secs(20);

/// A password, and the registry that it is for.
#[derive(Clone)]
pub(super) struct Password {
    /// Of the registry; twelve figures.
    pub(super) account: String,
    pub(super) text: Zeroizing<Vec<u8>>,
    pub(super) ends: Timestamp,
    made: Timestamp,
    of: Asked,
}

/// What AWS was asked with.
#[derive(Clone, PartialEq, Eq)]
struct Asked {
    keys: ContentHash,
    region: String,
}

/// The passwords of all registries, by the uid of the `Registry`.
#[derive(Default)]
pub(super) struct Passwords(Mutex<HashMap<String, Password>>);

// === impl Passwords ===

impl Passwords {
    /// The password for these keys: the last one until half of its life is over, then a new one. One that AWS does not
    /// renew is used to its end.
    ///
    /// # Errors
    /// What AWS says, without any part of the keys.
    pub(super) async fn get(
        &self,
        uid: &str,
        service: &TokenService,
        given: &Given,
        now: Timestamp,
    ) -> Result<Password, String> {
        let of = Asked {
            keys: fingerprint(given),
            region: service.region.to_string(),
        };
        let known = self.lock().get(uid).filter(|known| known.of == of).cloned();
        if let Some(known) = known.clone().filter(|known| now < known.half()) {
            return Ok(known);
        }
        let asked = timeout(PATIENCE, ask(of, given, now)).await;
        let asked = asked.unwrap_or_else(|_| {
            Err(format!(
                "AWS gave no answer within {} s",
                PATIENCE.as_secs()
            ))
        });
        match (asked, known.filter(|known| now < known.ends)) {
            (Ok(made), _) => {
                self.lock().insert(uid.to_owned(), made.clone());
                Ok(made)
            }
            (Err(error), Some(known)) => {
                tracing::warn!(
                    "a password of ECR is not renewed, the one before still works: {error}"
                );
                Ok(known)
            }
            (Err(error), None) => Err(error),
        }
    }

    /// Forgets the password of a registry that is gone.
    pub(super) fn forget(&self, uid: &str) {
        self.lock().remove(uid);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Password>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Password ===

impl Password {
    fn half(&self) -> Timestamp {
        let seconds = self.ends.as_second().saturating_sub(self.made.as_second()) / 2;
        let half = self.made.as_second().saturating_add(seconds);
        Timestamp::from_second(half).unwrap_or(self.ends)
    }
}

fn fingerprint(given: &Given) -> ContentHash {
    let Given::AwsKeys {
        access_key_id,
        secret_access_key,
        session_token,
    } = given
    else {
        return ContentHash::of(b"");
    };
    let session = session_token.as_ref().map_or("", |token| token.as_str());
    let all = [access_key_id.as_str(), secret_access_key.as_str(), session];
    ContentHash::of(Zeroizing::new(all.join("\n")).as_bytes())
}

async fn ask(of: Asked, given: &Given, now: Timestamp) -> Result<Password, String> {
    let mut loader =
        aws_config::defaults(BehaviorVersion::latest()).region(Region::new(of.region.clone()));
    if let Given::AwsKeys {
        access_key_id,
        secret_access_key,
        session_token,
    } = given
    {
        let session = session_token
            .as_ref()
            .map(|token| token.as_str().to_owned());
        loader = loader.credentials_provider(Credentials::new(
            access_key_id.as_str(),
            secret_access_key.as_str(),
            session,
            None,
            "cotter",
        ));
    }
    let client = Client::new(&loader.load().await);
    let answer = client.get_authorization_token().send().await;
    let answer = answer.map_err(|error| said(&error))?;
    let data = answer.authorization_data().first();
    data.and_then(|data| read(data, of, now))
        .ok_or_else(|| "AWS answered without a password that can be read".to_owned())
}

fn read(data: &AuthorizationData, of: Asked, now: Timestamp) -> Option<Password> {
    let decoded = Zeroizing::new(BASE64_STANDARD.decode(data.authorization_token()?).ok()?);
    let password = decoded.strip_prefix(b"AWS:")?;
    let endpoint = data.proxy_endpoint()?;
    let host = endpoint
        .split_once("://")
        .map_or(endpoint, |(_, host)| host);
    Some(Password {
        account: host.split('.').next()?.to_owned(),
        text: Zeroizing::new(password.to_vec()),
        ends: Timestamp::from_second(data.expires_at()?.secs()).ok()?,
        made: now,
        of,
    })
}

/// The error with its causes, in one line. The SDK's own texts name no key.
fn said(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const ENDPOINT: &str = "https://123456789012.dkr.ecr.eu-central-1.amazonaws.com";

    fn asked() -> Asked {
        Asked {
            keys: fingerprint(&Given::AmbientAws),
            region: "eu-central-1".to_owned(),
        }
    }

    fn data(token: &str, endpoint: &str) -> AuthorizationData {
        let ends = aws_sdk_ecr::primitives::DateTime::from_secs(43_200);
        AuthorizationData::builder()
            .authorization_token(BASE64_STANDARD.encode(token))
            .proxy_endpoint(endpoint)
            .expires_at(ends)
            .build()
    }

    #[test]
    fn a_password_is_for_the_account_of_its_endpoint_and_half_its_life_is_over_after_six_hours() {
        let read = read(
            &data("AWS:se:cret", ENDPOINT),
            asked(),
            Timestamp::UNIX_EPOCH,
        )
        .unwrap();
        assert_eq!(read.account, "123456789012");
        assert_eq!(&**read.text, b"se:cret");
        assert_eq!(read.ends.as_second(), 43_200);
        assert_eq!(read.half().as_second(), 21_600);
    }

    #[rstest]
    #[case::another_user("me:secret")]
    #[case::no_user("secret")]
    fn what_is_no_password_of_ecr_is_not_taken(#[case] token: &str) {
        assert!(read(&data(token, ENDPOINT), asked(), Timestamp::UNIX_EPOCH).is_none());
    }

    #[test]
    fn other_keys_are_other_passwords() {
        let keys = |secret: &str| Given::AwsKeys {
            access_key_id: Zeroizing::new("AKIAIOSFODNN7EXAMPLE".to_owned()),
            secret_access_key: Zeroizing::new(secret.to_owned()),
            session_token: None,
        };
        assert!(fingerprint(&keys("a")) != fingerprint(&keys("b")));
        assert!(fingerprint(&keys("a")) == fingerprint(&keys("a")));
    }
}
