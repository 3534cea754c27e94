//! What was listed: the namespaces, their pull secrets and accounts, and the shapes of their Pods.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use indicatif::ProgressBar;
use jiff::Timestamp;
use smol_str::SmolStr;

use super::{
    report::{FindingKind, Unchecked},
    shape::{Members, Shape, Shapes},
};
use crate::{
    admission::ports::{Namespace, ServiceAccount},
    cluster::inventory::{Holder, Inventory, NotListed},
    domain::{
        credentials::PodCredentials,
        policy::Mode,
        pull_secret::{NamespaceSecrets, PullSecret},
    },
};

/// What was listed.
#[derive(Default)]
pub(super) struct World {
    /// The namespaces, by name.
    pub(super) rooms: BTreeMap<SmolStr, Room>,
    /// The shapes of their Pods, in the order of namespace and workload.
    pub(super) shapes: Vec<(Shape, Members)>,
    /// What could not be listed.
    pub(super) unchecked: Vec<Unchecked>,
}

/// What a namespace has.
#[derive(Clone, Debug, Default)]
pub(super) struct Room {
    /// What its labels choose.
    pub(super) choice: Namespace,
    /// Its pull secrets; `None` where nobody could read them.
    pub(super) secrets: Option<Arc<NamespaceSecrets>>,
    /// When each was written.
    pub(super) written: HashMap<SmolStr, Timestamp>,
    /// Its service accounts.
    pub(super) accounts: HashMap<SmolStr, ServiceAccount>,
}

// === impl World ===

impl World {
    /// Lists what `inventory` sees; `templates`: objects with Pod templates too. What cannot be listed is noted, and the
    /// rest goes on.
    ///
    /// # Errors
    /// If the one namespace that is asked for does not exist.
    pub(super) async fn list(
        inventory: &Inventory,
        templates: bool,
        bar: &ProgressBar,
    ) -> anyhow::Result<Self> {
        let mut world = Self::default();
        bar.set_message("listing namespaces");
        match inventory.namespaces().await {
            Ok(Some(found)) => {
                for (name, choice) in found {
                    world.rooms.entry(name).or_default().choice = choice;
                }
            }
            Ok(None) => {
                anyhow::bail!("there is no such namespace; kubectl get namespaces lists them")
            }
            // Without labels, every namespace counts as one that is not opted in.
            Err(error) => world.cannot(error, &[]),
        }
        bar.set_message("listing pull secrets");
        match inventory.pull_secrets().await {
            Ok(found) => world.take_secrets(
                found
                    .into_iter()
                    .map(|s| (s.namespace, s.secret, s.written)),
            ),
            Err(error) => world.cannot(error, &FindingKind::WITH_SECRETS),
        }
        bar.set_message("listing service accounts");
        match inventory.accounts().await {
            Ok(found) => {
                for (namespace, name, account) in found {
                    if account != ServiceAccount::default() {
                        world
                            .rooms
                            .entry(namespace)
                            .or_default()
                            .accounts
                            .insert(name, account);
                    }
                }
            }
            Err(error) => world.cannot(
                error,
                &[FindingKind::MissingSecret, FindingKind::UnusedSecret],
            ),
        }
        world.list_pods(inventory, templates, bar).await;
        world.settle();
        Ok(world)
    }

    async fn list_pods(&mut self, inventory: &Inventory, templates: bool, bar: &ProgressBar) {
        let mut shapes = Shapes::default();
        let holders: &[Holder] = if templates { &Holder::TEMPLATES } else { &[] };
        for holder in [Holder::POD].iter().chain(holders) {
            let mut seen = 0_usize;
            let listed = inventory.objects(*holder, |object| {
                shapes.take(&object);
                seen += 1;
                bar.set_message(format!("listing {}s: {seen}", holder.name));
            });
            if let Err(error) = listed.await {
                self.cannot(error, &FindingKind::ALL);
            }
        }
        self.shapes = shapes.into_sorted();
    }

    fn take_secrets(
        &mut self,
        found: impl Iterator<Item = (SmolStr, Arc<PullSecret>, Option<Timestamp>)>,
    ) {
        let mut by_namespace: BTreeMap<SmolStr, Vec<Arc<PullSecret>>> = BTreeMap::new();
        for (namespace, secret, written) in found {
            let room = self.rooms.entry(namespace.clone()).or_default();
            if let Some(written) = written {
                room.written.insert(secret.name().clone(), written);
            }
            by_namespace.entry(namespace).or_default().push(secret);
        }
        for (namespace, secrets) in by_namespace {
            let room = self.rooms.entry(namespace).or_default();
            room.secrets = Some(Arc::new(NamespaceSecrets::new(secrets)));
        }
    }

    /// Each namespace with a Pod has a room, and pull secrets, perhaps none, if they could be listed at all.
    pub(super) fn settle(&mut self) {
        for (shape, _) in &self.shapes {
            if !self.rooms.contains_key(&shape.namespace) {
                self.rooms.insert(shape.namespace.clone(), Room::default());
            }
        }
        if self.unchecked.iter().any(|one| one.resource == "secrets") {
            return;
        }
        let none: Arc<NamespaceSecrets> = Arc::default();
        for room in self.rooms.values_mut() {
            room.secrets.get_or_insert_with(|| none.clone());
        }
        for (shape, _) in &mut self.shapes {
            if let Some(room) = self.rooms.get(&shape.namespace) {
                room.give_secrets(shape);
            }
        }
    }

    fn cannot(&mut self, error: NotListed, leaves_open: &[FindingKind]) {
        let NotListed {
            text,
            permission,
            is_forbidden,
        } = error;
        self.unchecked.push(Unchecked {
            verb: permission.verb,
            resource: permission.target.resource,
            namespace: permission.target.namespace,
            forbidden: is_forbidden,
            message: text,
            leaves_open: leaves_open.to_vec(),
        });
    }
}

// === impl Room ===

impl Room {
    /// The mode's label.
    pub(super) fn mode(&self) -> Option<&'static str> {
        self.choice.mode.map(Mode::as_str)
    }

    /// The credentials of a Pod of this shape.
    pub(super) fn credentials(&self, shape: &Shape) -> PodCredentials {
        let Some(secrets) = &self.secrets else {
            return PodCredentials::unread();
        };
        let account = self.accounts.get(&shape.account);
        let enforcing = account.filter(|account| account.enforces_mountable);
        let mountable = enforcing.map(|account| account.pull_secrets.clone());
        let names = shape.pull_secrets.iter().map(SmolStr::as_str);
        PodCredentials::new(names, Arc::clone(secrets), mountable)
    }

    /// The Pods of a template that names no pull secrets get those of their account; a Pod has them already.
    fn give_secrets(&self, shape: &mut Shape) {
        if shape.is_template
            && shape.pull_secrets.is_empty()
            && let Some(account) = self.accounts.get(&shape.account)
        {
            shape.pull_secrets.clone_from(&account.pull_secrets);
        }
    }
}
