//! Reviews of whole objects, with registries that answer what a test says.

mod failures;
mod injection;
mod marks;
mod pins;
mod updates;

use std::sync::Arc;

use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::domain::{
    assess::assess,
    credentials::secret_names,
    digest::Digest,
    docker_config::SecretType,
    injection::{Need, Serves, decide},
    object::{IMAGES, UNPINNED},
    policy::{Allow, OnFailure, Pin, ShortNames, Verdict as Deny},
    pull_secret::{NamespaceSecrets, PullSecret},
    question::{Failure, Resolution},
    scope::{Operation, Request, Scope, scope},
};

const DEV: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// A review of an object, with registries that answer what a test says.
struct Review {
    object: Value,
    old: Option<Value>,
    kind: Kind,
    operation: Operation,
    subresource: &'static str,
    mode: Mode,
    policy: Policy,
    /// What asking for a repository with a secret (`""`: anonymously) is answered; [`DEV`] if nothing is said.
    answers: Vec<(&'static str, &'static str, Resolution)>,
    secrets: Vec<(&'static str, Value)>,
}

impl Review {
    fn of(object: Value) -> Self {
        Self {
            object,
            old: None,
            kind: Kind::Pod,
            operation: Operation::Create,
            subresource: "",
            mode: Mode::Enforce,
            policy: Policy::default(),
            answers: Vec::new(),
            secrets: Vec::new(),
        }
    }

    fn image(image: &str) -> Self {
        Self::of(json!({"metadata": {}, "spec": {"containers": [{"name": "app", "image": image}]}}))
    }

    fn update(mut self, old: Value) -> Self {
        (self.operation, self.old) = (Operation::Update, Some(old));
        self
    }

    fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    fn answer(
        mut self,
        repository: &'static str,
        secret: &'static str,
        resolution: Resolution,
    ) -> Self {
        self.answers.push((repository, secret, resolution));
        self
    }

    fn secret(mut self, name: &'static str, servers: &[&str]) -> Self {
        let auth = |server: &&str| {
            (
                (*server).to_owned(),
                json!({"username": name, "password": "p"}),
            )
        };
        let auths: serde_json::Map<_, _> = servers.iter().map(auth).collect();
        self.secrets.push((name, json!({ "auths": auths })));
        self
    }

    fn resolve(&self, repository: &str, secret: &str) -> Resolution {
        let told = self
            .answers
            .iter()
            .find(|(r, s, _)| *r == repository && *s == secret);
        told.map_or_else(|| Ok(resolved()), |(.., resolution)| resolution.clone())
    }

    fn credentials(&self, object: &Object<'_>) -> PodCredentials {
        let read = |(name, config): &(&str, Value)| {
            let data = config.to_string();
            Arc::new(PullSecret::read(
                name,
                SecretType::DockerConfigJson,
                data.as_bytes(),
            ))
        };
        let namespace = Arc::new(NamespaceSecrets::new(self.secrets.iter().map(read)));
        let spec = self.kind.pod_spec(object).unwrap();
        PodCredentials::new(secret_names(spec), namespace, None)
    }

    fn answers(
        &self,
        assessed: &[Assessed<'_>],
        credentials: &PodCredentials,
        injectable: bool,
    ) -> Vec<Answer> {
        let answer = |assessed: &Assessed<'_>| {
            let Some(canonical) = assessed.canonical() else {
                return Answer::default();
            };
            let mut answer = Answer {
                candidates: credentials.candidates(canonical.reference.lookup_name(), injectable),
                ..Answer::default()
            };
            if matches!(assessed.verdict, Verdict::Ask(_)) {
                for (index, candidate) in answer.candidates.list.iter().enumerate() {
                    let secret = candidate.secret.as_deref().unwrap_or_default();
                    let resolution = self.resolve(canonical.repository(), secret);
                    let found = resolution.is_ok();
                    answer.attempts.push((index, resolution));
                    if found {
                        break;
                    }
                }
            }
            answer
        };
        assessed.iter().map(answer).collect()
    }

    fn plan(&self) -> Plan {
        let (text, old) = (
            self.object.to_string(),
            self.old.as_ref().map(Value::to_string),
        );
        let object: Object<'_> = crate::domain::json::read(&text).unwrap();
        let old: Option<Object<'_>> = old
            .as_deref()
            .map(|old| crate::domain::json::read(old).unwrap());
        let request = Request {
            operation: self.operation,
            kind: self.kind,
            subresource: self.subresource,
        };
        let (slots, restored, reach) = match scope(&request, &object, old.as_ref()) {
            Scope::LeftAlone => return Plan::default(),
            Scope::Template(slots) => (slots, Vec::new(), None),
            Scope::Pod {
                slots,
                restored,
                reach,
            } => (slots, restored, Some(reach)),
        };
        let assessed: Vec<_> = slots
            .into_iter()
            .map(|slot| assess(slot, &self.policy, false))
            .collect();
        let credentials = self.credentials(&object);
        let injectable = matches!(reach, None | Some(Reach::Whole));
        let answers = self.answers(&assessed, &credentials, injectable);
        let injection = self.injection(&assessed, &answers, &credentials, injectable);
        plan(&Inputs {
            kind: self.kind,
            kind_name: "Deployment",
            object: &object,
            namespace: "shop",
            reach,
            mode: self.mode,
            policy: &self.policy,
            assessed: &assessed,
            answers: &answers,
            restored: &restored,
            credentials: &credentials,
            injection: &injection,
        })
    }

    fn injection(
        &self,
        assessed: &[Assessed<'_>],
        answers: &[Answer],
        credentials: &PodCredentials,
        injectable: bool,
    ) -> Injection {
        let images: Vec<_> = assessed
            .iter()
            .zip(answers)
            .filter_map(|(assessed, answer)| Some((assessed.canonical()?, answer)))
            .collect();
        let needs: Vec<_> = images
            .iter()
            .map(|(canonical, answer)| Need {
                lookup_name: canonical.reference.lookup_name(),
                candidates: &answer.candidates,
                resolved_by: answer.resolved().map(|(index, _)| index),
                asked: !answer.attempts.is_empty(),
                settled: false,
            })
            .collect();
        let serves = |index: usize, secret: &str| {
            let (canonical, _) = images[index];
            match self.resolve(canonical.repository(), secret) {
                Ok(_) => Serves::Yes,
                Err(_) => Serves::No,
            }
        };
        if injectable {
            decide(&needs, credentials, &serves)
        } else {
            Injection::default()
        }
    }

    /// The object after the patch.
    fn result(&self) -> Value {
        apply(&self.object, &self.plan())
    }
}

fn apply(object: &Value, plan: &Plan) -> Value {
    let mut document = object.clone();
    let patch: json_patch::Patch = serde_json::from_slice(&plan.patch.to_json()).unwrap();
    json_patch::patch(&mut document, &patch).unwrap();
    document
}

fn resolved() -> Resolved {
    Resolved {
        digest: Digest::parse(DEV).unwrap(),
        sha_tag: None,
        stale: None,
    }
}

fn failed(cause: Cause) -> Resolution {
    Err(Failure::new(cause, "10.0.0.1:443 said 418"))
}

fn image_of(object: &Value) -> &str {
    object["spec"]["containers"][0]["image"].as_str().unwrap()
}
