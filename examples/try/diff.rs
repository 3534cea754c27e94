//! What two versions of an object differ in, as lines of YAML with the way to each difference.

use serde_json::{Map, Value};

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) sign: Sign,
    /// With its indentation.
    pub(crate) text: String,
}

/// What a line is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    /// It leads to a difference.
    Way,
    Removed,
    Added,
}

/// The differences, top down; none for equal objects.
pub(crate) fn diff(before: &Value, after: &Value) -> Vec<Line> {
    let mut lines = Vec::new();
    if let (Value::Object(before), Value::Object(after)) = (before, after) {
        members(before, after, "", "", &mut lines);
    }
    lines
}

/// `first` stands before the first line, `rest` before all others: `- ` and two spaces in a list.
fn members(
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    first: &str,
    rest: &str,
    lines: &mut Vec<Line>,
) {
    let mut lead = first;
    // The name tells which container of a list this is.
    let name = before
        .get("name")
        .filter(|name| after.get("name") == Some(name));
    if let Some(name) = name.filter(|_| first != rest) {
        push(lines, Sign::Way, format!("{lead}name: {}", scalar(name)));
        lead = rest;
    }
    let new = after.keys().filter(|key| !before.contains_key(*key));
    for key in before.keys().chain(new) {
        match (before.get(key), after.get(key)) {
            (old, new) if old == new => continue,
            (Some(Value::Object(old)), Some(Value::Object(new))) => {
                push(lines, Sign::Way, format!("{lead}{key}:"));
                let deeper = format!("{rest}  ");
                members(old, new, &deeper, &deeper, lines);
            }
            (Some(Value::Array(old)), Some(Value::Array(new))) => {
                push(lines, Sign::Way, format!("{lead}{key}:"));
                items(old, new, rest, lines);
            }
            (old, new) => {
                for (sign, value) in [(Sign::Removed, old), (Sign::Added, new)] {
                    if let Some(value) = value {
                        member(sign, lead, rest, key, value, lines);
                    }
                }
            }
        }
        lead = rest;
    }
}

fn items(before: &[Value], after: &[Value], indent: &str, lines: &mut Vec<Line>) {
    let (first, rest) = (format!("{indent}- "), format!("{indent}  "));
    for index in 0..before.len().max(after.len()) {
        match (before.get(index), after.get(index)) {
            (old, new) if old == new => {}
            (Some(Value::Object(old)), Some(Value::Object(new))) => {
                members(old, new, &first, &rest, lines);
            }
            (old, new) => {
                for (sign, value) in [(Sign::Removed, old), (Sign::Added, new)] {
                    if let Some(value) = value {
                        whole(sign, &first, &rest, value, lines);
                    }
                }
            }
        }
    }
}

fn member(sign: Sign, lead: &str, rest: &str, key: &str, value: &Value, lines: &mut Vec<Line>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            push(lines, sign, format!("{lead}{key}:"));
            let deeper = format!("{rest}  ");
            whole(sign, &deeper, &deeper, value, lines);
        }
        Value::Array(items) if !items.is_empty() => {
            push(lines, sign, format!("{lead}{key}:"));
            for item in items {
                whole(
                    sign,
                    &format!("{rest}- "),
                    &format!("{rest}  "),
                    item,
                    lines,
                );
            }
        }
        value => push(lines, sign, format!("{lead}{key}: {}", scalar(value))),
    }
}

fn whole(sign: Sign, first: &str, rest: &str, value: &Value, lines: &mut Vec<Line>) {
    let Value::Object(members) = value else {
        return push(lines, sign, format!("{first}{}", scalar(value)));
    };
    let mut lead = first;
    for (key, value) in members {
        member(sign, lead, rest, key, value, lines);
        lead = rest;
    }
}

fn push(lines: &mut Vec<Line>, sign: Sign, text: String) {
    lines.push(Line { sign, text });
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) if is_plain(text) => text.clone(),
        // Single quotes leave the JSON of an annotation readable.
        Value::String(text) if !text.contains(char::is_control) => {
            format!("'{}'", text.replace('\'', "''"))
        }
        other => other.to_string(),
    }
}

/// Whether YAML reads this text as itself without quotes; rather quoted than wrong.
fn is_plain(text: &str) -> bool {
    let special = |c: char| c.is_control() || "{}[],&*#?|<>=!%@`'\"\\".contains(c);
    let words = [
        "", "y", "n", "true", "false", "null", "yes", "no", "on", "off", "~",
    ];
    !words.contains(&text.to_lowercase().as_str())
        && text.parse::<f64>().is_err()
        && text.trim() == text
        && !text.starts_with([
            '-', ':', '@', '`', '%', '?', '!', '&', '*', '=', '<', '>', '|',
        ])
        && !text.contains(": ")
        && !text.ends_with(':')
        && !text.replace('@', "").contains(special)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(before: &Value, after: &Value) -> String {
        let sign = |sign| match sign {
            Sign::Way => ' ',
            Sign::Removed => '-',
            Sign::Added => '+',
        };
        let lines = diff(before, after);
        let lines: Vec<_> = lines
            .iter()
            .map(|line| format!("{}{}", sign(line.sign), line.text))
            .collect();
        lines.join("\n")
    }

    #[test]
    fn the_way_to_each_difference_and_nothing_else() {
        let before = json!({"kind": "Pod", "spec": {"containers": [
            {"name": "same", "image": "a"}, {"name": "app", "image": "b:1", "tty": true}]}});
        let after = json!({"kind": "Pod", "spec": {"containers": [
            {"name": "same", "image": "a"}, {"name": "app", "image": "b:1@sha256:c", "tty": true}],
            "imagePullSecrets": [{"name": "s"}]}});
        let expected = " spec:\n   containers:\n   - name: app\n-    image: b:1\n+    image: b:1@sha256:c\n\
                        +  imagePullSecrets:\n+  - name: s";
        assert_eq!(shown(&before, &after), expected);
    }

    #[test]
    fn new_and_old_members_are_shown_whole() {
        let (before, after) = (
            json!({"a": ["x"]}),
            json!({"a": ["x", {"k": "1"}], "m": {"n": "{}"}}),
        );
        assert_eq!(shown(&before, &after), " a:\n+- k: '1'\n+m:\n+  n: '{}'");
        assert_eq!(shown(&after, &before), " a:\n-- k: '1'\n-m:\n-  n: '{}'");
        assert_eq!(shown(&before, &before), "");
    }

    #[test]
    fn texts_that_yaml_would_misread_are_quoted() {
        for (text, expected) in [
            ("a:b", "a:b"),
            ("yes", "'yes'"),
            ("1.5", "'1.5'"),
            ("it's", "'it''s'"),
            (" a", "' a'"),
        ] {
            assert_eq!(scalar(&json!(text)), expected);
        }
        assert_eq!(scalar(&json!("a\nb")), r#""a\nb""#);
    }
}
