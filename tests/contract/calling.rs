//! `case` rows about how the webhook is called: time, order, connections, certificates, and what the audit log keeps.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::answers::PINNED;
use crate::hook::Hook;
use crate::pods::pod;
use crate::rows::{Row, Scenario};
use crate::seen::Seen;
use crate::site::{Lab, Site};

pub const SCENARIOS: &[Scenario] = &[
    ("request ?timeout=2s", |_| {
        let hook = Hook::new("/sleep4").with("timeoutSeconds", 30).ignore();
        asked(hook, "?timeout=2s")
    }),
    ("request ?timeout=2500ms", |_| {
        asked(
            Hook::new("/ok").with("timeoutSeconds", 30),
            "?timeout=2500ms",
        )
    }),
    ("timeoutSeconds 30", |_| {
        asked(Hook::new("/ok").with("timeoutSeconds", 30), "")
    }),
    ("5 serial hooks each sleeping 9 s (", |_| slow("Fail")),
    ("5 serial hooks each sleeping 9 s, all Ignore", |_| {
        slow("Ignore")
    }),
    ("IfNeeded, nothing changed", |_| unchanged()),
    ("order: config name", |_| order()),
    ("20 concurrent creates", |_| concurrent()),
    ("server certificate without SAN", |_| {
        let url = format!("https://{}/ok", Lab::get().scripted.nameless_host());
        asked(Hook::new("/ok").at(&url), "")
    }),
    ("caBundle not PEM call", |_| {
        asked(Hook::new("/ok").ca(Some("no PEM")), "")
    }),
    ("no caBundle", |_| asked(Hook::new("/ok").ca(None), "")),
    // The discard port, where nobody listens.
    ("connection refused", |_| {
        asked(Hook::new("/ok").at("https://127.0.0.1:9/ok"), "")
    }),
    ("Ignore + connection refused", |_| failed_open()),
    ("audit annotations, 2 hooks IfNeeded", audited),
];

fn asked(hook: Hook, query: &str) -> Seen {
    let site = Site::with(&[hook]);
    let made = site.create(&pod("p", "nginx:1"), query);
    Seen::of(&site, &made)
}

fn slow(policy: &str) -> Seen {
    let hook = |n| {
        Hook::new(&format!("/sleep9-{n}"))
            .named(&format!("s{n}.example.com"))
            .with("timeoutSeconds", 10)
            .with("failurePolicy", policy)
    };
    let site = Site::with(&[1, 2, 3, 4, 5].map(hook));
    let made = site.create(&pod("p", "nginx:1"), "");
    let queries: Vec<_> = site.calls().into_iter().map(|call| call.query).collect();
    let seen = Seen::of(&site, &made);
    // The whole seconds that are left count down with the machine's load; the last call gets what is left of 34 s.
    let left = |query: &String| {
        query
            .strip_prefix("timeout=")?
            .strip_suffix('s')?
            .parse()
            .ok()
    };
    let left: Vec<u32> = queries.iter().filter_map(left).collect();
    assert!(matches!(left[..], [10, 10, 10, 5..=7]), "{queries:?}");
    seen.with(
        "queries",
        json!(["timeout=10s", "timeout=10s", "timeout=10s", "timeout=7s"]),
    )
}

/// The paths that were called, in order.
fn paths(site: &Site) -> Value {
    site.calls().into_iter().map(|call| call.path).collect()
}

fn unchanged() -> Seen {
    let first = Hook::new("/ips").with("reinvocationPolicy", "IfNeeded");
    let site = Site::with(&[first, Hook::new("/ok").named("b.example.com")]);
    let made = site.create(&pod("p", "nginx:1"), "");
    Seen::of(&site, &made).with("calls", paths(&site))
}

fn order() -> Seen {
    let site = Site::new();
    site.install("-b", &[Hook::new("/img")]);
    site.install(
        "-a",
        &[Hook::new("/ips"), Hook::new("/ok").named("b.example.com")],
    );
    let made = site.create(&pod("p", "nginx:1"), "");
    Seen::of(&site, &made).with("order", paths(&site))
}

fn concurrent() -> Seen {
    let site = Site::with(&[Hook::new("/ok")]);
    let last = std::thread::scope(|scope| {
        let create = |n| {
            let site = &site;
            scope.spawn(move || site.created(&pod(&format!("p{n}"), "nginx:1")))
        };
        let all: Vec<_> = (0..20).map(create).collect();
        let mut all = all.into_iter().map(|one| one.join().expect("a Pod"));
        all.next_back().expect("Pods")
    });
    // One status for all: every one of them was created.
    Seen::of(&site, &last).with("http", 200)
}

/// What the audit log says of webhooks. Its index counts all webhooks that the API server has in that round, which
/// come and go with the other rows; here it counts those of the site.
fn annotations(site: &Site) -> BTreeMap<String, Value> {
    let event = site.plane.audit_event("create", &site.name, "p");
    let annotations = event["annotations"].as_object().expect("annotations");
    let place = |key: &str| -> Option<(String, u32)> {
        let (round, index) = key.rsplit_once("_index_")?;
        Some((round.to_owned(), index.parse().ok()?))
    };
    let mut first: BTreeMap<String, u32> = BTreeMap::new();
    for (round, index) in annotations.keys().filter_map(|key| place(key)) {
        let least = first.entry(round).or_insert(index);
        *least = index.min(*least);
    }
    let own = annotations.iter().filter_map(|(key, value)| {
        let (round, index) = place(key)?;
        let index = index - first[&round];
        Some((format!("{round}_index_{index}"), value.clone()))
    });
    own.collect()
}

fn failed_open() -> Seen {
    let site = Site::with(&[Hook::new("/ok").at("https://127.0.0.1:9/ok").ignore()]);
    let made = site.create(&pod("p", "nginx:1"), "");
    let mut annotations = annotations(&site);
    annotations.retain(|key, _| key.starts_with("failed-open."));
    Seen::of(&site, &made).with("audit_annotation", json!(annotations))
}

fn audited(row: &Row) -> Seen {
    let again = |path: &str| Hook::new(path).with("reinvocationPolicy", "IfNeeded");
    let site = Site::with(&[again("/ips"), again("/img").named("b.example.com")]);
    site.created(&pod("p", "nginx:1"));
    assert_eq!(paths(&site), json!(["/ips", "/img", "/ips"]));
    let annotations = annotations(&site);
    let recorded = |kind: &str, place: &str| -> Value {
        let key = format!("{kind}.webhook.admission.k8s.io/{place}");
        serde_json::from_str(annotations[&key].as_str().expect("text")).expect("JSON")
    };
    for (place, webhook, mutated) in [
        ("round_0_index_0", "a.example.com", true),
        ("round_0_index_1", "b.example.com", true),
        ("round_1_index_0", "a.example.com", false),
    ] {
        let mutation = json!({"configuration": site.name, "webhook": webhook, "mutated": mutated});
        assert_eq!(recorded("mutation", place), mutation);
    }
    let image = &recorded("patch", "round_0_index_1")["patch"][0]["value"];
    assert_eq!(image, PINNED);
    let secrets = json!([{"name": "injected"}]);
    assert_eq!(
        recorded("patch", "round_1_index_0")["patch"][0]["value"],
        secrets
    );
    // The row's one fact is a sentence that says what was compared here.
    Seen::default().with("note", row.expected()["note"].clone())
}
