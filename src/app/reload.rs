//! Looks at `cotter.yaml` again and again, by its content.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;

use crate::{
    admission::settings::Settings,
    config::{
        file::FileConfig,
        reload::{Reload as Found, Watched},
    },
    registry::client::Client,
    telemetry::metrics::Metrics,
};

use super::settings;

/// How often: a change is in use within a person's patience.
const PAUSE: Duration = Duration::from_secs(2);

/// What a new content of the file replaces.
pub(super) struct Reload {
    pub(super) watched: Watched,
    pub(super) client: Client,
    pub(super) admission: Arc<ArcSwap<Settings>>,
    pub(super) deadline: Duration,
    pub(super) metrics: Arc<Metrics>,
}

impl Reload {
    /// Follows the file for ever.
    pub(super) async fn follow(mut self) {
        loop {
            tokio::time::sleep(PAUSE).await;
            match self.watched.poll() {
                Found::Unchanged => {}
                Found::Refused(error) => self.refuse(&error.to_string()),
                Found::Changed(file) => self.replace(&file),
            }
        }
    }

    fn replace(&self, file: &FileConfig) {
        if let Err(error) = self.client.swap(settings::registry(file)) {
            return self.refuse(&error.to_string());
        }
        let admission = settings::admission(file, self.deadline);
        self.admission.store(Arc::new(admission));
        self.metrics.config_reload(true);
        for notice in &file.notices {
            tracing::warn!("{notice}");
        }
        tracing::info!("the configuration has changed and is in use");
    }

    fn refuse(&self, error: &str) {
        self.metrics.config_reload(false);
        tracing::error!("the changed configuration is refused, the old one stays in use: {error}");
    }
}
