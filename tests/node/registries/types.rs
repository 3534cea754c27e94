//! Every type of `Registry` under its real name: a credential that its registry refuses, one that it takes, and a Pod.

use serde_json::{Value, json};

use super::rows::{Account, Row, rows};
use super::{apply, becomes, credential, pull_secret, world::world};
use crate::cotter::{digest_of, enforced, running};
use crate::lab::{create, pod, ready};
use crate::support::node::vendors::{self, Vendors};
use crate::support::node::{Lab, install::NAMESPACE};
use crate::support::require;

const EVERY: &str = "every-type";

pub(super) fn every_type(lab: &Lab) {
    require!("moto_server");
    let world = world();
    enforced(lab, EVERY);
    let rows = rows(&world.exchanged(lab, "shop/"));
    for row in &rows {
        lab.registry.push(row.repository, row.name, &["dev"]);
    }
    // AWS makes a password for any keys, so it is the registry that refuses it: as for an identity that may not pull.
    let (of_aws, others): (Vec<&Row>, _) = rows.iter().partition(|row| row.host == vendors::ECR);
    for row in others {
        row.open(world);
    }
    let objects = |data: fn(&Account) -> &Value| rows.iter().flat_map(move |row| row.objects(data));
    apply(lab, objects(|account| &account.wrong));
    for row in &rows {
        row.is_refused(lab);
    }
    for row in of_aws {
        row.open(world);
    }
    apply(lab, objects(|account| &account.right));
    for row in &rows {
        row.is_ready(lab);
        let image = format!("{}/{}:dev", row.host, row.repository);
        create(lab, EVERY, "pods", &pod(row.name, &image));
    }
    for row in &rows {
        row.is_pulled(lab);
    }
    nothing_secret_was_told(lab, &rows);
}

impl Row {
    fn open(&self, world: &Vendors) {
        if let Some(Account { login, .. }) = &self.account {
            world.open(self.host, (login.0, &login.1), self.repository);
        }
    }

    /// The Registry, and the Secret where it has one.
    fn objects(&self, data: impl Fn(&Account) -> &Value) -> Vec<Value> {
        let mut spec = self.spec.clone();
        spec["namespaces"] = json!({"names": [EVERY]});
        spec["probe"] = json!({"repository": self.repository, "tag": "dev"});
        if self.account.is_some() {
            spec["credentials"] = json!({"secretRef": {"name": self.name}});
            spec["pullSecret"] = json!({"name": self.name});
        }
        let registry = json!({"apiVersion": "cotter.dev/v1alpha1", "kind": "Registry", "metadata": {"name": self.name},
            "spec": spec});
        let secret = self.account.as_ref();
        let secret = secret.map(|account| credential(self.name, self.host, data(account)));
        secret.into_iter().chain([registry]).collect()
    }

    fn is_refused(&self, lab: &Lab) {
        let Some(account) = &self.account else { return };
        let said = becomes(lab, self.name, "Authenticated", "False", "Refused");
        assert!(said.contains(account.remedy), "{}: {said}", self.name);
        assert_eq!(pull_secret(lab, EVERY, self.name), None, "{}", self.name);
    }

    fn is_ready(&self, lab: &Lab) {
        becomes(lab, self.name, "Ready", "True", "Ready");
        let brought = pull_secret(lab, EVERY, self.name).map(|(_, auths)| logins(&auths));
        let expected = self.account.as_ref();
        let expected =
            expected.map(|Account { login, auths, .. }| json!({*auths: [login.0, login.1]}));
        assert_eq!(brought, expected, "{}", self.name);
    }

    /// The Pod runs what was pushed, with the pull secret of this registry and no other.
    fn is_pulled(&self, lab: &Lab) {
        let pod = ready(lab, EVERY, self.name);
        let digest = lab.registry.digest(self.repository, "dev");
        let pinned = digest_of(&pod["spec"]["containers"][0]["image"]);
        assert_eq!(pinned, digest, "{}", self.name);
        assert_eq!(running(&pod), [digest], "{}", self.name);
        let expected = self.account.as_ref().map(|_| json!([{"name": self.name}]));
        let named = &pod["spec"]["imagePullSecrets"];
        assert_eq!(*named, json!(expected), "{}", self.name);
    }
}

impl Account {
    /// All that nobody is to read.
    fn secrets(&self) -> Vec<&str> {
        let data = [&self.wrong, &self.right].into_iter();
        let values = data.flat_map(|data| data.as_object().unwrap());
        let secret = values.filter(|(key, _)| !["username", "accessKeyId"].contains(&&***key));
        let secret = secret.filter_map(|(_, value)| value.as_str());
        secret.chain([&*self.login.1]).collect()
    }
}

/// User and password of each entry.
fn logins(auths: &Value) -> Value {
    let all = auths.as_object().unwrap().iter();
    all.map(|(key, entry)| (key.clone(), json!([entry["username"], entry["password"]])))
        .collect()
}

fn nothing_secret_was_told(lab: &Lab, rows: &[Row]) {
    let logs = [
        "-n",
        NAMESPACE,
        "logs",
        "deployment/cotter",
        "--all-pods",
        "--tail=-1",
    ];
    let events = ["get", "events", "--all-namespaces", "-o", "yaml"];
    let registries = ["get", "registries.cotter.dev", "-o", "yaml"];
    for place in [&logs[..], &events[..], &registries[..]] {
        let told = lab.plane.kubectl(place).ok();
        assert!(told.contains("cotter"), "{place:?} tell nothing");
        for row in rows {
            let secrets = row.account.iter().flat_map(Account::secrets);
            let read = secrets.filter(|secret| told.contains(secret)).count();
            assert_eq!(read, 0, "{}: {place:?}", row.name);
        }
    }
}
