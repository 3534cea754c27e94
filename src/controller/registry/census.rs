//! Which Pods name which pull secrets.

use std::collections::HashMap;

use kube::{Api, Client, ResourceExt as _, api::ListParams};
use smol_str::SmolStr;

use crate::{
    api::pulling_pod::{PODS_NOT_ENDED, PullingPod},
    controller::trouble::{self, Trouble},
};

/// Pods of one page of a list.
const PAGE: u32 = 500;

/// How many Pods name a pull secret, by namespace and name.
pub(super) type Census = HashMap<(String, String), u32>;

/// Counts the Pods of one namespace, or of all.
pub(super) async fn take(
    client: &Client,
    namespace: Option<&SmolStr>,
    census: &mut Census,
) -> Result<(), Trouble> {
    let counted = each(super::api(client, namespace), |pod| {
        let namespace = pod.namespace().unwrap_or_default();
        for secret in pod.pull_secrets() {
            let key = (namespace.clone(), secret.to_string());
            *census.entry(key).or_default() += 1;
        }
        true
    });
    let counted = counted.await;
    let namespace = namespace.map_or("", SmolStr::as_str);
    counted.map_err(|error| trouble::of(&error, "list", "pods", namespace))
}

/// Whether any Pod of a namespace names this pull secret.
pub(super) async fn names(
    client: &Client,
    namespace: &str,
    secret: &str,
) -> Result<bool, kube::Error> {
    let mut named = false;
    each(Api::namespaced(client.clone(), namespace), |pod| {
        named = pod.pull_secrets().any(|name| name == secret);
        !named
    })
    .await?;
    Ok(named)
}

/// Looks at the Pods that have not ended, page by page, as long as `look` wants more.
async fn each(
    api: Api<PullingPod>,
    mut look: impl FnMut(&PullingPod) -> bool,
) -> Result<(), kube::Error> {
    let mut params = ListParams::default().limit(PAGE).fields(PODS_NOT_ENDED);
    loop {
        let page = api.list(&params).await?;
        for pod in &page.items {
            if !look(pod) {
                return Ok(());
            }
        }
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => return Ok(()),
        }
    }
}
