//! Scripted clusters and registries.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::{FutureExt as _, future::BoxFuture};
use indicatif::ProgressBar;
use serde_json::{Value, json};

use crate::{
    admission::ports::{Ask, Registry, ServiceAccount},
    cli::audit::{
        look,
        once::{Images, Made},
        report::{Finding, Report},
        shape::Shapes,
        terms,
        world::{Room, World},
    },
    cluster::inventory::{Holder, PodStatus, Running, Seen},
    config::file::FileConfig,
    domain::{
        digest::Digest,
        docker_config::SecretType,
        json,
        policy::{Cause, Mode},
        pull_secret::{NamespaceSecrets, PullSecret},
        question::{Failure, Resolution, Resolved},
        slots::List,
    },
    registry::{members::Members, reading::Place},
};

/// A cluster and its registries.
#[derive(Default)]
pub(super) struct Scene {
    pub(super) shapes: Shapes,
    pub(super) world: World,
    registry: Fake,
    pub(super) file: FileConfig,
}

/// Registries that answer from a script, and count.
#[derive(Clone, Default)]
pub(super) struct Fake(pub(super) Arc<Mutex<Script>>);

#[derive(Default)]
pub(super) struct Script {
    /// By image and user (empty: nobody).
    meanings: HashMap<(String, String), Result<String, Cause>>,
    members: HashMap<Digest, Members>,
    pub(super) asked: HashMap<(String, String), usize>,
}

impl Registry for Fake {
    fn known(&self, _: &Ask) -> Option<Resolution> {
        None
    }

    fn resolve(&self, ask: Ask) -> BoxFuture<'_, Resolution> {
        let mark = if ask.tag.contains(':') { '@' } else { ':' };
        let image = format!("{}/{}{mark}{}", ask.host, ask.repository, ask.tag);
        let user = ask.credential.as_ref().map(|c| c.username().to_vec());
        let user = String::from_utf8(user.unwrap_or_default()).unwrap();
        let mut script = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *script
            .asked
            .entry((image.clone(), user.clone()))
            .or_default() += 1;
        let answer = match script.meanings.get(&(image, user)) {
            Some(Ok(content)) => Ok(Resolved {
                digest: digest(content),
                sha_tag: None,
                stale: None,
            }),
            Some(Err(cause)) => Err(Failure::new(*cause, "scripted")),
            None => Err(Failure::new(Cause::Unauthorized, "scripted")),
        };
        std::future::ready(answer).boxed()
    }
}

impl Images for Fake {
    fn members(&self, _: Place, digest: Digest) -> BoxFuture<'static, Made> {
        let script = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let made = script.members.get(&digest).cloned();
        let gone = || Failure::new(Cause::Unavailable, "scripted");
        std::future::ready(made.map(Arc::new).ok_or_else(gone)).boxed()
    }
}

pub(super) fn digest(content: &str) -> Digest {
    Digest::of(content.as_bytes())
}

pub(super) fn running(repository: &str, content: &str) -> String {
    format!("{repository}@{}", digest(content))
}

/// The data of a pull secret for a host, of a user named like it.
pub(super) fn auths(host: &str, user: &str) -> Value {
    json!({"auths": {host: {"username": user, "password": "hunter2"}}})
}

impl Scene {
    pub(super) fn means(self, image: &str, user: &str, content: &str) -> Self {
        self.script(image, user, Ok(content.to_owned()))
    }

    pub(super) fn fails(self, image: &str, user: &str, cause: Cause) -> Self {
        self.script(image, user, Err(cause))
    }

    pub(super) fn script(self, image: &str, user: &str, answer: Result<String, Cause>) -> Self {
        let key = (image.to_owned(), user.to_owned());
        self.registry.0.lock().unwrap().meanings.insert(key, answer);
        self
    }

    pub(super) fn made_of(self, image: &str, manifests: &[&str]) -> Self {
        let members = Members {
            manifests: manifests.iter().map(|one| digest(one)).collect(),
            configs: vec![digest(&format!("{image}-config"))],
        };
        self.registry
            .0
            .lock()
            .unwrap()
            .members
            .insert(digest(image), members);
        self
    }

    pub(super) fn room(&mut self, namespace: &str) -> &mut Room {
        self.world.rooms.entry(namespace.into()).or_default()
    }

    pub(super) fn mode(mut self, namespace: &str, mode: Mode) -> Self {
        self.room(namespace).choice.mode = Some(mode);
        self
    }

    pub(super) fn secret(mut self, namespace: &str, name: &str, data: &Value) -> Self {
        let data = data.to_string();
        let secret = PullSecret::read(name, SecretType::DockerConfigJson, data.as_bytes());
        let room = self.room(namespace);
        let known = room.secrets.take().unwrap_or_default();
        let all = known.iter().cloned().chain([Arc::new(secret)]);
        room.secrets = Some(Arc::new(NamespaceSecrets::new(all)));
        self
    }

    pub(super) fn written(mut self, namespace: &str, name: &str, at: &str) -> Self {
        let at = at.parse().unwrap();
        self.room(namespace).written.insert(name.into(), at);
        self
    }

    pub(super) fn account(mut self, namespace: &str, name: &str, pull_secrets: &[&str]) -> Self {
        let account = ServiceAccount {
            pull_secrets: pull_secrets.iter().map(|&name| name.into()).collect(),
            enforces_mountable: false,
        };
        self.room(namespace).accounts.insert(name.into(), account);
        self
    }

    /// A Pod of Deployment `web`, with one container.
    pub(super) fn pod(
        self,
        namespace: &str,
        image: &str,
        secrets: &[&str],
        image_id: &str,
    ) -> Self {
        self.object(Holder::POD, namespace, image, secrets, image_id, false)
    }

    pub(super) fn object(
        mut self,
        holder: Holder,
        namespace: &str,
        image: &str,
        secrets: &[&str],
        image_id: &str,
        is_over: bool,
    ) -> Self {
        let names: Vec<_> = secrets.iter().map(|name| json!({"name": name})).collect();
        let spec =
            json!({"containers": [{"name": "app", "image": image}], "imagePullSecrets": names});
        let owner = json!([{"kind": "ReplicaSet", "name": "web-7d9", "controller": true}]);
        let object = match holder.name {
            "Pod" => {
                json!({"metadata": {"name": "web-7d9-x", "namespace": namespace, "ownerReferences": owner},
                "spec": spec})
            }
            _ => {
                json!({"metadata": {"name": "web", "namespace": namespace}, "spec": {"template": {"spec": spec}}})
            }
        };
        let text = object.to_string();
        let object = json::read(&text).unwrap();
        let running = Running {
            list: List::Containers,
            name: "app".into(),
            image_id: image_id.into(),
        };
        let running = (!image_id.is_empty()).then_some(running);
        self.shapes.take(&Seen {
            holder,
            object: &object,
            status: PodStatus {
                is_over,
                running: running.into_iter().collect(),
            },
            template_hash: Some("7d9"),
        });
        self.room(namespace).secrets.get_or_insert_default();
        self
    }

    pub(super) async fn audit(mut self) -> (Report, Fake) {
        self.world.shapes = std::mem::take(&mut self.shapes).into_sorted();
        let terms = terms(self.registry.clone(), &self.file);
        let now = "2026-06-01T12:00:00Z".parse().unwrap();
        let report = look(&self.world, &terms, &self.file, &ProgressBar::hidden(), now).await;
        (report, self.registry)
    }

    pub(super) async fn findings(self) -> Vec<(String, String)> {
        let (report, _) = self.audit().await;
        report.findings.iter().map(short).collect()
    }
}

pub(super) fn short(finding: &Finding) -> (String, String) {
    let what = finding.secret.as_deref().or(finding.image.as_deref());
    (
        finding.kind.as_str().to_owned(),
        what.unwrap_or_default().to_owned(),
    )
}

pub(super) fn found(kind: &str, what: &str) -> (String, String) {
    (kind.to_owned(), what.to_owned())
}
