//! What the environment says of cotter's own identity, in the variables that the clouds and their libraries have for it.

use clap::Args;

/// These variables. Hidden: they are no options of cotter's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct CloudArgs {
    /// Google's metadata server, `host[:port]`.
    #[arg(long, env = "GCE_METADATA_HOST", hide = true)]
    pub gce_metadata_host: Option<String>,

    /// The application that Microsoft Entra ID knows cotter by.
    #[arg(long, env = "AZURE_CLIENT_ID", hide = true)]
    pub azure_client_id: Option<String>,

    /// Its tenant.
    #[arg(long, env = "AZURE_TENANT_ID", hide = true)]
    pub azure_tenant_id: Option<String>,

    /// The file with the cluster's token for it.
    #[arg(long, env = "AZURE_FEDERATED_TOKEN_FILE", hide = true)]
    pub azure_federated_token_file: Option<String>,

    /// The URL of Microsoft Entra ID.
    #[arg(long, env = "AZURE_AUTHORITY_HOST", hide = true)]
    pub azure_authority_host: Option<String>,

    /// The URL of Azure's metadata server.
    #[arg(long, env = "AZURE_POD_IDENTITY_AUTHORITY_HOST", hide = true)]
    pub azure_pod_identity_authority_host: Option<String>,
}

// === impl CloudArgs ===

impl CloudArgs {
    /// The same, without what is set to nothing.
    pub(super) fn set(self) -> Self {
        let set = |value: Option<String>| value.filter(|value| !value.is_empty());
        Self {
            gce_metadata_host: set(self.gce_metadata_host),
            azure_client_id: set(self.azure_client_id),
            azure_tenant_id: set(self.azure_tenant_id),
            azure_federated_token_file: set(self.azure_federated_token_file),
            azure_authority_host: set(self.azure_authority_host),
            azure_pod_identity_authority_host: set(self.azure_pod_identity_authority_host),
        }
    }
}
