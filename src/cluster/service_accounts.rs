//! The watch of service accounts: their pull secrets, and whether only those may be used.

use std::{collections::HashMap, sync::Arc};

use super::{
    objects::{AccountObject, identity},
    state::{Accounts, State},
    watch::Sink,
};
use crate::admission::ports::ServiceAccount;

#[derive(Debug)]
pub(super) struct ServiceAccounts {
    state: Arc<State>,
    staged: Accounts,
    /// Most accounts say nothing of pull secrets; they share one value.
    plain: Arc<ServiceAccount>,
}

impl ServiceAccounts {
    pub(super) fn new(state: Arc<State>) -> Self {
        Self {
            state,
            staged: HashMap::new(),
            plain: Arc::default(),
        }
    }

    fn shared(&self, account: ServiceAccount) -> Arc<ServiceAccount> {
        if account == *self.plain {
            self.plain.clone()
        } else {
            Arc::new(account)
        }
    }
}

impl Sink for ServiceAccounts {
    type Object = AccountObject;

    fn begin(&mut self) {
        self.staged = HashMap::new();
    }

    fn listed(&mut self, object: AccountObject) {
        let (namespace, name, _) = identity(&object);
        let account = self.shared(object.account);
        let of_namespace = self.staged.entry(namespace).or_default();
        of_namespace.insert(name, account);
    }

    fn done(&mut self) {
        self.state
            .replace_accounts(std::mem::take(&mut self.staged));
    }

    fn applied(&mut self, object: AccountObject) {
        let (namespace, name, _) = identity(&object);
        let account = self.shared(object.account);
        self.state.apply_account(namespace, name, account);
    }

    fn deleted(&mut self, object: AccountObject) {
        let (namespace, name, _) = identity(&object);
        self.state.delete_account(&namespace, &name);
    }
}
