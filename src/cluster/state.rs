//! What the watches have seen, ready to be read during an admission.
//!
//! One lock for whoever writes, and short ones for whoever reads: a reader never waits for a list to be taken in.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicUsize, Ordering},
    },
};

use smol_str::SmolStr;
use tokio::sync::mpsc;

use super::{
    ledger::{Item, Ledger, Listed, News, Stay},
    promises::Promises,
};
use crate::{
    admission::ports::{Namespace, ServiceAccount},
    domain::{docker_config::SecretType, pull_secret::NamespaceSecrets},
    telemetry::metrics::Metrics,
};

/// The service accounts by namespace and name.
pub(super) type Accounts = HashMap<SmolStr, HashMap<SmolStr, Arc<ServiceAccount>>>;

/// A namespace's choice, and the revision that said so.
type Seen = (u64, Namespace);

#[derive(Debug)]
pub(super) struct State {
    ledger: Mutex<Ledger>,
    namespaces: RwLock<HashMap<SmolStr, Seen>>,
    secrets: RwLock<HashMap<SmolStr, Arc<NamespaceSecrets>>>,
    accounts: RwLock<Accounts>,
    metrics: Arc<Metrics>,
    /// What the metrics know of: one state is not the only one in a scope of listed namespaces.
    broken: AtomicUsize,
    /// Namespaces whose pull secrets have to be listed.
    to_list: mpsc::UnboundedSender<SmolStr>,
    pub(super) promises: Arc<Promises>,
}

impl State {
    pub(super) fn new(
        metrics: Arc<Metrics>,
        to_list: mpsc::UnboundedSender<SmolStr>,
        promises: Arc<Promises>,
    ) -> Self {
        Self {
            ledger: Mutex::default(),
            namespaces: RwLock::default(),
            secrets: RwLock::default(),
            accounts: RwLock::default(),
            metrics,
            broken: AtomicUsize::new(0),
            to_list,
            promises,
        }
    }

    // === Reading ===

    pub(super) fn namespace(&self, name: &str) -> Option<Namespace> {
        let namespaces = read(&self.namespaces);
        namespaces.get(name).map(|(_, choice)| choice.clone())
    }

    pub(super) fn pull_secrets(&self, namespace: &str) -> Option<Arc<NamespaceSecrets>> {
        read(&self.secrets).get(namespace).cloned()
    }

    /// Whether a pull secret is on its way to a namespace that was just made.
    pub(super) fn awaits(&self, namespace: &str) -> bool {
        let promised = self.promises.of(namespace);
        if promised.is_empty() {
            return false;
        }
        let secrets = self.pull_secrets(namespace);
        let is_there = |name: &SmolStr| secrets.as_ref().is_some_and(|all| all.get(name).is_some());
        !promised.iter().all(is_there)
    }

    pub(super) fn account(&self, namespace: &str, name: &str) -> Option<Arc<ServiceAccount>> {
        read(&self.accounts).get(namespace)?.get(name).cloned()
    }

    pub(super) fn wants_list(&self, namespace: &str) -> bool {
        self.ledger().wants_list(namespace)
    }

    // === Namespaces ===

    /// A watch or a live look-up tells of a namespace.
    pub(super) fn apply_namespace(&self, name: &SmolStr, revision: u64, choice: Namespace) {
        let mut ledger = self.ledger();
        let opted_in = choice.mode.is_some();
        {
            let mut namespaces = write(&self.namespaces);
            let newer = |(seen, _): &Seen| revision == 0 || *seen <= revision;
            if !namespaces.get(name).is_none_or(newer) {
                return;
            }
            namespaces.insert(name.clone(), (revision, choice));
        }
        self.follow(&mut ledger, name, opted_in);
    }

    pub(super) fn delete_namespace(&self, name: &SmolStr) {
        let mut ledger = self.ledger();
        write(&self.namespaces).remove(name);
        self.follow(&mut ledger, name, false);
    }

    /// A list of all namespaces takes the place of what was known.
    pub(super) fn replace_namespaces(&self, mut listed: HashMap<SmolStr, Seen>) {
        let mut ledger = self.ledger();
        listed.shrink_to_fit();
        let opted_in: Vec<_> = listed
            .iter()
            .filter(|(_, (_, choice))| choice.mode.is_some())
            .map(|(name, _)| name.clone())
            .collect();
        let is_out = |name: &&SmolStr| {
            let choice = listed.get(*name).map(|(_, choice)| choice);
            choice.is_none_or(|choice| choice.mode.is_none())
        };
        let out: Vec<_> = ledger.tracked().filter(is_out).cloned().collect();
        *write(&self.namespaces) = listed;
        for name in out {
            self.follow(&mut ledger, &name, false);
        }
        for name in opted_in {
            self.follow(&mut ledger, &name, true);
        }
    }

    fn follow(&self, ledger: &mut Ledger, name: &SmolStr, opted_in: bool) {
        if !opted_in {
            self.metrics.forget_namespace(name);
            let news = ledger.forget(name);
            self.publish(ledger, news);
        } else if ledger.track(name) {
            // The receiver lives as long as the watches; without them nobody needs the list.
            let _ = self.to_list.send(name.clone());
        }
    }

    // === Pull secrets ===

    pub(super) fn secrets_list_begun(&self, kind: SecretType) {
        self.ledger().list_begun(kind);
    }

    pub(super) fn secrets_list_item(&self, item: &Item<'_>) {
        self.ledger().list_item(item);
    }

    pub(super) fn secrets_list_done(&self, kind: SecretType) {
        let mut ledger = self.ledger();
        let news = ledger.list_done(kind);
        self.publish(&ledger, news);
    }

    pub(super) fn apply_secret(&self, item: &Item<'_>) {
        let mut ledger = self.ledger();
        let news = ledger.applied(item);
        self.publish(&ledger, news);
    }

    pub(super) fn delete_secret(
        &self,
        kind: SecretType,
        namespace: &SmolStr,
        name: &SmolStr,
        revision: u64,
    ) {
        let mut ledger = self.ledger();
        let news = ledger.deleted(kind, namespace, name, revision);
        self.publish(&ledger, news);
    }

    pub(super) fn live_list_begun(&self, namespace: &str) -> Option<Stay> {
        self.ledger().live_list_begun(namespace)
    }

    pub(super) fn live_list_ended(
        &self,
        namespace: &SmolStr,
        stay: Option<Stay>,
        listed: Option<&Listed>,
    ) {
        let mut ledger = self.ledger();
        let news = ledger.live_list_ended(namespace, stay, listed);
        self.publish(&ledger, news);
    }

    /// Called with the ledger locked, so that news are published in the order in which they were found.
    fn publish(&self, ledger: &Ledger, news: News) {
        if news.is_empty() {
            return;
        }
        // Dropping hundreds of old keyrings is not for readers to wait for.
        let mut old = Vec::with_capacity(news.len());
        {
            let mut secrets = write(&self.secrets);
            for (namespace, built) in news {
                old.push(match built {
                    Some(built) => secrets.insert(namespace, built),
                    None => secrets.remove(&namespace),
                });
            }
        }
        drop(old);
        let (now, before) = (
            ledger.broken(),
            self.broken.swap(ledger.broken(), Ordering::Relaxed),
        );
        self.metrics.broken_pull_secrets(before, now);
    }

    // === Service accounts ===

    pub(super) fn apply_account(
        &self,
        namespace: SmolStr,
        name: SmolStr,
        account: Arc<ServiceAccount>,
    ) {
        let mut accounts = write(&self.accounts);
        accounts.entry(namespace).or_default().insert(name, account);
    }

    pub(super) fn delete_account(&self, namespace: &str, name: &str) {
        let mut accounts = write(&self.accounts);
        let Some(of_namespace) = accounts.get_mut(namespace) else {
            return;
        };
        of_namespace.remove(name);
        if of_namespace.is_empty() {
            accounts.remove(namespace);
        }
    }

    pub(super) fn replace_accounts(&self, listed: Accounts) {
        let old = std::mem::replace(&mut *write(&self.accounts), listed);
        drop(old);
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "state/tests.rs"]
mod tests;
