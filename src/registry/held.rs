//! Hosts whose credential the nodes hold: they are asked with cotter's own identity, whoever's Pod it is.

use std::sync::Arc;

use super::{client::Inner, trouble::Trouble};
use crate::{
    admission::ports::Ask,
    domain::{
        cloud::Cloud,
        credential::{Credential, Fingerprint},
        policy::Cause,
        question::{Failure, OwnIdentity, Resolution},
    },
};

/// Logins of cotter's own, kept ready ahead of need.
pub trait NodeHeld: Send + Sync + 'static {
    /// What `host` is asked with, at once; `None` where nothing is held for it, and it is asked as anybody asks.
    fn login(&self, host: &str) -> Option<Held>;
}

/// cotter's own identity at a host.
#[derive(Clone, Debug)]
pub struct Held {
    /// What tells its answers from those of everybody else.
    pub who: Fingerprint,
    /// Whose registry it is.
    pub cloud: Cloud,
    /// Its login, or why it has none.
    pub login: Result<Arc<Credential>, NoLogin>,
}

/// Why there is no login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoLogin {
    /// The cloud has not answered yet.
    Awaited,
    /// What the cloud said, and what to do about it.
    Refused(String),
}

// === impl Held ===

impl Held {
    /// The ask as cotter's own.
    ///
    /// # Errors
    /// [`Failure`] while there is no login. Nobody is asked anonymously then: a 401 would tell of a missing pull secret.
    pub(super) fn ask(&self, ask: Ask) -> Result<Ask, Failure> {
        let failure = |own, detail| Failure {
            own: Some(own),
            ..Failure::new(Cause::Unavailable, detail)
        };
        let cloud = self.cloud;
        match &self.login {
            Ok(login) => Ok(Ask {
                credential: Some(Arc::clone(login)),
                ..ask
            }),
            Err(NoLogin::Awaited) => {
                let detail = format!("{cloud} has not made a login for cotter's own identity yet");
                Err(failure(OwnIdentity::Awaited(cloud), detail))
            }
            Err(NoLogin::Refused(said)) => Err(failure(OwnIdentity::Refused(cloud), said.clone())),
        }
    }

    /// An answer to cotter's own ask; what turned it away is not the Pod's pull secret.
    pub(super) fn told(&self, answer: Resolution) -> Resolution {
        let turned_away = |cause| matches!(cause, Cause::NotFound | Cause::Unauthorized);
        answer.map_err(|failure| match failure.cause {
            cause if turned_away(cause) => Failure {
                detail: format!(
                    "{}: cotter asked with its own {} identity, which needs {}",
                    failure.detail,
                    self.cloud,
                    self.cloud.right()
                ),
                own: Some(OwnIdentity::TurnedAway(self.cloud)),
                cause,
            },
            _ => failure,
        })
    }
}

// === impl Inner ===

impl Inner {
    /// cotter's own identity at `host`, if the nodes hold the credential.
    pub(super) fn held(&self, host: &str) -> Option<Held> {
        self.node_held.get()?.login(host)
    }

    /// The login of cotter's own for a mirror.
    ///
    /// # Errors
    /// [`Trouble`] while there is none.
    pub(super) fn held_for_mirror(&self, host: &str) -> Result<Option<Arc<Credential>>, Trouble> {
        let login = self.held(host).map(|held| held.login).transpose();
        login.map_err(|none| match none {
            NoLogin::Awaited => Trouble::Unavailable("no login for it yet".to_owned()),
            NoLogin::Refused(said) => Trouble::Unavailable(said),
        })
    }
}
