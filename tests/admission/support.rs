//! Reviews to send, and what comes back.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use cotter::{
    admission::{
        handler::Handler,
        ports::{Namespace, ServiceAccount},
        reviewer::{BadReview, ReviewRequest, Reviewer},
        settings::Settings,
    },
    domain::{
        docker_config::SecretType,
        policy::{Mode, Policy, PolicySet},
        pull_secret::{NamespaceSecrets, PullSecret},
        question::Resolution,
    },
    telemetry::metrics::Metrics,
};
use serde_json::{Value, json};

use crate::ports::{FakeCluster, FakeFindings, FakeRegistry, FakeSiblings};
pub(crate) use crate::ports::{digest_of, failed, found};

pub(crate) const NAMESPACE: &str = "shop";
pub(crate) const SHA_TAG: &str = "c6cd88ef7de43520f6e95fcb87e6f2452b45edd4";

pub(crate) struct World {
    pub(crate) registry: Arc<FakeRegistry>,
    pub(crate) cluster: Arc<FakeCluster>,
    pub(crate) siblings: Arc<FakeSiblings>,
    pub(crate) findings: Arc<FakeFindings>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) settings: Settings,
    pub(crate) timeout: Option<Duration>,
    pub(crate) arrived: Instant,
}

/// An answer, and the object with its patch applied.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) response: Value,
    pub(crate) object: Value,
    pub(crate) operations: Vec<Value>,
}

/// Pull secrets by name and servers; the user of each is the secret's name.
pub(crate) fn secrets(list: &[(&str, &[&str])]) -> Arc<NamespaceSecrets> {
    let read = |(name, servers): &(&str, &[&str])| {
        let auth = |server: &&str| {
            let entry = json!({"username": name, "password": "hunter2"});
            ((*server).to_owned(), entry)
        };
        let auths: serde_json::Map<_, _> = servers.iter().map(auth).collect();
        let data = json!({ "auths": auths }).to_string();
        let kind = SecretType::DockerConfigJson;
        Arc::new(PullSecret::read(name, kind, data.as_bytes()))
    };
    Arc::new(NamespaceSecrets::new(list.iter().map(read)))
}

pub(crate) fn mode(mode: Mode) -> Namespace {
    Namespace {
        mode: Some(mode),
        policy: None,
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let world = Self {
            registry: Arc::default(),
            cluster: Arc::default(),
            siblings: Arc::default(),
            findings: Arc::default(),
            metrics: Arc::default(),
            settings: Settings {
                policies: PolicySet::default(),
                fresh: Duration::from_secs(2),
                ttl: Duration::from_mins(1),
                timeout: Duration::from_secs(5),
                offline: false,
                node_held: Vec::new(),
            },
            timeout: Some(Duration::from_secs(10)),
            arrived: tokio::time::Instant::now().into_std(),
        };
        *world.cluster.namespace.lock().unwrap() = Some(mode(Mode::Enforce));
        world.secrets(&[])
    }

    pub(crate) fn secrets(self, list: &[(&str, &[&str])]) -> Self {
        *self.cluster.secrets.lock().unwrap() = Some(secrets(list));
        self
    }

    pub(crate) fn live_secrets(self, list: &[(&str, &[&str])]) -> Self {
        *self.cluster.live_secrets.lock().unwrap() = Some(secrets(list));
        self
    }

    pub(crate) fn mode(self, chosen: Mode) -> Self {
        *self.cluster.namespace.lock().unwrap() = Some(mode(chosen));
        self
    }

    pub(crate) fn policy(mut self, policy: Policy) -> Self {
        self.settings.policies = PolicySet::new("p", [("p".into(), policy)]).unwrap();
        self
    }

    pub(crate) fn answers(self, image: &str, who: &str, answer: Resolution) -> Self {
        self.registry.answers(image, who, answer);
        self
    }

    pub(crate) fn account(
        self,
        name: &str,
        pull_secrets: &[&str],
        enforces_mountable: bool,
    ) -> Self {
        let account = ServiceAccount {
            pull_secrets: pull_secrets.iter().copied().map(Into::into).collect(),
            enforces_mountable,
        };
        let accounts = &self.cluster.accounts;
        accounts.lock().unwrap().insert(name.to_owned(), account);
        self
    }

    pub(crate) async fn send(&self, body: impl Into<Bytes>) -> Result<Value, BadReview> {
        let settings = Arc::new(ArcSwap::from_pointee(self.settings.clone()));
        let (registry, cluster) = (self.registry.clone(), self.cluster.clone());
        let metrics = self.metrics.clone();
        let handler = Handler::new(registry, cluster, self.siblings.clone(), settings, metrics)
            .telling(self.findings.clone());
        let request = ReviewRequest {
            timeout: self.timeout,
            arrived: self.arrived,
        };
        let answer = handler.review(body.into(), request).await?;
        Ok(serde_json::from_slice(&answer).unwrap())
    }

    pub(crate) async fn review(&self, review: &Value) -> Reply {
        let answer = self.send(review.to_string()).await.unwrap();
        let response = answer["response"].clone();
        assert_eq!(response["uid"], review["request"]["uid"]);
        let patch = response["patch"].as_str().map_or_else(
            || b"[]".to_vec(),
            |patch| BASE64_STANDARD.decode(patch).unwrap(),
        );
        assert_eq!(response["patch"].is_null(), response["patchType"].is_null());
        let operations: Vec<Value> = serde_json::from_slice(&patch).unwrap();
        let mut object = review["request"]["object"].clone();
        apply(&mut object, &operations);
        for line in response["warnings"].as_array().into_iter().flatten() {
            let line = line.as_str().unwrap();
            let printable = !line.is_empty() && !line.chars().any(char::is_control);
            assert!(printable && line.chars().count() <= 200, "{line:?}");
        }
        Reply {
            response,
            object,
            operations,
        }
    }

    /// The reply to the CREATE of a Pod of these images.
    pub(crate) async fn create(&self, images: &[&str]) -> Reply {
        self.review(&create(pod(images))).await
    }
}

/// RFC 6902, and nothing that would take the place of a list or map that is there.
fn apply(object: &mut Value, operations: &[Value]) {
    for operation in operations {
        let path = operation["path"].as_str().unwrap();
        if operation["op"] == "add" {
            let there = object.pointer(path);
            let is_whole = there.is_some_and(|v| v.is_array() || v.is_object());
            assert!(!is_whole, "{operation} replaces what is there");
        }
        let one = json!([operation]);
        let single: json_patch::Patch = serde_json::from_value(one).unwrap();
        json_patch::patch(object, &single).unwrap_or_else(|e| panic!("{operation}: {e}"));
    }
}

impl Reply {
    pub(crate) fn allowed(&self) -> bool {
        self.response["allowed"] == true
    }

    pub(crate) fn warnings(&self) -> Vec<&str> {
        let list = self.response["warnings"].as_array();
        list.into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect()
    }

    pub(crate) fn warns(&self, of: &str) -> &Self {
        let found = self.warnings().iter().any(|line| line.contains(of));
        assert!(found, "no {of:?} in {:#?}", self.warnings());
        self
    }

    pub(crate) fn denial(&self) -> &str {
        self.response["status"]["message"]
            .as_str()
            .unwrap_or_default()
    }

    pub(crate) fn images(&self) -> Vec<&str> {
        images(&self.object)
    }

    pub(crate) fn secrets(&self) -> Vec<&str> {
        let list = self.object["spec"]["imagePullSecrets"].as_array();
        let names = list.into_iter().flatten();
        names.filter_map(|s| s["name"].as_str()).collect()
    }

    pub(crate) fn annotation(&self, name: &str) -> Value {
        let text = self.object["metadata"]["annotations"][name].as_str();
        text.map_or(Value::Null, |text| serde_json::from_str(text).unwrap())
    }
}

pub(crate) fn images(pod: &Value) -> Vec<&str> {
    let list = pod["spec"]["containers"].as_array();
    let list = list.into_iter().flatten();
    list.filter_map(|c| c["image"].as_str()).collect()
}

/// `image` and the digest that the registry gives its tag.
pub(crate) fn pinned(image: &str) -> String {
    format!("{image}@{}", digest_of(image).as_str())
}

/// A Pod of these images; its containers are `c0`, `c1`, …
pub(crate) fn pod(images: &[&str]) -> Value {
    let container = |(n, image): (usize, &&str)| json!({"name": format!("c{n}"), "image": image});
    let containers: Vec<_> = images.iter().enumerate().map(container).collect();
    json!({"metadata": {"generateName": "p-", "namespace": NAMESPACE}, "spec": {"containers": containers}})
}

pub(crate) fn with_secrets(mut pod: Value, names: &[&str]) -> Value {
    let list: Vec<_> = names.iter().map(|name| json!({"name": name})).collect();
    pod["spec"]["imagePullSecrets"] = list.into();
    pod
}

pub(crate) fn deployment(pod: &Value) -> Value {
    json!({"metadata": {"name": "d", "namespace": NAMESPACE},
        "spec": {"template": {"metadata": pod["metadata"], "spec": pod["spec"]}}})
}

pub(crate) fn create(object: Value) -> Value {
    review("", "Pod", "CREATE", object, Value::Null)
}

pub(crate) fn update(object: Value, old: Value) -> Value {
    review("", "Pod", "UPDATE", object, old)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "each review has an object of its own"
)]
pub(crate) fn review(group: &str, kind: &str, operation: &str, object: Value, old: Value) -> Value {
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "u-1", "kind": {"group": group, "version": "v1", "kind": kind},
        "namespace": NAMESPACE, "operation": operation, "dryRun": false,
        "object": object, "oldObject": old}})
}
