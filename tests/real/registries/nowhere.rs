//! Nothing secret is told: not in the status, in Events, in the log at its most talkative, in metrics or in readiness.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use super::{REGISTRIES, Site};
use crate::{
    lab::{Cotter, config, lab, seeded},
    support::{
        registry_part::{ALICE, Registry},
        token_server::Grant,
    },
};

/// Passwords whose spellings differ from encoding to encoding: two that work, one after the other, and one that never does.
const FIRST: &str = "first+s3cr\"t/öne&more";
const SECOND: &str = "second s3cr%t:two?more";
const WRONG: &str = "wrong\\s3cr<t>#three";
/// Who has the second password.
const OTHER: &str = "albert";

/// A password as it could slip through.
fn spellings(user: &str, password: &str) -> Vec<String> {
    let both = format!("{user}:{password}");
    let quoted = json!(password).to_string();
    let debugged = format!("{password:?}");
    let mut all = vec![
        password.to_owned(),
        quoted.trim_matches('"').to_owned(),
        debugged.trim_matches('"').to_owned(),
        utf8_percent_encode(password, NON_ALPHANUMERIC).to_string(),
        format!("{:?}", password.as_bytes()),
    ];
    for text in [password, &both] {
        all.push(STANDARD.encode(text));
        // The same in the middle of something longer.
        all.push(URL_SAFE_NO_PAD.encode(text));
        all.push(STANDARD.encode(text).trim_end_matches('=').to_owned());
    }
    all
}

/// What is told of a Registry, as it goes on.
struct Ear<'a> {
    site: &'a Site<'a>,
    told: String,
}

impl Ear<'_> {
    fn listen(&mut self) {
        let Site {
            lab, name, cotter, ..
        } = self.site;
        let own = lab.plane.get(&format!("{REGISTRIES}/{name}"));
        let described = lab
            .plane
            .kubectl(&["describe", "registries.cotter.dev", name]);
        self.told.push_str(&own["status"].to_string());
        self.told.push_str(&described.stdout);
        for page in ["/metrics", "/readyz?verbose"] {
            self.told.push_str(&cotter.ops(page).1);
        }
    }

    /// What is left when all is over.
    fn end(mut self, namespaces: &[&str]) -> String {
        for namespace in namespaces {
            for event in crate::rights::events(&self.site.lab.plane, namespace) {
                self.told.push_str(&event.to_string());
            }
        }
        let log = self.site.cotter.log();
        assert!(log.contains("DEBUG"), "the log is at its most talkative");
        self.told + &log
    }
}

/// A credential that works, one that does not, another one, a conflict, two that cannot be, none, the end.
fn live(site: &Site<'_>, registry: &Registry) -> String {
    let mut ear = Ear {
        site,
        told: String::new(),
    };
    let (shop, taken) = (site.namespace("shop"), site.namespace("taken"));
    let mut object = site.registry(&[&shop]);
    object["spec"]["host"] = json!(registry.host());
    let login = |user: &str, password: &str| json!({"username": user, "password": password});
    site.apply(&object);
    let colon = json!({"username": format!("{OTHER}:{FIRST}"), "password": SECOND, "token": FIRST});
    let misspelt = json!({"username": FIRST, "passwort": SECOND});
    for (keys, kind, status, reason) in [
        (login(ALICE.0, FIRST), "Ready", "True", "Ready"),
        (login(ALICE.0, WRONG), "Authenticated", "False", "Degraded"),
        (login(OTHER, SECOND), "Ready", "True", "Ready"),
        (misspelt, "Valid", "False", "Invalid"),
        (login(OTHER, SECOND), "Ready", "True", "Ready"),
        (colon, "Valid", "False", "Invalid"),
        (login(OTHER, SECOND), "Ready", "True", "Ready"),
    ] {
        site.secret_for(registry.host(), &keys);
        site.becomes(kind, status, reason);
        ear.listen();
    }
    let plane = &site.lab.plane;
    plane.pull_secret(&taken, "regcred", &registry.docker_config(OTHER, SECOND));
    object["spec"]["namespaces"]["names"] = json!([shop, taken]);
    site.apply(&object);
    site.becomes("Synced", "False", "Conflict");
    ear.listen();
    let credential = format!("/api/v1/namespaces/{}/secrets/{}", site.own, site.name);
    plane.request("DELETE", &credential, None);
    site.becomes("Valid", "False", "NoCredential");
    ear.listen();
    site.delete();
    ear.end(&["default", &site.own, &shop])
}

#[test]
fn nothing_secret_is_told_anywhere_in_the_life_of_a_registry() {
    let lab = lab!();
    let users = [(ALICE.0, FIRST), (OTHER, SECOND)];
    let grants = [ALICE.0, OTHER].map(|user| Grant::new(user, "acme/", &["pull"]));
    let registry = seeded(Registry::with_tokens(&users, grants.to_vec()));
    let site = Site::start_by(&lab, |own| {
        let args = ["--registries", "--namespace", own, "--pod-name", "cotter-0"];
        let talkative = [&args[..], &["--log-level", "debug"]].concat();
        Cotter::start_with(&lab.plane, &config(&[&registry], ""), &talkative)
    });
    let told = live(&site, &registry);
    for part in [&*site.name, "Degraded", "Conflict", "pull secret written"] {
        assert!(told.contains(part), "{part}");
    }
    for (user, password) in [(ALICE.0, FIRST), (OTHER, SECOND), (ALICE.0, WRONG)] {
        for spelling in spellings(user, password) {
            let line = line_with(&told, &spelling);
            assert!(line.is_none(), "{spelling}: {line:?}");
        }
    }
    // What the token server gave, and what stands in a header.
    for part in ["eyJ", "Bearer ey", "Basic "] {
        let line = line_with(&told, part);
        assert!(line.is_none(), "{part}: {line:?}");
    }
}

fn line_with<'t>(told: &'t str, part: &str) -> Option<&'t str> {
    told.lines().find(|line| line.contains(part))
}
