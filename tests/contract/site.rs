//! A namespace of a row's own, with webhooks that are called for it alone.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::hook::{self, Hook};
use crate::scripted::{Call, Scripted};
use crate::support::control_plane::{ControlPlane, Shared};
use crate::support::http_client::Reply;
use crate::support::wait;

// A new webhook configuration reaches the API server's own informer within milliseconds.
const LIMIT: Duration = Duration::from_secs(30);
const SENTINELS: &str = "sentinels";

pub const JSON: &str = "application/json";
pub const MERGE: &str = "application/merge-patch+json";
pub const STRATEGIC: &str = "application/strategic-merge-patch+json";
pub const APPLY: &str = "application/apply-patch+yaml";

/// What all rows share.
pub struct Lab {
    pub scripted: Scripted,
}

pub struct Site {
    pub plane: Shared,
    pub name: String,
    configurations: std::sync::Mutex<Vec<String>>,
}

/// What came of a request.
pub struct Made {
    pub status: u16,
    pub object: Value,
    pub warnings: Vec<String>,
    pub elapsed: Duration,
}

impl Lab {
    pub fn get() -> &'static Self {
        static LAB: OnceLock<Lab> = OnceLock::new();
        LAB.get_or_init(|| {
            namespace(&ControlPlane::shared(), SENTINELS, &json!({}));
            Self {
                scripted: Scripted::start(),
            }
        })
    }
}

impl Site {
    pub fn new() -> Self {
        Self::labelled(&json!({}))
    }

    pub fn labelled(labels: &Value) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("site-{:03}", NEXT.fetch_add(1, Ordering::Relaxed));
        Lab::get();
        let plane = ControlPlane::shared();
        namespace(&plane, &name, labels);
        Self {
            plane,
            name,
            configurations: std::sync::Mutex::default(),
        }
    }

    /// With these webhooks in one configuration.
    pub fn with(hooks: &[Hook]) -> Self {
        let site = Self::new();
        site.install("", hooks);
        site
    }

    /// Adds a configuration whose name ends so, and waits until the API server follows it.
    pub fn install(&self, suffix: &str, hooks: &[Hook]) {
        let hooks: Vec<_> = hooks
            .iter()
            .map(|hook| hook.clone().within(&self.name))
            .collect();
        let name = format!("{}{suffix}", self.name);
        self.configure(&name, &hooks);
        // The informer hands configurations on in the order in which they were made.
        let sentinel = Hook::new("/sentinel")
            .with("namespaceSelector", hook::by_name(SENTINELS))
            .with("objectSelector", json!({"matchLabels": {"site": name}}));
        self.configure(&format!("{name}-sentinel"), &[sentinel]);
        let probe = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "p-", "labels": {"site": name}},
            "spec": {"containers": [{"name": "c", "image": "x"}]}});
        let path = format!("/api/v1/namespaces/{SENTINELS}/pods?dryRun=All");
        wait::until("the webhook to be called", LIMIT, || {
            let reply = self.plane.request("POST", &path, Some(&probe));
            assert_eq!(reply.status, 201, "{}", reply.text());
            let called = reply.headers("warning");
            called.iter().any(|w| w.contains("sentinel")).then_some(())
        });
    }

    fn configure(&self, name: &str, hooks: &[Hook]) {
        let (status, answer) = hook::configure(&self.plane, name, hooks);
        assert_eq!(status, 201, "{answer}");
        let mut all = self.configurations.lock().expect("names");
        all.push(name.to_owned());
    }

    /// What the webhooks were asked by the administrator about objects of this site.
    pub fn calls(&self) -> Vec<Call> {
        Self::calls_of(|request| request["namespace"] == self.name.as_str())
    }

    /// What they were asked by the administrator, controllers left out.
    pub fn calls_of(wanted: impl Fn(&Value) -> bool) -> Vec<Call> {
        let by_admin = |call: &Call| call.request()["userInfo"]["username"] == "admin";
        let scripted = &Lab::get().scripted;
        scripted.calls(|call| by_admin(call) && wanted(call.request()))
    }

    /// A request below `/api/v1/namespaces/<site>/`.
    pub fn send(&self, method: &str, path: &str, content_type: &str, object: &Value) -> Made {
        let path = format!("/api/v1/namespaces/{}/{path}", self.name);
        self.send_to(method, &path, content_type, object)
    }

    pub fn send_to(&self, method: &str, path: &str, content_type: &str, object: &Value) -> Made {
        let started = Instant::now();
        let body = if object.is_null() {
            String::new()
        } else {
            object.to_string()
        };
        let reply = self.plane.send(method, path, content_type, body.as_bytes());
        let elapsed = started.elapsed();
        Made::new(&reply, elapsed)
    }

    /// Creates a Pod; `query` goes behind the path, with its question mark.
    pub fn create(&self, pod: &Value, query: &str) -> Made {
        self.send("POST", &format!("pods{query}"), JSON, pod)
    }

    /// The Pod, which the API server accepts.
    pub fn created(&self, pod: &Value) -> Made {
        let made = self.create(pod, "");
        assert_eq!(made.status, 201, "{}", made.object);
        made
    }

    pub fn patch(&self, path: &str, content_type: &str, patch: &Value) -> Made {
        self.send("PATCH", path, content_type, patch)
    }

    /// A ServiceAccount with one pull secret.
    pub fn account(&self, name: &str, secret: &str, annotations: &Value) {
        let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "annotations": annotations},
            "imagePullSecrets": [{"name": secret}]});
        let made = self.send("POST", "serviceaccounts", JSON, &account);
        assert_eq!(made.status, 201, "{}", made.object);
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        for name in self.configurations.lock().expect("names").drain(..) {
            self.plane.remove_webhook(&name);
        }
    }
}

impl Made {
    fn new(reply: &Reply, elapsed: Duration) -> Self {
        Self {
            status: reply.status,
            object: reply.json(),
            warnings: reply.headers("warning"),
            elapsed,
        }
    }
}

/// A namespace whose service account is there at once, without its controller.
fn namespace(plane: &ControlPlane, name: &str, labels: &Value) {
    let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}});
    let made = plane.request("POST", "/api/v1/namespaces", Some(&object));
    assert_eq!(made.status, 201, "{}", made.text());
    let account =
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}});
    let path = format!("/api/v1/namespaces/{name}/serviceaccounts");
    let made = plane.request("POST", &path, Some(&account));
    // The controller may have been faster.
    assert!(matches!(made.status, 201 | 409), "{}", made.text());
}
