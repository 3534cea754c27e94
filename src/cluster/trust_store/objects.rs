//! The objects as `tls` reads them.

use k8s_openapi::api::{admissionregistration::v1::MutatingWebhookConfiguration, core::v1::Secret};
use zeroize::Zeroizing;

use super::Names;
use crate::tls::{
    path::SecretPath,
    ports::{Configuration, Hook, Stored},
};

/// A person writes anything new here to have the authority and the path rotated.
pub(super) const ROTATE: &str = "cotter.dev/rotate";

/// What of [`ROTATE`] was last done.
pub(super) const ROTATED: &str = "cotter.dev/rotated";

pub(super) fn stored(secret: Secret) -> Stored {
    let meta = secret.metadata;
    let annotation = |name: &str| meta.annotations.as_ref()?.get(name).cloned();
    let owners = meta.owner_references.iter().flatten();
    let mut owners = owners.filter(|owner| owner.kind == "MutatingWebhookConfiguration");
    Stored {
        version: meta.resource_version.clone().unwrap_or_default(),
        immutable: secret.immutable == Some(true),
        owner: owners.next().map(|owner| owner.uid.clone()),
        rotate: annotation(ROTATE),
        rotated: annotation(ROTATED),
        data: secret
            .data
            .into_iter()
            .flatten()
            .map(|(key, bytes)| (key, Zeroizing::new(bytes.0)))
            .collect(),
    }
}

/// A webhook configuration whose webhooks are called at the secret path with `under` behind it. A path that does not end so
/// is none of cotter's.
pub(super) fn configuration(
    found: MutatingWebhookConfiguration,
    names: &Names,
    under: &str,
) -> Configuration {
    let webhooks = found.webhooks.into_iter().flatten().enumerate();
    let hooks = webhooks.filter_map(|(index, webhook)| {
        let config = webhook.client_config;
        let service = config.service?;
        let ours = service.name == names.service && service.namespace == names.namespace;
        ours.then(|| Hook {
            index,
            name: webhook.name,
            bundle: config.ca_bundle.map(|bundle| bundle.0).unwrap_or_default(),
            path: service
                .path
                .and_then(|path| path.strip_suffix(under).map(SecretPath::written)),
        })
    });
    Configuration {
        hooks: hooks.collect(),
        version: found.metadata.resource_version.unwrap_or_default(),
        uid: found.metadata.uid.unwrap_or_default(),
    }
}
