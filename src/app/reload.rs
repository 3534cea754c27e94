//! A new `cotter.yaml` in the place of the old one, and the file that is looked at again and again.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use arc_swap::ArcSwap;

use crate::{
    admission::settings::Settings,
    cloud::{Clouds, Environment, keeper::Keeper},
    config::{
        file::FileConfig,
        proxy::Proxy,
        reload::{Reload as Found, Watched},
    },
    registry::client::Client,
    telemetry::metrics::Metrics,
};

use super::{gate::Switch, settings};

/// How often: a change is in use within a person's patience.
pub(super) const PAUSE: Duration = Duration::from_secs(2);

/// What a new configuration replaces.
#[derive(Clone)]
pub(super) struct InUse {
    pub(super) client: Client,
    pub(super) admission: Arc<ArcSwap<Settings>>,
    keeper: Arc<Keeper>,
    deadline: Duration,
    proxy: Option<Proxy>,
    pub(super) metrics: Arc<Metrics>,
}

// === impl InUse ===

impl InUse {
    /// With a first configuration. `deadline`: the longest that one review may take. `proxy`: what registries are asked
    /// through. `clouds`: how they know cotter.
    pub(super) fn new(
        file: &FileConfig,
        deadline: Duration,
        proxy: Option<Proxy>,
        clouds: Environment,
        metrics: Arc<Metrics>,
    ) -> Result<Self> {
        let asked = crate::cli::settings::registry(file, proxy.as_ref());
        let client = Client::new(asked, metrics.clone())?;
        let clouds = Arc::new(Clouds::new(client.clone(), clouds));
        let keeper = Arc::new(Keeper::new(clouds, metrics.clone()));
        let admission = settings::admission(file, deadline);
        keeper.keep(settings::own_logins(&admission));
        client.ask_as_nodes(keeper.clone());
        Ok(Self {
            client,
            keeper,
            admission: Arc::new(ArcSwap::from_pointee(admission)),
            deadline,
            proxy,
            metrics,
        })
    }

    /// The first configuration is the one to begin with.
    pub(super) fn begin(&self, gate: &Switch) {
        self.metrics.config_in_use();
        gate.turn_on();
    }

    /// Puts another configuration in use, or says why that cannot be.
    pub(super) fn replace(&self, file: &FileConfig) -> Result<(), String> {
        let asked = crate::cli::settings::registry(file, self.proxy.as_ref());
        let swapped = self.client.swap(asked);
        swapped.map_err(|error| error.to_string())?;
        let admission = settings::admission(file, self.deadline);
        self.keeper.keep(settings::own_logins(&admission));
        self.admission.store(Arc::new(admission));
        self.metrics.config_reload(true);
        for notice in &file.notices {
            tracing::warn!("{notice}");
        }
        tracing::info!("the configuration has changed and is in use");
        Ok(())
    }

    /// Says that a configuration is refused, and what is done `then`.
    pub(super) fn refuse(&self, error: &str, then: &str) {
        self.metrics.config_reload(false);
        tracing::error!("the configuration is refused, {then}: {error}");
    }

    /// Follows the file for ever.
    pub(super) async fn follow(self, mut watched: Watched) {
        loop {
            tokio::time::sleep(PAUSE).await;
            let refused = match watched.poll() {
                Found::Unchanged => None,
                Found::Refused(error) => Some(error.to_string()),
                Found::Changed(file) => self.replace(&file).err(),
            };
            if let Some(error) = refused {
                self.refuse(&error, "the old one stays in use");
            }
        }
    }
}
