//! A state without a cluster: every namespace is opted in, and pull secrets come from manifests.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use arc_swap::ArcSwap;
use futures_util::{FutureExt as _, future::BoxFuture};
use sha2::{Digest as _, Sha256};

use super::manifests::{self, File, ManifestError, Manifests};
use crate::{
    admission::ports::{Cluster, Namespace, ServiceAccount},
    domain::{policy::Mode, pull_secret::NamespaceSecrets},
    telemetry::metrics::Metrics,
};

/// The state of a run without a cluster.
#[derive(Debug)]
pub struct Standalone {
    namespace: Namespace,
    path: Option<PathBuf>,
    manifests: ArcSwap<Manifests>,
    none: Arc<NamespaceSecrets>,
    seen: Mutex<[u8; 32]>,
    broken: AtomicUsize,
    metrics: Arc<Metrics>,
}

// === impl Standalone ===

impl Standalone {
    /// Every namespace in `mode`, with the pull secrets of the manifests at `path`. Reads files, blocking.
    ///
    /// # Errors
    /// [`ManifestError`] where a file cannot be read or is no manifest.
    pub fn new(
        mode: Mode,
        path: Option<&Path>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, ManifestError> {
        let standalone = Self {
            namespace: Namespace {
                mode: Some(mode),
                policy: None,
            },
            path: path.map(Path::to_owned),
            manifests: ArcSwap::default(),
            none: Arc::default(),
            seen: Mutex::default(),
            broken: AtomicUsize::new(0),
            metrics,
        };
        standalone.poll()?;
        Ok(standalone)
    }

    /// What was left out of the manifests, or is of no use, a line each.
    #[must_use]
    pub fn notices(&self) -> Vec<String> {
        self.manifests.load().notices.clone()
    }

    /// Reads the manifests again; `true` if their content has changed and is in use now. Reads files, blocking.
    ///
    /// # Errors
    /// [`ManifestError`], once for each new content; what was in use stays in use.
    pub fn poll(&self) -> Result<bool, ManifestError> {
        let Some(path) = &self.path else {
            return Ok(false);
        };
        let files = manifests::files(path);
        let now = fingerprint(&files);
        let before = {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *seen, now)
        };
        if before == now {
            return Ok(false);
        }
        let mut manifests = manifests::read(&files?)?;
        if manifests.namespaces.is_empty() {
            let path = path.display();
            let notice = format!("{path} holds no pull secret; nothing is injected");
            manifests.notices.push(notice);
        }
        let all = manifests.namespaces.values();
        let broken = all.flat_map(|of| of.iter().filter(|secret| secret.broken().is_some()));
        let now = broken.count();
        let before = self.broken.swap(now, Ordering::Relaxed);
        self.metrics.broken_pull_secrets(before, now);
        self.manifests.store(Arc::new(manifests));
        Ok(true)
    }
}

fn fingerprint(files: &Result<Vec<File>, ManifestError>) -> [u8; 32] {
    let mut hash = Sha256::new();
    match files {
        Ok(files) => {
            for (name, bytes) in files {
                hash.update(Sha256::digest(name.as_os_str().as_encoded_bytes()));
                hash.update(Sha256::digest(bytes));
            }
        }
        Err(error) => hash.update(error.to_string()),
    }
    hash.finalize().into()
}

impl Cluster for Standalone {
    fn namespace(&self, _: &str) -> Option<Namespace> {
        Some(self.namespace.clone())
    }

    fn pull_secrets(&self, namespace: &str) -> Option<Arc<NamespaceSecrets>> {
        let manifests = self.manifests.load();
        let found = manifests.namespaces.get(namespace).unwrap_or(&self.none);
        Some(found.clone())
    }

    fn service_account(&self, _: &str, _: &str) -> Option<Arc<ServiceAccount>> {
        None
    }

    fn look_up_namespace<'a>(
        &'a self,
        name: &'a str,
        _: Instant,
    ) -> BoxFuture<'a, Option<Namespace>> {
        std::future::ready(self.namespace(name)).boxed()
    }

    fn look_up_pull_secrets<'a>(
        &'a self,
        namespace: &'a str,
        _: Instant,
    ) -> BoxFuture<'a, Option<Arc<NamespaceSecrets>>> {
        std::future::ready(self.pull_secrets(namespace)).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "kind: Secret\nmetadata: { name: s, namespace: a }\ntype: kubernetes.io/dockercfg\n\
                          stringData: { .dockercfg: '{}' }\n";

    #[test]
    fn without_manifests_every_namespace_is_known_to_have_none() {
        let standalone = Standalone::new(Mode::Audit, None, Arc::default()).unwrap();
        assert_eq!(standalone.namespace("any").unwrap().mode, Some(Mode::Audit));
        assert_eq!(standalone.pull_secrets("any").unwrap().iter().count(), 0);
        assert!(!standalone.poll().unwrap());
    }

    #[test]
    fn manifests_are_read_again_when_their_content_changes() {
        let dir = tempfile::tempdir().unwrap();
        let standalone = Standalone::new(Mode::Enforce, Some(dir.path()), Arc::default()).unwrap();
        assert_eq!(standalone.notices().len(), 1, "nothing is there yet");
        std::fs::write(dir.path().join("s.yaml"), SECRET).unwrap();
        assert!(standalone.poll().unwrap() && !standalone.poll().unwrap());
        assert!(standalone.pull_secrets("a").unwrap().get("s").is_some());

        std::fs::write(dir.path().join("s.yaml"), "kind: [").unwrap();
        assert!(standalone.poll().is_err(), "a bad one is told");
        assert!(!standalone.poll().unwrap(), "once");
        assert!(standalone.pull_secrets("a").unwrap().get("s").is_some());
    }
}
