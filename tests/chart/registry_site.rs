//! A release of the chart, and people who make registries.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    release::{Bench, Release},
    replica::Replica,
    support::{command::Outcome, wait},
};

pub const FOLLOW: Duration = Duration::from_secs(30);

/// The garbage collector looks for new kinds every 30 s, and a kind that goes meanwhile may cost it that long again.
pub const COLLECT: Duration = Duration::from_mins(2);

/// The group of the administrators that the values name.
const ADMINS: &str = "platform-admins";

/// Everybody below may do everything, as far as RBAC goes.
const PEOPLE: &str = "people";

/// A release, and people who make registries.
pub struct Site<'b> {
    pub bench: &'b Bench,
    pub release: Release<'b>,
    name: &'static str,
}

impl<'b> Site<'b> {
    fn install(bench: &'b Bench, name: &'static str, values: &Value) -> Self {
        let mut values = values.clone();
        values["registries"] = json!({"adminGroups": [ADMINS]});
        let release = bench.install(&values);
        let established = [
            "wait",
            "--for=condition=Established",
            "--timeout=20s",
            "crd/registries.cotter.dev",
        ];
        bench.plane.kubectl(&established).ok();
        let binding = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": PEOPLE},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": PEOPLE}]});
        bench.plane.apply(&binding.to_string(), &[]).ok();
        Self {
            bench,
            release,
            name,
        }
    }

    /// With a cotter that is called for registries.
    pub fn serving(bench: &'b Bench, name: &'static str, values: &Value) -> (Self, Replica) {
        let site = Self::install(bench, name, values);
        let replica = Replica::serving(&site.release);
        wait::until("cotter to be called", FOLLOW, || {
            let tried = site.apply_as("alice", &site.registry(), &["--dry-run=server"]);
            (tried.code == 0).then_some(())
        });
        (site, replica)
    }

    /// kubectl as one of the people; the name may be followed by a group: `carol@platform-admins`.
    pub fn kubectl(&self, who: &str, args: &[&str], input: &str) -> Outcome {
        let (user, group) = who.split_once('@').unwrap_or((who, PEOPLE));
        let identity = [
            format!("--as={user}"),
            format!("--as-group={PEOPLE}"),
            format!("--as-group={group}"),
        ];
        let identity = identity.iter().map(String::as_str);
        let args: Vec<&str> = identity.chain(args.iter().copied()).collect();
        let kubeconfig = self.bench.plane.kubeconfig();
        self.bench.plane.kubectl_as(kubeconfig, &args, input)
    }

    pub fn apply_as(&self, who: &str, object: &Value, more: &[&str]) -> Outcome {
        let args: Vec<&str> = ["apply", "-f", "-"]
            .into_iter()
            .chain(more.iter().copied())
            .collect();
        self.kubectl(who, &args, &object.to_string())
    }

    pub fn patch_as(&self, who: &str, patch: &Value) -> Outcome {
        let patch = patch.to_string();
        let args = ["patch", "registry", self.name, "--type=merge", "-p", &patch];
        self.kubectl(who, &args, "")
    }

    pub fn delete_as(&self, who: &str, more: &[&str]) -> Outcome {
        let args: Vec<&str> = ["delete", "registry", self.name, "--timeout=60s"]
            .into_iter()
            .chain(more.iter().copied())
            .collect();
        self.kubectl(who, &args, "")
    }

    pub fn registry(&self) -> Value {
        json!({"apiVersion": "cotter.dev/v1alpha1", "kind": "Registry", "metadata": {"name": self.name},
            "spec": {"type": "Public", "host": "registry.example.com"}})
    }

    /// Waits until the garbage collector follows what happens to registries: one that is deleted in the foreground goes when
    /// the collector has seen that. What it has not seen by the time that the definition goes, it never collects.
    pub fn wait_for_the_collector(&self) {
        let mut seen = self.registry();
        seen["metadata"]["name"] = "seen".into();
        self.apply_as("alice", &seen, &[]).ok();
        let timeout = format!("--timeout={}s", COLLECT.as_secs());
        let delete = [
            "delete",
            "registry",
            "seen",
            "--cascade=foreground",
            &timeout,
        ];
        self.kubectl("alice", &delete, "").ok();
    }

    /// The Registry as it is; `None` where there is none.
    pub fn stored(&self) -> Option<Value> {
        let path = format!("/apis/cotter.dev/v1alpha1/registries/{}", self.name);
        let reply = self.bench.plane.request("GET", &path, None);
        (reply.status == 200).then(|| reply.json())
    }

    pub fn creator(&self) -> String {
        let stored = self.stored().unwrap();
        let creator = stored["metadata"]["annotations"]["cotter.dev/creator"].as_str();
        creator.unwrap_or_default().to_owned()
    }
}

/// Fails unless a command was refused with each of these words.
pub fn refused(outcome: Outcome, words: &[&str]) {
    let said = outcome.failed();
    for word in words {
        assert!(said.contains(word), "{word:?} not in {said}");
    }
}
