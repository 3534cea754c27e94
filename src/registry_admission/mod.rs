//! The admission of `Registry` objects: who made one is stamped, and one that Pods need is not deleted.
//!
//! Who may change one is the API server's own to judge, by a `ValidatingAdmissionPolicy` of the chart: that needs no
//! running cotter.

mod creator;
mod deletion;
mod review;

use std::{sync::Arc, time::Instant};

pub use self::{
    deletion::{Pods, Uncounted, Users},
    review::NotAReview,
};

use self::{
    deletion::Deletion,
    review::{Answer, Asked},
};

/// What stands behind the path of Pods in the path of registries.
pub const UNDER: &str = "/registries";

/// Answers the reviews of registries; clones answer alike.
#[derive(Clone)]
pub struct Guard {
    users: Arc<dyn Users>,
}

impl Guard {
    /// A guard that has `users` count who needs a registry.
    #[must_use]
    pub fn new(users: Arc<dyn Users>) -> Self {
        Self { users }
    }

    /// Answers the `AdmissionReview` in `body` with another by `deadline`, both JSON. What is no CREATE or DELETE of a
    /// `Registry` is allowed as it is.
    ///
    /// # Errors
    ///
    /// [`NotAReview`] if the body is none.
    pub async fn review(&self, body: &[u8], deadline: Instant) -> Result<Vec<u8>, NotAReview> {
        let (uid, asked) = review::decode(body)?;
        let answer = match asked {
            Asked::Foreign => Answer::default(),
            Asked::Create { metadata, user } => Answer {
                patch: creator::stamp(&metadata, &user),
                ..Answer::default()
            },
            Asked::Delete { registry, user } => Answer {
                denial: self.refusal(&Deletion::of(registry), &user, deadline).await,
                ..Answer::default()
            },
        };
        Ok(review::encode(&uid, answer))
    }

    /// Why a registry is not deleted now; `None` where it may be.
    async fn refusal(&self, deletion: &Deletion, user: &str, deadline: Instant) -> Option<String> {
        if !deletion.takes_pull_secrets() {
            return None;
        }
        let name = &*deletion.name;
        let in_time = tokio::time::timeout_at(deadline.into(), self.users.pods(name));
        let counted = in_time.await.unwrap_or_else(|_| {
            let late = "the API server did not list them in time";
            Err(Uncounted(late.to_owned()))
        });
        if let Err(Uncounted(why)) = &counted {
            tracing::warn!(registry = name, user, "a deletion is refused: {why}");
        }
        let refusal = deletion.judge(&counted);
        if let (Some(_), Ok(pods)) = (&refusal, &counted) {
            let pods = pods.count();
            tracing::info!(registry = name, user, pods, "a deletion is refused");
        }
        refusal
    }
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Guard")
    }
}

#[cfg(test)]
mod tests;
