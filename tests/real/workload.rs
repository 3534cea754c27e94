//! Workloads of one container whose tag moves while they run.

use serde_json::{Value, json};

use crate::{
    lab::{Lab, Namespace, eventually, pinned, unique},
    support::image::Image,
};

/// An image of a test's own, and its tag `dev`.
pub struct Moving<'a> {
    lab: &'a Lab,
    repository: String,
    /// `host/repository:dev`.
    pub image: String,
}

impl<'a> Moving<'a> {
    pub fn new(lab: &'a Lab) -> Self {
        let repository = format!("public/{}", unique("moving"));
        let image = lab.image(&format!("{repository}:dev"));
        Self {
            lab,
            repository,
            image,
        }
    }

    /// Pushes a build as `dev`, and waits until no earlier answer counts as fresh. The image that a new revision gets.
    pub fn push(&self, seed: &str) -> String {
        let build = Image::new(&format!("{} {seed}", self.repository)).build();
        let digest = self.lab.tokens.push(&self.repository, &build, &["dev"]);
        // The default `resolve.fresh` is 2 s.
        std::thread::sleep(std::time::Duration::from_millis(2100));
        pinned(&self.image, &digest)
    }

    /// A workload of this kind called `web`, with one replica.
    pub fn workload(&self, ns: &Namespace<'_>, kind: &str) {
        let version = match kind {
            "ReplicationController" => "v1",
            "Job" => "batch/v1",
            _ => "apps/v1",
        };
        let labels = json!({"app": "web"});
        let container = json!({"name": "app", "image": self.image});
        let mut spec = json!({"replicas": 1, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}}});
        match kind {
            "StatefulSet" => spec["serviceName"] = "web".into(),
            "ReplicationController" => spec["selector"] = labels,
            "Job" => {
                spec.as_object_mut().unwrap().remove("selector");
                spec.as_object_mut().unwrap().remove("replicas");
                spec["parallelism"] = 1.into();
                spec["template"]["spec"]["restartPolicy"] = "Never".into();
            }
            _ => {}
        }
        let object =
            json!({"apiVersion": version, "kind": kind, "metadata": {"name": "web"}, "spec": spec});
        ns.kubectl(&["apply", "-f", "-"], &object.to_string()).ok();
    }
}

/// The Pods of a namespace that are not on their way out.
pub fn pods(ns: &Namespace<'_>) -> Vec<Value> {
    let list = ns.kubectl(&["get", "pods", "-o", "json"], "").ok();
    let list: Value = serde_json::from_str(&list).unwrap();
    let stays = |pod: &&Value| pod["metadata"]["deletionTimestamp"].is_null();
    let items = list["items"].as_array().unwrap();
    items.iter().filter(stays).cloned().collect()
}

/// The images of this many Pods, as soon as there are as many.
pub fn images(ns: &Namespace<'_>, number: usize) -> Vec<String> {
    let image = |pod: &Value| {
        pod["spec"]["containers"][0]["image"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    eventually(&format!("{number} Pods"), || {
        let pods = pods(ns);
        (pods.len() == number).then(|| pods.iter().map(image).collect())
    })
}
