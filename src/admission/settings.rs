//! What the configuration says to an admission; replaced whole when `cotter.yaml` changes.

use std::time::Duration;

use smol_str::SmolStr;

use crate::domain::policy::PolicySet;

/// The settings of all admissions.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The policies.
    pub policies: PolicySet,
    /// How old a registry's answer may be when it pins a Pod.
    pub fresh: Duration,
    /// How old it may be in the analysis of a template.
    pub ttl: Duration,
    /// The longest time an admission may take, whatever the API server grants.
    pub timeout: Duration,
    /// No registry is asked.
    pub offline: bool,
    /// Hosts whose credentials the nodes hold: nothing is injected for them, and nothing is missed.
    pub node_held: Vec<SmolStr>,
}

impl Settings {
    /// Whether the nodes hold the credentials of this registry.
    #[must_use]
    pub fn is_node_held(&self, host: &str) -> bool {
        self.node_held.iter().any(|held| held == host)
    }
}
