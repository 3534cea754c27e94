//! `case` rows about webhook configurations that the API server refuses or accepts.

use serde_json::{Value, json};

use crate::hook::{CONFIGURATIONS, Hook, configure};
use crate::rows::{Row, Scenario};
use crate::seen::Seen;
use crate::site::{Made, Site};

pub const SCENARIOS: &[Scenario] = &[
    ("v1 webhook config sideEffects Some", |_| {
        configured("v-side", Hook::new("/ok").with("sideEffects", "Some"))
    }),
    ("versions [v2] config", |_| {
        configured(
            "v-version",
            Hook::new("/ok").with("admissionReviewVersions", json!(["v2"])),
        )
    }),
    ("timeoutSeconds 0 accepted", |_| {
        configured("v-zero", Hook::new("/ok").with("timeoutSeconds", 0))
    }),
    ("timeoutSeconds 31 accepted", |_| {
        configured("v-long", Hook::new("/ok").with("timeoutSeconds", 31))
    }),
    ("caBundle not PEM accepted", |_| {
        configured("v-pem", Hook::new("/ok").ca(Some("no PEM")))
    }),
    ("clientConfig ", |row| {
        let client: Value = serde_json::from_str(row.rest("clientConfig ")).expect("JSON");
        configured("v", Hook::new("/ok").with("clientConfig", client))
    }),
    ("webhook name ", |row| named(row)),
];

fn named(row: &Row) -> Seen {
    let name = row.rest("webhook name ");
    let object = if row.expected()["http"] == 201 {
        "v-name"
    } else {
        "v"
    };
    configured(object, Hook::new("/ok").named(name))
}

/// Makes a configuration that no namespace is selected by, and removes it.
fn configured(name: &str, hook: Hook) -> Seen {
    let site = Site::new();
    let (status, object) = configure(&site.plane, name, &[hook.within("nowhere")]);
    if status == 201 {
        let path = format!("{CONFIGURATIONS}/{name}");
        assert_eq!(site.plane.request("DELETE", &path, None).status, 200);
    }
    let made = Made {
        status,
        object,
        warnings: Vec::new(),
        elapsed: std::time::Duration::ZERO,
    };
    Seen::of(&site, &made)
}
