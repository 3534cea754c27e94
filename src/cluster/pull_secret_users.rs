//! Which Pods name the pull secrets of a `Registry`: listed when somebody wants to know, page by page.

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client, ResourceExt as _, api::ListParams};
use smol_str::SmolStr;

use super::{
    errors::{Target, of_request},
    listing::ListError,
    live::PAGE,
    scope::{self, WatchScope},
};
use crate::api::{
    labels::{self, LONGEST_LABEL},
    pulling_pod::{PODS_NOT_ENDED, PullingPod},
};

/// Lists under way at once: a deletion waits for all of them, and an API server serves others, too.
const AT_ONCE: usize = 8;

/// Names of Secrets by their namespaces.
pub type Kept = BTreeMap<String, Vec<String>>;

/// Finds them in the namespaces that cotter watches.
#[derive(Clone)]
pub struct PullSecretUsers {
    client: Client,
    scope: WatchScope,
}

// === impl PullSecretUsers ===

impl PullSecretUsers {
    /// In the namespaces of `scope`.
    ///
    /// Permissions: `list` on secrets and on pods, there.
    #[must_use]
    pub fn new(client: Client, scope: WatchScope) -> Self {
        Self { client, scope }
    }

    /// Hands to `found` namespace and name of each Pod that has not ended and names a pull secret that is labelled as
    /// one of `registry`.
    ///
    /// # Errors
    /// [`ListError`]
    pub async fn each(
        &self,
        registry: &str,
        found: impl FnMut(&str, &str),
    ) -> Result<(), ListError> {
        self.of(self.kept(registry).await?, found).await
    }

    /// The pull secrets that are labelled as those of `registry`, by their namespaces.
    ///
    /// # Errors
    /// [`ListError`]
    pub async fn kept(&self, registry: &str) -> Result<Kept, ListError> {
        let mut kept = Kept::new();
        // A name that no label can hold is on no Secret.
        if registry.len() > LONGEST_LABEL {
            return Ok(kept);
        }
        let parts = stream::iter(self.scope.parts());
        let parts = parts.map(|part| self.secrets(registry, part));
        let secrets: Vec<_> = parts.buffer_unordered(AT_ONCE).try_collect().await?;
        for (namespace, secret) in secrets.into_iter().flatten() {
            kept.entry(namespace).or_default().push(secret);
        }
        Ok(kept)
    }

    /// Hands to `found` namespace and name of each Pod that has not ended and names one of these pull secrets.
    ///
    /// # Errors
    /// [`ListError`]
    pub async fn of(&self, kept: Kept, mut found: impl FnMut(&str, &str)) -> Result<(), ListError> {
        let lists = stream::iter(kept).map(|(namespace, secrets)| self.pods(namespace, secrets));
        let mut lists = lists.buffer_unordered(AT_ONCE);
        while let Some((namespace, pods)) = lists.try_next().await? {
            for pod in &pods {
                found(&namespace, pod);
            }
        }
        Ok(())
    }

    /// Namespace and name of the pull secrets of `registry`. Their content is not asked for.
    async fn secrets(
        &self,
        registry: &str,
        part: Option<SmolStr>,
    ) -> Result<Vec<(String, String)>, ListError> {
        let api: Api<Secret> = scope::api(self.client.clone(), part.as_deref());
        let mut params = ListParams::default().limit(PAGE);
        params = params.labels(&format!("{}={registry}", labels::REGISTRY));
        let mut found = Vec::new();
        loop {
            let page = api.list_metadata(&params).await.map_err(|error| {
                let target = Target::all("secrets", part.as_ref());
                ListError(of_request(&error, "list", &target).text)
            })?;
            let each = page.items.iter();
            found.extend(each.map(|s| (s.namespace().unwrap_or_default(), s.name_any())));
            params.continue_token = page.metadata.continue_.filter(|token| !token.is_empty());
            if params.continue_token.is_none() {
                return Ok(found);
            }
        }
    }

    /// The Pods of a namespace that name one of these secrets.
    async fn pods(
        &self,
        namespace: String,
        secrets: Vec<String>,
    ) -> Result<(String, Vec<String>), ListError> {
        let api: Api<PullingPod> = Api::namespaced(self.client.clone(), &namespace);
        let mut params = ListParams::default().limit(PAGE).fields(PODS_NOT_ENDED);
        let mut found = Vec::new();
        loop {
            let page = api.list(&params).await.map_err(|error| {
                let target = Target::all("pods", Some(&SmolStr::new(&namespace)));
                ListError(of_request(&error, "list", &target).text)
            })?;
            let is_one = |name: &SmolStr| secrets.iter().any(|own| own == name);
            let users = page.items.into_iter();
            let users = users.filter(|pod| pod.pull_secrets().any(is_one));
            found.extend(users.map(|pod| pod.name_any()));
            params.continue_token = page.metadata.continue_.filter(|token| !token.is_empty());
            if params.continue_token.is_none() {
                return Ok((namespace, found));
            }
        }
    }
}
