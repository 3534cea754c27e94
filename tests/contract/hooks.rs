//! `hook` rows: one scripted answer, under both failure policies.

use serde_json::{Value, json};

use crate::hook::Hook;
use crate::pods::pod;
use crate::rows::Row;
use crate::scripted::Call;
use crate::seen::Seen;
use crate::site::{Lab, Site};

pub fn replay(row: &Row, hook: &str) {
    std::thread::scope(|scope| {
        let policies = ["Fail", "Ignore"]
            .map(|policy| scope.spawn(move || replay_under(hook, policy, &row.expected()[policy])));
        for done in policies {
            if let Err(panic) = done.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
}

fn replay_under(hook: &str, policy: &str, expected: &Value) {
    let name = format!("h-{hook}.{}.example.com", policy.to_lowercase());
    let webhook = Hook::new(&format!("/{hook}"))
        .named(&name)
        .with("failurePolicy", policy);
    let site = Site::with(&[webhook]);
    let made = site.create(&pod("p", "nginx:1.2"), "");
    let mut seen = Seen::of(&site, &made);
    if made.status == 201 {
        let stored = site.plane.pod(&site.name, "p");
        seen = seen
            .with("image", stored["spec"]["containers"][0]["image"].clone())
            .with("ips", stored["spec"]["imagePullSecrets"].clone());
    }
    if hook == "c503ra1" && (3..=5).contains(&site.calls().len()) {
        // How many waits of one second fit into five is the machine's affair.
        seen = seen.with("calls", expected["calls"].clone());
    }
    seen.named("p").check(expected);
    match hook {
        "audit" => audit(&site, &name),
        "patch-status" => assert_eq!(made.object["status"]["phase"], "Pending"),
        "c503ra1" | "c500ra1ok" | "sleep7" => {
            let timeout = |call: &Call| call.query.starts_with("timeout=");
            assert!(site.calls().iter().all(timeout));
        }
        "redir302" => {
            let followed = |call: &Call| call.path == "/blank" && call.size == 0;
            assert!(!Lab::get().scripted.calls(followed).is_empty());
        }
        _ => {}
    }
}

/// Which keys of the scripted annotations are recorded: those that make a qualified name with the webhook's.
fn audit(site: &Site, webhook: &str) {
    let event = site.plane.audit_event("create", &site.name, "p");
    let prefix = format!("{webhook}/");
    let annotations = event["annotations"].as_object().expect("annotations");
    let own = annotations
        .iter()
        .filter_map(|(key, value)| Some((key.strip_prefix(&prefix)?, value)));
    let lengths: Value = own
        .map(|(key, value)| (key.to_owned(), json!(value.as_str().map(str::len))))
        .collect();
    assert_eq!(lengths, json!({"good": 1, "ok_Key.1": 1, "big": 5000}));
}
