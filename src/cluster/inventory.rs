//! What a cluster, or one namespace, holds of the things that an audit looks at: listed once, page by page, and handed
//! on as it comes. Nothing of a page is kept here.

mod pages;
mod secrets;
mod status;

use std::time::Duration;

use kube::{Api, Client, api::ListParams};
use smol_str::SmolStr;
use tokio::time::timeout;

use self::{
    pages::Pages,
    status::{Rest, rest},
};
pub use self::{
    secrets::DatedSecret,
    status::{PodStatus, Running},
};
use super::{
    errors::{Permission, Target, of_request},
    objects::{AccountObject, NamespaceObject, identity},
    pull_secrets::selector,
};
use crate::{
    admission::ports::{Namespace, ServiceAccount},
    domain::{docker_config::SecretType, json, object::Object, slots::Kind},
};

/// The longest that the API server may take for one page.
const PATIENCE: Duration = Duration::from_secs(30);
/// Objects of a page that is held in memory as a whole. A Pod with its managed fields has 10 to 30 kB.
const PAGE: u32 = 200;

/// Where to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Area {
    /// In all namespaces.
    Everywhere,
    /// In this one.
    Namespace(SmolStr),
}

/// What could not be listed, with what to do.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{text}")]
pub struct NotListed {
    /// One line for a person.
    pub text: String,
    /// What was asked for.
    pub permission: Permission,
    /// Whether it is for want of that right.
    pub is_forbidden: bool,
}

/// A kind of object that holds images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// How its images are found.
    pub kind: Kind,
    /// The kind as people call it.
    pub name: &'static str,
    /// Group and version: `apps/v1`, `v1`.
    api: &'static str,
    plural: &'static str,
    /// The plural with its group, as rights name it.
    resource: &'static str,
}

/// A Pod, or an object with a template, while its page is read.
#[derive(Debug)]
pub struct Seen<'a> {
    /// What it is.
    pub holder: Holder,
    /// The members that rules read.
    pub object: &'a Object<'a>,
    /// What runs of a Pod; empty for a template.
    pub status: PodStatus<'a>,
    /// `pod-template-hash`, with which a Deployment's `ReplicaSets` end.
    pub template_hash: Option<&'a str>,
}

/// Lists one cluster.
#[derive(Clone)]
pub struct Inventory {
    client: Client,
    area: Area,
}

// === impl Holder ===

impl Holder {
    /// `v1 Pod`.
    pub const POD: Self = Self::new(Kind::Pod, "Pod", "v1", "pods", "pods");

    /// The kinds with Pod templates.
    pub const TEMPLATES: [Self; 8] = [
        Self::new(
            Kind::Workload,
            "Deployment",
            "apps/v1",
            "deployments",
            "deployments.apps",
        ),
        Self::new(
            Kind::Workload,
            "StatefulSet",
            "apps/v1",
            "statefulsets",
            "statefulsets.apps",
        ),
        Self::new(
            Kind::Workload,
            "DaemonSet",
            "apps/v1",
            "daemonsets",
            "daemonsets.apps",
        ),
        Self::new(
            Kind::Workload,
            "ReplicaSet",
            "apps/v1",
            "replicasets",
            "replicasets.apps",
        ),
        Self::new(Kind::Workload, "Job", "batch/v1", "jobs", "jobs.batch"),
        Self::new(
            Kind::CronJob,
            "CronJob",
            "batch/v1",
            "cronjobs",
            "cronjobs.batch",
        ),
        Self::new(
            Kind::Workload,
            "ReplicationController",
            "v1",
            "replicationcontrollers",
            "replicationcontrollers",
        ),
        Self::new(
            Kind::PodTemplate,
            "PodTemplate",
            "v1",
            "podtemplates",
            "podtemplates",
        ),
    ];

    const fn new(
        kind: Kind,
        name: &'static str,
        api: &'static str,
        plural: &'static str,
        resource: &'static str,
    ) -> Self {
        Self {
            kind,
            name,
            api,
            plural,
            resource,
        }
    }

    fn path(&self, area: &Area) -> String {
        area.path(self.api, self.plural)
    }
}

// === impl Area ===

impl Area {
    fn namespace(&self) -> Option<&SmolStr> {
        match self {
            Self::Everywhere => None,
            Self::Namespace(namespace) => Some(namespace),
        }
    }

    fn path(&self, api: &str, plural: &str) -> String {
        let root = if api.contains('/') { "/apis" } else { "/api" };
        match self {
            Self::Everywhere => format!("{root}/{api}/{plural}"),
            Self::Namespace(namespace) => format!("{root}/{api}/namespaces/{namespace}/{plural}"),
        }
    }
}

// === impl Inventory ===

impl Inventory {
    /// An inventory of what `client` sees in `area`.
    #[must_use]
    pub fn new(client: Client, area: Area) -> Self {
        Self { client, area }
    }

    /// Hands each object of a kind to `each`.
    ///
    /// # Errors
    /// [`NotListed`]; `each` has had what came before.
    pub async fn objects(
        &self,
        holder: Holder,
        mut each: impl FnMut(Seen<'_>),
    ) -> Result<(), NotListed> {
        let fail = |text: String| self.failed(holder.resource, &text);
        let mut pages = Pages::new(&self.client, holder.path(&self.area), PAGE, "");
        while let Some(page) = self.page(&mut pages, holder.resource).await? {
            for item in page.items().map_err(&fail)? {
                let object: Object<'_> = json::read(item)
                    .map_err(|error| fail(format!("an object cannot be read: {error}")))?;
                let Rest {
                    status,
                    template_hash,
                } = rest(item).map_err(&fail)?;
                each(Seen {
                    holder,
                    object: &object,
                    status,
                    template_hash: template_hash.as_deref(),
                });
            }
        }
        Ok(())
    }

    /// All pull secrets.
    ///
    /// # Errors
    /// [`NotListed`]
    pub async fn pull_secrets(&self) -> Result<Vec<DatedSecret>, NotListed> {
        let path = self.area.path("v1", "secrets");
        let fail = |text: String| self.failed("secrets", &text);
        let mut found = Vec::new();
        for kind in [SecretType::DockerConfigJson, SecretType::DockerCfg] {
            let mut pages = Pages::new(&self.client, path.clone(), PAGE, selector(kind));
            while let Some(page) = self.page(&mut pages, "secrets").await? {
                for item in page.items().map_err(&fail)? {
                    found.extend(DatedSecret::read(item, kind).map_err(&fail)?);
                }
            }
        }
        Ok(found)
    }

    /// All service accounts, each with its namespace and name.
    ///
    /// # Errors
    /// [`NotListed`]
    pub async fn accounts(&self) -> Result<Vec<(SmolStr, SmolStr, ServiceAccount)>, NotListed> {
        let api: Api<AccountObject> = match &self.area {
            Area::Everywhere => Api::all(self.client.clone()),
            Area::Namespace(namespace) => Api::namespaced(self.client.clone(), namespace),
        };
        let mut params = ListParams::default().limit(PAGE);
        let mut found = Vec::new();
        loop {
            let page = self
                .ask("list", "serviceaccounts", api.list(&params))
                .await?;
            for object in page.items {
                let (namespace, name, _) = identity(&object);
                found.push((namespace, name, object.account));
            }
            let next = page.metadata.continue_.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(found);
            }
            params.continue_token = next;
        }
    }

    /// The namespaces and what their labels choose. In one namespace, `None` where it does not exist.
    ///
    /// # Errors
    /// [`NotListed`]
    pub async fn namespaces(&self) -> Result<Option<Vec<(SmolStr, Namespace)>>, NotListed> {
        let api: Api<NamespaceObject> = Api::all(self.client.clone());
        if let Area::Namespace(name) = &self.area {
            let found = self.ask("get", "namespaces", api.get_opt(name)).await?;
            return Ok(found.map(|object| vec![(name.clone(), object.choice)]));
        }
        let mut params = ListParams::default().limit(PAGE);
        let mut found = Vec::new();
        loop {
            let page = self.ask("list", "namespaces", api.list(&params)).await?;
            found.extend(page.items.into_iter().map(|object| {
                let (_, name, _) = identity(&object);
                (name, object.choice)
            }));
            let next = page.metadata.continue_.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(Some(found));
            }
            params.continue_token = next;
        }
    }

    async fn page(
        &self,
        pages: &mut Pages<'_>,
        resource: &'static str,
    ) -> Result<Option<pages::Page>, NotListed> {
        self.ask("list", resource, pages.next()).await
    }

    async fn ask<T>(
        &self,
        verb: &'static str,
        resource: &'static str,
        request: impl Future<Output = kube::Result<T>>,
    ) -> Result<T, NotListed> {
        let permission = self.permission(verb, resource);
        match timeout(PATIENCE, request).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                let failure = of_request(&error, verb, &permission.target);
                Err(NotListed {
                    text: failure.text,
                    is_forbidden: failure.missing.is_some(),
                    permission,
                })
            }
            Err(_) => {
                let waited = PATIENCE.as_secs();
                let text = format!("the API server gave no answer within {waited} s");
                Err(self.failed(resource, &text))
            }
        }
    }

    fn permission(&self, verb: &'static str, resource: &'static str) -> Permission {
        let target = match (verb, self.area.namespace()) {
            // A namespace is in none.
            ("get", Some(name)) => Target::one(resource, name, None),
            (_, namespace) => Target::all(resource, namespace),
        };
        Permission { verb, target }
    }

    fn failed(&self, resource: &'static str, text: &str) -> NotListed {
        let permission = self.permission("list", resource);
        NotListed {
            text: format!("cannot list {}: {text}", permission.target),
            permission,
            is_forbidden: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::core(Holder::POD, Area::Everywhere, "/api/v1/pods")]
    #[case::group(Holder::TEMPLATES[0], Area::Namespace("shop".into()), "/apis/apps/v1/namespaces/shop/deployments")]
    fn a_list_has_a_path(#[case] holder: Holder, #[case] area: Area, #[case] expected: &str) {
        assert_eq!(holder.path(&area), expected);
    }
}
