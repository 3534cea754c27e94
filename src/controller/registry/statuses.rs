//! The statuses that were written: the API server tells of them a moment later, and counts alone are written now and then.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::api::registry::{Registry, RegistryStatus};

/// Between two statuses that differ in counts and times only: a burst of namespaces changes them with each one.
const PAUSE: Duration = Duration::from_secs(1);

/// How long what was written counts for what is there.
const LAG: Duration = Duration::from_secs(5);

/// The last one of each `Registry`, by its uid.
#[derive(Default)]
pub(super) struct Statuses(Mutex<HashMap<String, (Instant, RegistryStatus)>>);

// === impl Statuses ===

impl Statuses {
    /// The `Registry` with the status that was written last.
    pub(super) fn latest(&self, registry: &Registry) -> Registry {
        let mut latest = registry.clone();
        let all = self.lock();
        let last = all.get(uid(registry)).filter(|(at, _)| at.elapsed() < LAG);
        if let Some((_, status)) = last {
            latest.status = Some(status.clone());
        }
        latest
    }

    /// How long until counts may be written again.
    pub(super) fn pause(&self, registry: &Registry) -> Duration {
        let all = self.lock();
        let last = all.get(uid(registry));
        last.map_or(Duration::ZERO, |(at, _)| PAUSE.saturating_sub(at.elapsed()))
    }

    /// This one was written.
    pub(super) fn wrote(&self, registry: &Registry, status: RegistryStatus) {
        let written = (Instant::now(), status);
        self.lock().insert(uid(registry).to_owned(), written);
    }

    /// Forgets the registry of this uid, which is gone.
    pub(super) fn forget(&self, uid: &str) {
        self.lock().remove(uid);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, (Instant, RegistryStatus)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn uid(registry: &Registry) -> &str {
    registry.metadata.uid.as_deref().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::registry::RegistrySpec;

    #[tokio::test(start_paused = true)]
    async fn what_was_written_counts_until_the_api_server_has_told_of_it() {
        let statuses = Statuses::default();
        let registry = Registry::new("my-ghcr", RegistrySpec::default());
        assert_eq!(statuses.pause(&registry), Duration::ZERO);
        let written = RegistryStatus {
            host: Some("ghcr.io".to_owned()),
            ..RegistryStatus::default()
        };
        statuses.wrote(&registry, written.clone());
        assert_eq!(statuses.latest(&registry).status, Some(written));
        assert_eq!(statuses.pause(&registry), PAUSE);
        tokio::time::advance(LAG).await;
        assert_eq!(statuses.latest(&registry).status, None);
        assert_eq!(statuses.pause(&registry), Duration::ZERO);
    }
}
