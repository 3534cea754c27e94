//! The dashboard, the alert rules and their documentation speak of metrics that exist.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    time::Duration,
};

use cotter::telemetry::metrics::{Answer, Cache, Ended, Metrics, Mode, PodAnswer, SlotOutcome};
use serde_json::Value;

const DASHBOARD: &str = "charts/cotter/dashboards/cotter.json";
const RULES: &str = "charts/cotter/rules/alerts.yaml";
const OPERATE: &str = "docs/operate.md";

/// What Prometheus adds to every series of a target.
const TARGET_LABELS: [&str; 2] = ["job", "instance"];

/// Labels whose values a cluster chooses.
const OPEN_LABELS: [&str; 4] = ["namespace", "host", "job", "instance"];

/// Metrics of the API server that cotter's panels and alerts use, with the labels that they have.
const API_SERVER: [(&str, &[&str]); 3] = [
    (
        "apiserver_admission_webhook_fail_open_count",
        &["name", "type"],
    ),
    (
        "apiserver_admission_webhook_rejection_count",
        &["name", "type", "error_type", "operation", "rejection_code"],
    ),
    (
        "apiserver_admission_webhook_admission_duration_seconds_bucket",
        &["name", "type", "operation", "rejected", "le"],
    ),
];

/// Metrics without a series before their first event, with their labels.
const LATER: [(&str, &[&str]); 9] = [
    ("cotter_watch_errors_total", &["watch"]),
    ("cotter_watch_synced_timestamp_seconds", &["watch"]),
    (
        "cotter_missing_permissions",
        &["verb", "resource", "namespace"],
    ),
    ("cotter_certificate_not_after_timestamp_seconds", &["kind"]),
    ("cotter_trust_repairs_total", &["what"]),
    ("cotter_registry_ready", &["registry"]),
    (
        "cotter_registry_credential_expires_timestamp_seconds",
        &["registry"],
    ),
    ("cotter_own_login", &["host"]),
    ("cotter_own_login_failures_total", &["host"]),
];

/// Series by metric: the values of each label.
type Exposed = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// One metric in a query.
#[derive(Debug, Default)]
struct Selector {
    metric: String,
    /// Label, operator, value.
    matchers: Vec<(String, String, String)>,
}

/// A query, and where it stands.
struct Query {
    place: String,
    expr: String,
    /// Labels that its legend or its alert's text shows.
    shown: Vec<String>,
}

/// Every metric with a series for every label value that cotter sets.
fn exposed() -> Exposed {
    let metrics = Metrics::default();
    metrics.admission(Answer::Allowed, Duration::ZERO);
    metrics.registry_request("ghcr.io", Ended::Ok, Duration::ZERO);
    for mode in [Mode::Enforce, Mode::Audit] {
        let pods = metrics.pods_of("shop", mode);
        pods.pod(PodAnswer::Allowed);
        pods.slot(SlotOutcome::Pinned);
    }
    metrics.cache(Cache::Digest, true);
    let mut exposed = read(&metrics.encode());
    for (metric, labels) in LATER {
        if is_registered(metric) {
            let empty = |label: &&str| ((*label).to_owned(), BTreeSet::new());
            exposed.insert(metric.to_owned(), labels.iter().map(empty).collect());
        }
    }
    exposed
}

fn read(text: &str) -> Exposed {
    let mut exposed = Exposed::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let selector = selectors(line).into_iter().next().unwrap();
        let labels = exposed.entry(selector.metric).or_default();
        for (label, _, value) in selector.matchers {
            labels.entry(label).or_default().insert(value);
        }
    }
    exposed
}

/// Whether some file registers this metric; a family is not exposed at all before its first series.
fn is_registered(metric: &str) -> bool {
    let name = metric
        .trim_start_matches("cotter_")
        .trim_end_matches("_total");
    let literal = format!("\"{name}\"");
    let files = fs::read_dir("src/telemetry/metrics").unwrap();
    let files = files
        .map(|file| file.unwrap().path())
        .chain(["src/telemetry/metrics.rs".into()]);
    files
        .filter(|path| path.is_file())
        .any(|path| fs::read_to_string(path).unwrap().contains(&literal))
}

/// The metrics that are exposed.
fn types(text: &str) -> BTreeSet<String> {
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let name = |line: &str| {
        let (name, kind) = line.split_once(' ').unwrap();
        let suffix = if kind == "counter" { "_total" } else { "" };
        format!("{name}{suffix}")
    };
    types.map(name).collect()
}

/// The metrics in a query: names with the prefix of cotter or of the API server, each with its matchers.
fn selectors(expr: &str) -> Vec<Selector> {
    let mut found = Vec::new();
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut rest = expr;
    while let Some(start) = rest.find(is_word) {
        rest = rest.split_at(start).1;
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        rest = after;
        if !(word.starts_with("cotter_") || word.starts_with("apiserver_")) {
            continue;
        }
        let mut selector = Selector {
            metric: word.to_owned(),
            matchers: Vec::new(),
        };
        if let Some(inside) = after.strip_prefix('{') {
            let (inside, after) = inside.split_once('}').unwrap();
            selector.matchers = inside.split(',').map(matcher).collect();
            rest = after;
        }
        found.push(selector);
    }
    found
}

fn matcher(text: &str) -> (String, String, String) {
    let at = text.find(['=', '!']).unwrap();
    let (label, rest) = text.trim().split_at(at);
    let quote = rest.find('"').unwrap();
    let (operator, value) = rest.split_at(quote);
    let value = value.trim_matches('"');
    (label.to_owned(), operator.to_owned(), value.to_owned())
}

/// The labels of `by (…)`.
fn grouped_by(expr: &str) -> Vec<String> {
    let lists = expr.split("by (").skip(1);
    lists
        .filter_map(|list| list.split_once(')'))
        .flat_map(|(list, _)| list.split(','))
        .map(|label| label.trim().to_owned())
        .collect()
}

/// The labels in `{{label}}` and `{{ $labels.label }}`.
fn shown(text: &str) -> Vec<String> {
    let marks = text.split("{{").skip(1).filter_map(|m| m.split_once("}}"));
    let words = marks.flat_map(|(mark, _)| mark.split_whitespace());
    words
        .map(|word| word.strip_prefix("$labels.").unwrap_or(word))
        .filter(|word| word.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
        .filter(|word| !["with", "end", "humanize"].contains(word))
        .map(str::to_owned)
        .collect()
}

fn panels(dashboard: &Value) -> Vec<&Value> {
    let list = dashboard["panels"].as_array().unwrap();
    list.iter().collect()
}

fn dashboard() -> Value {
    serde_json::from_str(&fs::read_to_string(DASHBOARD).unwrap()).unwrap()
}

fn alerts() -> Vec<Value> {
    let rules: Value = serde_saphyr::from_str(&fs::read_to_string(RULES).unwrap()).unwrap();
    let groups = rules["groups"].as_array().unwrap().iter();
    let rules = groups.flat_map(|group| group["rules"].as_array().unwrap());
    rules.cloned().collect()
}

fn queries() -> Vec<Query> {
    let mut queries = Vec::new();
    let dashboard = dashboard();
    for panel in panels(&dashboard) {
        for target in panel["targets"].as_array().into_iter().flatten() {
            queries.push(Query {
                place: format!("panel {}", panel["title"]),
                expr: target["expr"].as_str().unwrap().to_owned(),
                shown: shown(target["legendFormat"].as_str().unwrap_or_default()),
            });
        }
    }
    for variable in dashboard["templating"]["list"].as_array().unwrap() {
        if let Some(definition) = variable["definition"].as_str() {
            queries.push(Query {
                place: format!("variable {}", variable["name"]),
                expr: definition.to_owned(),
                shown: Vec::new(),
            });
        }
    }
    for alert in alerts() {
        queries.push(Query {
            place: format!("alert {}", alert["alert"]),
            expr: alert["expr"].as_str().unwrap().to_owned(),
            shown: shown(&alert["annotations"].to_string()),
        });
    }
    queries
}

/// What is wrong with one metric of a query.
fn faults(exposed: &Exposed, selector: &Selector) -> Vec<String> {
    let metric = &selector.metric;
    let api_server = API_SERVER.iter().find(|(name, _)| name == metric);
    let Some(labels) = exposed.get(metric) else {
        let unknown = api_server.is_none().then(|| format!("no metric {metric}"));
        let (_, known) = api_server.copied().unwrap_or_default();
        let matchers = selector.matchers.iter().map(|(label, ..)| label);
        let strange = matchers.filter(|label| !known.contains(&label.as_str()));
        let strange = strange.map(|label| format!("{metric} has no label {label}"));
        return unknown.into_iter().chain(strange).collect();
    };
    let mut faults = Vec::new();
    for (label, operator, value) in &selector.matchers {
        if TARGET_LABELS.contains(&label.as_str()) {
            continue;
        }
        let Some(values) = labels.get(label) else {
            faults.push(format!("{metric} has no label {label}"));
            continue;
        };
        if OPEN_LABELS.contains(&label.as_str()) {
            continue;
        }
        let one_of = operator.ends_with('~');
        for value in value
            .split('|')
            .filter(|_| one_of)
            .chain([value.as_str()].into_iter().filter(|_| !one_of))
        {
            // No values: they are the writer's, and not known here.
            if !values.is_empty() && !values.contains(value) {
                faults.push(format!(
                    "{metric} has no {label}={value:?}, only {values:?}"
                ));
            }
        }
    }
    faults
}

#[test]
fn every_query_names_what_is_exposed() {
    let exposed = exposed();
    let mut all = Vec::new();
    for query in queries() {
        let selectors = selectors(&query.expr);
        assert!(!selectors.is_empty(), "{}: {}", query.place, query.expr);
        let has = |label: &str| {
            TARGET_LABELS.contains(&label)
                || selectors.iter().any(|selector| {
                    let own = exposed.get(&selector.metric);
                    let api = API_SERVER.iter().find(|(name, _)| *name == selector.metric);
                    own.is_some_and(|labels| labels.contains_key(label))
                        || api.is_some_and(|(_, labels)| labels.contains(&label))
                })
        };
        let used = grouped_by(&query.expr)
            .into_iter()
            .chain(query.shown.iter().cloned());
        let strange = used.filter(|label| !has(label));
        let strange = strange.map(|label| format!("no metric has label {label}"));
        let faults = selectors
            .iter()
            .flat_map(|selector| faults(&exposed, selector));
        let place = &query.place;
        all.extend(
            strange
                .chain(faults)
                .map(|fault| format!("{place}: {fault}")),
        );
    }
    assert!(all.is_empty(), "\n{}", all.join("\n"));
}

#[test]
fn every_label_that_is_shown_survives_its_aggregation() {
    for query in queries() {
        let groups = grouped_by(&query.expr);
        let aggregates = query.expr.contains("sum") || query.expr.contains("max");
        for label in query.shown.iter().filter(|_| aggregates) {
            let kept = groups.contains(label);
            assert!(kept, "{}: {label} is not in by (…)", query.place);
        }
    }
}

#[test]
fn every_metric_is_documented() {
    let page = fs::read_to_string(OPERATE).unwrap();
    let text = Metrics::default().encode();
    let types = types(&text).into_iter();
    let missing: Vec<_> = types
        .chain(LATER.iter().map(|(name, _)| (*name).to_owned()))
        .filter(|name| !page.contains(&format!("| `{name}` |")))
        .collect();
    assert!(missing.is_empty(), "not in {OPERATE}: {missing:?}");
}

#[test]
fn every_alert_says_what_it_means_and_has_its_section() {
    let page = fs::read_to_string(OPERATE).unwrap();
    let mut sections: BTreeSet<_> = page
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .collect();
    for alert in &alerts() {
        let name = alert["alert"].as_str().unwrap();
        let annotations = &alert["annotations"];
        for said in ["summary", "description"] {
            assert!(annotations[said].is_string(), "{name} has no {said}");
        }
        let severity = alert["labels"]["severity"].as_str().unwrap();
        assert!(
            ["critical", "warning", "info"].contains(&severity),
            "{name}"
        );
        let runbook = format!("{OPERATE}#{}", name.to_lowercase());
        assert_eq!(annotations["runbook"], runbook.as_str(), "{name}");
        assert!(sections.remove(name), "{OPERATE} has no section {name}");
    }
    assert!(sections.is_empty(), "no such alerts: {sections:?}");
}

#[test]
fn panels_have_one_place_each() {
    let dashboard = dashboard();
    let mut taken = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for panel in panels(&dashboard) {
        assert!(ids.insert(panel["id"].to_string()), "{} twice", panel["id"]);
        let side = |name: &str| panel["gridPos"][name].as_u64().unwrap();
        for x in side("x")..side("x") + side("w") {
            for y in side("y")..side("y") + side("h") {
                assert!(
                    x < 24 && taken.insert((x, y)),
                    "{} at {x},{y}",
                    panel["title"]
                );
            }
        }
    }
}

#[test]
fn relative_links_of_the_documentation_lead_somewhere() {
    for page in ["operate", "registries", "security", "troubleshooting"] {
        let text = fs::read_to_string(format!("docs/{page}.md")).unwrap();
        for target in text
            .split("](")
            .skip(1)
            .filter_map(|link| link.split_once(')'))
        {
            let (file, anchor) = target.0.split_once('#').unwrap_or((target.0, ""));
            if file.starts_with("http") {
                continue;
            }
            let path = if file.is_empty() {
                format!("{page}.md")
            } else {
                file.to_owned()
            };
            let linked = fs::read_to_string(format!("docs/{path}")).unwrap_or_default();
            assert!(!linked.is_empty(), "{page}: no docs/{path}");
            let mut headings = linked
                .lines()
                .filter(|line| line.starts_with('#'))
                .map(slug);
            assert!(
                anchor.is_empty() || headings.any(|h| h == anchor),
                "{page}: {path} has no #{anchor}"
            );
        }
    }
}

/// A heading's anchor, as GitHub makes it.
fn slug(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text
        .chars()
        .filter(|c| c.is_alphanumeric() || "- _".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}
