//! Passwords of ECR: AWS makes them for half a day, for a key or for the identity that cotter runs with, and they are
//! renewed at half their life.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::objects::ContentHash;
use crate::{
    cloud::aws::{self, Password},
    domain::registry_kind::{Given, TokenService},
    registry::client::Client,
};

/// How long AWS may take, its own retries included.
const PATIENCE: Duration = Duration::from_secs(20);

/// A password, and what it was made for.
#[derive(Clone)]
struct Known {
    password: Password,
    made: Timestamp,
    of: Asked,
}

/// What AWS was asked with.
#[derive(Clone, PartialEq, Eq)]
struct Asked {
    keys: ContentHash,
    region: String,
}

/// The passwords of all registries.
pub(super) struct Passwords {
    /// By whose way out AWS is asked.
    client: Client,
    /// By the uid of the `Registry`.
    known: Mutex<HashMap<String, Known>>,
}

// === impl Passwords ===

impl Passwords {
    pub(super) fn new(client: Client) -> Self {
        Self {
            client,
            known: Mutex::default(),
        }
    }

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
            return Ok(known.password);
        }
        let asked = timeout(PATIENCE, aws::password(&self.client, service, given)).await;
        let asked = asked.unwrap_or_else(|_| {
            Err(format!(
                "AWS gave no answer within {} s",
                PATIENCE.as_secs()
            ))
        });
        match (asked, known.filter(|known| now < known.password.ends)) {
            (Ok(password), _) => {
                let made = Known {
                    password: password.clone(),
                    made: now,
                    of,
                };
                self.lock().insert(uid.to_owned(), made);
                Ok(password)
            }
            (Err(error), Some(known)) => {
                tracing::warn!(
                    "a password of ECR is not renewed, the one before still works: {error}"
                );
                Ok(known.password)
            }
            (Err(error), None) => Err(error),
        }
    }

    /// Forgets the password of a registry that is gone.
    pub(super) fn forget(&self, uid: &str) {
        self.lock().remove(uid);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Known ===

impl Known {
    fn half(&self) -> Timestamp {
        let ends = self.password.ends;
        let seconds = ends.as_second().saturating_sub(self.made.as_second()) / 2;
        let half = self.made.as_second().saturating_add(seconds);
        Timestamp::from_second(half).unwrap_or(ends)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_the_life_of_a_password_is_over_after_six_hours() {
        let known = Known {
            password: Password {
                account: "123456789012".to_owned(),
                text: Zeroizing::default(),
                ends: Timestamp::from_second(43_200).unwrap(),
            },
            made: Timestamp::UNIX_EPOCH,
            of: Asked {
                keys: fingerprint(&Given::AmbientAws),
                region: "eu-central-1".to_owned(),
            },
        };
        assert_eq!(known.half().as_second(), 21_600);
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
