//! Named sets of values, each of them something that a user would write.

use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Row {
    name: String,
    values: Value,
}

/// All of them render and are accepted by an API server.
pub fn rows() -> Vec<(String, Value)> {
    let rows: Vec<Row> = serde_saphyr::from_str(include_str!("matrix.yaml")).unwrap();
    let validating = json!({"enabled": true, "actions": ["Deny", "Audit"]});
    let more = [
        ("policies", json!({"config": policies()})),
        (
            "a validating policy that denies",
            json!({"validatingPolicy": validating, "config": policies()}),
        ),
    ];
    let written = rows.into_iter().map(|Row { name, values }| (name, values));
    let made = more.map(|(name, values)| (name.to_owned(), values));
    written.chain(made).collect()
}

/// Policies of every kind.
pub fn policies() -> Value {
    json!({
        "defaultPolicy": "lax",
        "policies": {
            "lax": {"pin": {"immutableTags": ["v*", "release-??"], "skip": ["ghcr.io/acme/**", "docker.io/library/*"]}, "allowSkip": false},
            "short.names": {"canonicalise": {"shortNames": "leave"}, "pin": {"skip": []}},
            "by-default": null,
            "strict": {"pin": {"pinImmutable": true, "immutableTags": ["*"]}, "allowSkip": false, "onFailure": {
                "invalid": "deny", "notFound": "deny", "unauthorized": "deny", "unavailable": "deny", "refused": "deny"}},
        },
    })
}
