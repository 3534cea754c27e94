//! Others who want the same Secret: another Registry, another controller.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{REGISTRIES, Site};
use crate::{
    lab::{Lab, eventually, lab},
    support::registry_part::{ALICE, BOB},
};

/// A second Registry, for bob and `beta`.
struct Second<'a> {
    site: &'a Site<'a>,
    name: String,
}

impl<'a> Second<'a> {
    fn of(site: &'a Site<'a>, change: impl FnOnce(&mut Value)) -> Self {
        let name = format!("{}-second", site.name);
        let secret = json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": name, "namespace": site.own,
                "annotations": {"cotter.dev/registry": name, "cotter.dev/host": site.host()}},
            "stringData": {"username": BOB.0, "password": BOB.1}});
        site.lab.plane.apply(&secret.to_string(), &[]).ok();
        let mut registry = site.registry(&[]);
        registry["metadata"]["name"] = json!(name);
        registry["spec"]["credentials"]["secretRef"]["name"] = json!(name);
        registry["spec"]["probe"]["repository"] = json!("beta/app");
        change(&mut registry);
        site.apply(&registry);
        Self { site, name }
    }

    fn becomes(&self, kind: &str, status: &str, reason: &str) -> String {
        self.site.becomes_of(&self.name, kind, status, reason)
    }
}

impl Drop for Second<'_> {
    fn drop(&mut self) {
        let path = format!("{REGISTRIES}/{}", self.name);
        self.site.lab.plane.request("DELETE", &path, None);
    }
}

#[test]
fn of_two_registries_the_older_keeps_the_secret_until_it_goes() {
    let lab = lab!();
    for deletion in ["Delete", "Retain"] {
        let site = Site::start(&lab);
        let shop = site.namespace("shop");
        let mut first = site.registry(&[&shop]);
        first["spec"]["deletion"] = json!(deletion);
        // Both are there before either can write.
        site.apply(&first);
        let second = Second::of(&site, |registry| {
            registry["spec"]["namespaces"] = json!({"names": [shop]});
        });
        let said = second.becomes("Synced", "False", "Conflict");
        let keeps = format!("Registry {} keeps the Secret regcred in {shop}", site.name);
        assert!(said.contains(&keeps), "{said}");
        site.credential(ALICE.1);
        site.becomes("Ready", "True", "Ready");
        assert_eq!(site.password(&shop).as_deref(), Some(ALICE.1));
        second.becomes("Synced", "False", "Conflict");

        lab.plane
            .request("DELETE", &format!("{REGISTRIES}/{}", site.name), None);
        second.becomes("Ready", "True", "Ready");
        eventually("the second one's credential", || {
            let entry = site.entry(&shop, site.host())?;
            (entry["password"] == BOB.1).then_some(())
        });
    }
}

#[test]
fn registries_of_one_host_with_different_owners_serve_one_pod() {
    let lab = lab!();
    let site = Site::start(&lab);
    let shop = format!("{}-shop", site.own);
    site.bare_namespace(&shop, &json!({"cotter.dev/mode": "enforce"}));
    site.credential(ALICE.1);
    let mut first = site.registry(&[&shop]);
    first["spec"]["owner"] = json!("acme");
    first["spec"]["pullSecret"]["name"] = json!("of-acme");
    site.apply(&first);
    let second = Second::of(&site, |registry| {
        registry["spec"]["owner"] = json!("beta");
        registry["spec"]["pullSecret"]["name"] = json!("of-beta");
        registry["spec"]["namespaces"] = json!({"names": [shop]});
    });
    site.becomes("Ready", "True", "Ready");
    second.becomes("Ready", "True", "Ready");
    let key = |owner: &str| format!("{}/{owner}/", site.host());
    for (secret, key) in [("of-acme", key("acme")), ("of-beta", key("beta"))] {
        let entry = site.entry_of(&shop, secret, &key);
        assert!(
            entry.is_some_and(|entry| entry.is_object()),
            "{secret}: {key}"
        );
    }

    let called = lab.called(&site.cotter, &shop);
    let containers = [("a", "acme/app:dev"), ("b", "beta/app:dev")]
        .map(|(name, image)| json!({"name": name, "image": lab.image(image)}));
    let spec = json!({"serviceAccountName": "web", "automountServiceAccountToken": false, "containers": containers});
    let made = called.create(&json!({"name": "web"}), &spec, "");
    assert_eq!(made.status, 201, "{}", made.object);
    let mut secrets = made.secrets();
    secrets.sort_unstable();
    assert_eq!(secrets, ["of-acme", "of-beta"], "{:?}", made.warnings);
    for (n, repository) in [(0, "acme/app"), (1, "beta/app")] {
        let image = made.object["spec"]["containers"][n]["image"].as_str();
        let digest = lab.tokens.digest(repository, "dev");
        assert!(
            image.is_some_and(|image| image.ends_with(&digest)),
            "{image:?}"
        );
    }
}

/// Changes the pull secret as soon as it is as it should be, for so long; how often that was.
fn fight(lab: &Lab, site: &Site<'_>, namespace: &str, time: Duration) -> u32 {
    let path =
        format!("/api/v1/namespaces/{namespace}/secrets/regcred?fieldManager=argocd-controller");
    let change = json!({"data": {".dockerconfigjson": "e30K"}}).to_string();
    let (start, mut times) = (Instant::now(), 0);
    while start.elapsed() < time {
        let entry = site.entry(namespace, site.host());
        if entry.is_some_and(|entry| entry["password"] == ALICE.1) {
            let sent = lab.plane.send(
                "PATCH",
                &path,
                "application/merge-patch+json",
                change.as_bytes(),
            );
            times += u32::from(sent.status == 200);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    times
}

#[test]
fn another_controller_is_named_and_not_raced() {
    let lab = lab!();
    let site = Site::start(&lab);
    let shop = site.ready_in("shop");
    let times = fight(&lab, &site, &shop, Duration::from_secs(15));
    // At once, at once, and after 1, 2, 4, 8 s.
    assert!((3..=7).contains(&times), "{times}");
    let said = site.becomes("Synced", "False", "Contested");
    let named = format!("argocd-controller keeps changing or deleting regcred in {shop}");
    assert!(said.contains(&named), "{said}");
    eventually("an Event names it", || {
        let events = crate::rights::events(&lab.plane, "default");
        let says = |event: &Value| {
            let is_about = event["regarding"]["name"] == site.name.as_str();
            is_about
                && event["note"]
                    .as_str()
                    .is_some_and(|note| note.contains(&named))
        };
        events.iter().any(says).then_some(())
    });
    let patience = Duration::from_secs(40);
    crate::support::wait::until("it is put back all the same", patience, || {
        let entry = site.entry(&shop, site.host())?;
        (entry["password"] == ALICE.1).then_some(())
    });
}
