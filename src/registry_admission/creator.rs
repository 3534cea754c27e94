//! Who made a `Registry`: the annotation says it, whatever the maker wrote there.

use serde_json::{Value, json};

use super::review::Metadata;
use crate::api::labels::CREATOR;

/// The JSON patch (RFC 6902) after which an object of this metadata names `user` as its creator; empty where it does.
pub(super) fn stamp(metadata: &Metadata, user: &str) -> Vec<Value> {
    let Some(annotations) = &metadata.annotations else {
        return vec![
            json!({"op": "add", "path": "/metadata/annotations", "value": {CREATOR: user}}),
        ];
    };
    if annotations.get(CREATOR).is_some_and(|said| said == user) {
        return Vec::new();
    }
    // RFC 6901 §3: a slash within a key is written ~1.
    let path = format!("/metadata/annotations/{}", CREATOR.replace('/', "~1"));
    // RFC 6902 §4.1: add replaces a member that is there.
    vec![json!({"op": "add", "path": path, "value": user})]
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::no_annotations(json!({}), json!([{"op": "add", "path": "/metadata/annotations", "value": {"cotter.dev/creator": "alice"}}]))]
    #[case::null(json!({"annotations": null}), json!([{"op": "add", "path": "/metadata/annotations", "value": {"cotter.dev/creator": "alice"}}]))]
    #[case::others(json!({"annotations": {"a/b": "c"}}), json!([{"op": "add", "path": "/metadata/annotations/cotter.dev~1creator", "value": "alice"}]))]
    #[case::forged(json!({"annotations": {"cotter.dev/creator": "bob"}}), json!([{"op": "add", "path": "/metadata/annotations/cotter.dev~1creator", "value": "alice"}]))]
    #[case::an_empty_map(json!({"annotations": {}}), json!([{"op": "add", "path": "/metadata/annotations/cotter.dev~1creator", "value": "alice"}]))]
    #[case::said_already(json!({"annotations": {"cotter.dev/creator": "alice"}}), json!([]))]
    fn the_creator_is_who_asks(#[case] metadata: Value, #[case] expected: Value) {
        let metadata = serde_json::from_value(metadata).unwrap();
        assert_eq!(Value::from(stamp(&metadata, "alice")), expected);
    }
}
