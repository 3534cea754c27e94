//! values.yaml, its schema and the table of values say the same. `UPDATE=1` writes the table.

use std::{collections::BTreeMap, fs};

use serde_json::Value;

use crate::helm::CHART;

const BEGIN: &str = "<!-- values: written by `UPDATE=1 cargo test --test chart documented` -->\n";
const END: &str = "<!-- end of values -->";

/// A value with its path, its comment and its default where it has no further keys.
struct Entry {
    path: String,
    comment: String,
    default: Option<String>,
}

/// The values of values.yaml in their order.
fn entries() -> Vec<Entry> {
    let text = fs::read_to_string(format!("{CHART}/values.yaml")).unwrap();
    let values: Value = serde_saphyr::from_str(&text).unwrap();
    let (mut found, mut keys, mut comment) = (Vec::new(), Vec::<String>::new(), String::new());
    for line in text.lines() {
        let bare = line.trim_start();
        let depth = (line.len() - bare.len()) / 2;
        if let Some(words) = bare.strip_prefix("# ") {
            words.clone_into(&mut comment);
            continue;
        }
        let Some((key, _)) = bare.split_once(':').filter(|(key, _)| !key.contains(' ')) else {
            continue;
        };
        keys.truncate(depth);
        keys.push(key.to_owned());
        let value = keys.iter().fold(&values, |value, key| &value[key]);
        let whole = !value.as_object().is_some_and(|map| !map.is_empty());
        found.push(Entry {
            path: keys.join("."),
            comment: std::mem::take(&mut comment),
            default: whole.then(|| value.to_string()),
        });
    }
    found
}

/// The descriptions of the schema by path, of what values.yaml has.
fn described(schema: &Value, path: &str, all: &mut BTreeMap<String, String>) {
    let properties = schema["properties"].as_object();
    for (key, inner) in properties.into_iter().flatten() {
        let path = if path.is_empty() {
            key.clone()
        } else {
            format!("{path}.{key}")
        };
        let description = inner["description"].as_str().unwrap_or_default();
        all.insert(path.clone(), description.to_owned());
        described(inner, &path, all);
    }
}

/// Whether the keys of this map are the user's own.
fn is_free(schema: &Value, path: &str) -> bool {
    let inner = path
        .split('.')
        .fold(schema, |schema, key| &schema["properties"][key]);
    inner["type"] == "object" && inner["properties"].is_null()
}

fn schema() -> Value {
    let text = fs::read_to_string(format!("{CHART}/values.schema.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn every_value_is_in_the_schema_with_its_own_words() {
    let (schema, mut all) = (schema(), BTreeMap::new());
    described(&schema, "", &mut all);
    for Entry { path, comment, .. } in entries() {
        let Some(description) = all.remove(&path) else {
            let free = path
                .rsplit_once('.')
                .is_some_and(|(parent, _)| is_free(&schema, parent));
            assert!(free, "the schema does not know {path}");
            continue;
        };
        assert!(!comment.is_empty(), "values.yaml: {path} has no comment");
        assert_eq!(description, comment, "{path}");
    }
    let elsewhere = |path: &str| path == "global" || path.starts_with("config.");
    let free = ["resources.claims", "affinity."];
    all.retain(|path, _| !elsewhere(path) && !free.iter().any(|free| path.starts_with(free)));
    assert!(all.is_empty(), "values.yaml does not have {all:#?}");
}

#[test]
fn every_object_of_the_schema_is_closed_and_every_member_described() {
    fn walk(path: &str, schema: &Value) {
        let Some(map) = schema.as_object() else {
            return;
        };
        if let Some(properties) = map.get("properties").filter(|_| map.contains_key("type")) {
            assert_eq!(schema["additionalProperties"], false, "{path}");
            for (key, inner) in properties.as_object().unwrap() {
                let described = inner["description"]
                    .as_str()
                    .is_some_and(|d| d.ends_with('.') && d.len() > 5);
                assert!(described, "{path}.{key} has no description");
            }
        }
        for (key, inner) in map {
            walk(&format!("{path}/{key}"), inner);
            for (n, one) in inner.as_array().into_iter().flatten().enumerate() {
                walk(&format!("{path}/{key}/{n}"), one);
            }
        }
    }
    walk("", &schema());
}

#[test]
fn the_table_of_values_is_up_to_date() {
    let mut table = String::from("| value | default | what it is |\n|---|---|---|\n");
    for Entry {
        path,
        comment,
        default,
    } in entries().iter().filter(|e| !e.comment.is_empty())
    {
        let default = default
            .as_ref()
            .map_or_else(String::new, |d| format!("`{d}`"));
        table += &format!(
            "| `{path}` | {default} | {} |\n",
            comment.replace('|', "\\|")
        );
    }
    let file = format!("{CHART}/README.md");
    let text = fs::read_to_string(&file).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (now, after) = rest.split_once(END).unwrap();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&file, [before, BEGIN, &table, END, after].concat()).unwrap();
    } else {
        assert_eq!(
            now, table,
            "write it with UPDATE=1 cargo test --test chart documented"
        );
    }
}
