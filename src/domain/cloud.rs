//! The clouds that make logins for their registries out of an identity, and which of them a host belongs to.

use std::fmt;

use super::{
    registry_kind::{Kind, TokenService, Wanted},
    registry_type::RegistryType,
};

/// A cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cloud {
    /// Amazon's.
    Aws,
    /// Google's.
    Google,
    /// Microsoft's.
    Azure,
}

/// A registry that a cloud makes logins for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CloudRegistry {
    /// A private registry of ECR, and what makes its passwords.
    Ecr(TokenService),
    /// Artifact Registry or Container Registry.
    Google,
    /// A registry of ACR.
    Acr,
}

// === impl CloudRegistry ===

impl CloudRegistry {
    /// What `host[:port]`, in lower case, is. `None` where no cloud makes logins for it.
    #[must_use]
    pub fn of_host(host: &str) -> Option<Self> {
        match RegistryType::of_host(host) {
            RegistryType::Ecr => {
                let wanted = Wanted {
                    host: Some(host),
                    ..Wanted::new(Kind::Ecr)
                };
                wanted.token_service().map(Self::Ecr)
            }
            RegistryType::Google => Some(Self::Google),
            RegistryType::Acr => Some(Self::Acr),
            _ => None,
        }
    }

    /// Whose it is.
    #[must_use]
    pub fn cloud(&self) -> Cloud {
        match self {
            Self::Ecr(_) => Cloud::Aws,
            Self::Google => Cloud::Google,
            Self::Acr => Cloud::Azure,
        }
    }
}

// === impl Cloud ===

impl Cloud {
    /// What an identity needs to read images there.
    #[must_use]
    pub fn right(self) -> &'static str {
        match self {
            Self::Aws => {
                "ecr:GetAuthorizationToken, and ecr:BatchGetImage and ecr:GetDownloadUrlForLayer on the repository"
            }
            Self::Google => "roles/artifactregistry.reader",
            Self::Azure => "the role AcrPull (Container Registry Repository Reader with ABAC)",
        }
    }

    /// How cotter's Pods come by an identity.
    #[must_use]
    pub fn identity(self) -> &'static str {
        match self {
            Self::Aws => "EKS Pod Identity, IRSA or the node's role",
            Self::Google => "Workload Identity Federation for GKE or the node's service account",
            Self::Azure => "Microsoft Entra Workload ID or the node's managed identity",
        }
    }
}

impl fmt::Display for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Aws => "AWS",
            Self::Google => "Google Cloud",
            Self::Azure => "Azure",
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::ecr(
        "123456789012.dkr.ecr.eu-central-1.amazonaws.com",
        Some(("AWS", "api.ecr.eu-central-1.amazonaws.com"))
    )]
    #[case::ecr_with_a_port(
        "123456789012.dkr.ecr.eu-central-1.amazonaws.com:8443",
        Some(("AWS", "api.ecr.eu-central-1.amazonaws.com"))
    )]
    #[case::ecr_fips(
        "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com",
        Some(("AWS", "ecr-fips.us-east-1.amazonaws.com"))
    )]
    #[case::ecr_in_china(
        "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
        Some(("AWS", "api.ecr.cn-north-1.amazonaws.com.cn"))
    )]
    #[case::ecr_public("public.ecr.aws", None)]
    #[case::artifact_registry("europe-docker.pkg.dev", Some(("Google Cloud", "")))]
    #[case::container_registry("gcr.io", Some(("Google Cloud", "")))]
    #[case::container_registry_of_a_region("eu.gcr.io", Some(("Google Cloud", "")))]
    #[case::acr("shop.azurecr.io", Some(("Azure", "")))]
    #[case::acr_in_china("shop.azurecr.cn", Some(("Azure", "")))]
    #[case::somebody_who_sounds_like_it("shop.azurecr.io.example.com", None)]
    #[case::github("ghcr.io", None)]
    #[case::own("registry.internal:5000", None)]
    fn whose_a_host_is(#[case] host: &str, #[case] expected: Option<(&str, &str)>) {
        let found = CloudRegistry::of_host(host).map(|registry| {
            let asked = match &registry {
                CloudRegistry::Ecr(service) => service.host.clone(),
                _ => String::new(),
            };
            (registry.cloud().to_string(), asked)
        });
        let expected = expected.map(|(cloud, asked)| (cloud.to_owned(), asked.to_owned()));
        assert_eq!(found, expected);
    }
}
