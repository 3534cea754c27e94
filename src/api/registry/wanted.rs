//! A spec as the rules of its kind read it.

use super::{Kind, RegistrySpec};
use crate::domain::registry_kind::{self, Wanted};

impl RegistrySpec {
    /// What the rules of its kind look at.
    #[must_use]
    pub fn wanted(&self) -> Wanted<'_> {
        Wanted {
            kind: self.kind.meant(),
            host: self.host.as_deref(),
            login_server: self.login_server.as_deref(),
            url: self.url.as_deref(),
            owner: self.owner.as_deref(),
            account: self.account.as_deref(),
            region: self.region.as_deref(),
        }
    }
}

impl Kind {
    /// The kind without its other name.
    #[must_use]
    pub fn meant(self) -> registry_kind::Kind {
        use registry_kind::Kind as Meant;
        match self {
            Self::Ghcr => Meant::Ghcr,
            Self::DockerHub | Self::Docker => Meant::DockerHub,
            Self::Ecr => Meant::Ecr,
            Self::Acr => Meant::Acr,
            Self::Gcr => Meant::Gcr,
            Self::Gar => Meant::Gar,
            Self::Quay => Meant::Quay,
            Self::Custom => Meant::Custom,
            Self::Public => Meant::Public,
        }
    }
}
