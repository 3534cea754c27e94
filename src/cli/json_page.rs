//! `docs/json.md`: the members of every document that `-o json` prints, made from the types that are printed.

use std::{collections::BTreeSet, fmt::Write as _, fs};

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value};

use super::{audit, pin, registry, resolve, tags, version};

const PAGE: &str = "docs/json.md";

const INTRODUCTION: &str = "# What `-o json` prints

Made from the program's own types. Members keep their names and meanings; others may be added, so a reader skips what it does not know.

`[]` stands for each element of a list, `{}` for each member of a map. A member that is marked *optional* is left out where it does not apply or is not
known.
";

type Object = Map<String, Value>;

/// The rows of one document.
struct Section {
    definitions: Object,
    rows: String,
}

#[test]
fn the_page_of_the_json_documents() {
    let sections = [
        ("cotter pin --check -o json", pin::json_schema()),
        ("cotter resolve -o json", resolve::json_schema()),
        ("cotter tags -o json", tags::json_schema()),
        ("cotter audit -o json", audit::json_schema()),
        (
            "cotter registry test -o json",
            registry::test::json_schema(),
        ),
        ("cotter registry add -o json", registry::add::json_schema()),
        (
            "cotter registry list -o json",
            registry::list::json_schema(),
        ),
        (
            "cotter registry rotate -o json",
            registry::rotate::json_schema(),
        ),
        (
            "cotter registry delete -o json",
            registry::delete::json_schema(),
        ),
        ("cotter version -o json", version::json_schema()),
    ];
    let mut page = INTRODUCTION.to_owned();
    for (command, schema) in sections {
        let rows = Section::of(&schema).rows;
        let _ = write!(
            page,
            "\n## `{command}`\n\n| member | type | meaning |\n|---|---|---|\n{rows}"
        );
    }
    if std::env::var_os("UPDATE").is_some() {
        fs::write(PAGE, &page).unwrap();
    }
    let kept = fs::read_to_string(PAGE).unwrap_or_default();
    assert!(
        kept == page,
        "{PAGE} is not what the code makes; run UPDATE=1 cargo test --lib json_page"
    );
}

/// The schema of what serde writes of a type.
pub(super) fn schema_of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::default().for_serialize();
    settings.into_generator().into_root_schema_for::<T>().into()
}

fn text<'v>(schema: &'v Value, member: &str) -> Option<&'v str> {
    schema.get(member)?.as_str()
}

// === impl Section ===

impl Section {
    fn of(schema: &Value) -> Self {
        let definitions = schema.get("$defs").and_then(Value::as_object);
        let mut section = Self {
            definitions: definitions.cloned().unwrap_or_default(),
            rows: String::new(),
        };
        section.members(schema, "");
        section
    }

    fn members(&mut self, schema: &Value, above: &str) {
        let Some(members) = schema.get("properties").and_then(Value::as_object) else {
            return;
        };
        let required = schema.get("required").and_then(Value::as_array);
        let required: BTreeSet<_> = required
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        for (name, member) in members {
            let path = format!("{above}{name}");
            self.member(&path, member, !required.contains(name.as_str()));
        }
    }

    fn member(&mut self, path: &str, schema: &Value, optional: bool) {
        let (meant, nullable) = self.meant(schema);
        let (mut kind, mut path, mut below) = (Self::kind(&meant), path.to_owned(), meant.clone());
        let inner = [("items", "[]"), ("additionalProperties", "{}")];
        for (member, mark) in inner {
            if let Some(element) = meant.get(member).filter(|element| element.is_object()) {
                below = self.meant(element).0;
                kind = format!("{kind} of {}s", Self::kind(&below));
                path.push_str(mark);
            }
        }
        if optional {
            kind.push_str(", *optional*");
        } else if nullable {
            kind.push_str(" or null");
        }
        let meaning = text(schema, "description").or(text(&meant, "description"));
        let meaning = meaning.unwrap_or_default().replace('\n', " ");
        let values = Self::values(&below);
        let _ = writeln!(self.rows, "| `{path}` | {kind} | {meaning}{values} |");
        self.members(&below, &format!("{path}."));
    }

    /// The schema behind references, and whether `null` is allowed beside it.
    fn meant(&self, schema: &Value) -> (Value, bool) {
        if let Some(name) = text(schema, "$ref").and_then(|path| path.rsplit('/').next()) {
            return (self.definitions[name].clone(), false);
        }
        let choices = schema.get("anyOf").and_then(Value::as_array);
        let other =
            choices.and_then(|all| all.iter().find(|one| text(one, "type") != Some("null")));
        if let Some(other) = other {
            return (self.meant(other).0, true);
        }
        let nullable = schema["type"].as_array().is_some();
        (schema.clone(), nullable)
    }

    fn kind(schema: &Value) -> String {
        if schema.get("oneOf").is_some() || schema.get("enum").is_some() {
            return "string".to_owned();
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => kinds
                .iter()
                .find_map(|kind| kind.as_str().filter(|kind| *kind != "null")),
            kind => kind.as_str(),
        };
        match kind.unwrap_or("value") {
            "array" => "list".to_owned(),
            "object" if schema.get("properties").is_none() => "map".to_owned(),
            kind => kind.to_owned(),
        }
    }

    /// The values of an enumeration, with their meanings where they have any.
    fn values(schema: &Value) -> String {
        let mut shown = String::new();
        let all = schema.get("oneOf").and_then(Value::as_array);
        for value in all.into_iter().flatten() {
            let (name, meaning) = (text(value, "const"), text(value, "description"));
            let _ = write!(
                shown,
                "<br>`{}`: {}",
                name.unwrap_or_default(),
                meaning.unwrap_or_default().replace('\n', " ")
            );
        }
        shown
    }
}
