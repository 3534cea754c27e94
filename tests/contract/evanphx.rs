//! How the API server applies a JSON patch: the rules and the errors of `gopkg.in/evanphx/json-patch.v4`, as far as
//! `add`, `remove`, `replace` and `test` go.

use serde_json::{Map, Value};

/// Why a patch is not applied.
#[derive(Debug, PartialEq)]
pub enum Refused {
    /// It is no patch: the failure policy decides.
    Decoding(String),
    /// It does not fit the object: the request fails whatever the policy.
    Applying(String),
}

type Applied<T> = Result<T, Refused>;

/// Applies a patch that is written as JSON.
pub fn apply(document: &mut Value, patch: &[u8]) -> Applied<()> {
    let operations: Vec<Map<String, Value>> =
        serde_json::from_slice(patch).map_err(|error| Refused::Decoding(error.to_string()))?;
    for operation in &operations {
        apply_one(document, operation)?;
    }
    Ok(())
}

fn apply_one(document: &mut Value, operation: &Map<String, Value>) -> Applied<()> {
    let text = |member: &str| {
        operation
            .get(member)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let (op, path) = (text("op"), text("path"));
    let value = operation.get("value");
    if !matches!(op, "add" | "remove" | "replace" | "test") {
        return refused(format!("Unexpected kind: {op}"));
    }
    let Some((parent, key)) = parent(document, path) else {
        let (path, does) = match op {
            "add" | "remove" => (format!("\"{path}\""), "does not apply: doc is"),
            "replace" => (path.to_owned(), "does not apply: doc is"),
            _ => (path.to_owned(), "does not apply: is"),
        };
        return refused(format!(
            "{op} operation {does} missing path: {path}: missing value"
        ));
    };
    let value = value.cloned();
    match op {
        "add" => add(parent, &key, value.unwrap_or_default())
            .map_err(|why| Refused::Applying(format!("error in add for path: '{path}': {why}"))),
        "remove" => remove(parent, &key)
            .map_err(|why| Refused::Applying(format!("error in remove for path: '{path}': {why}"))),
        "replace" => replace(parent, &key, value.unwrap_or_default()).map_err(|_| {
            let why = "replace operation does not apply: doc is missing key";
            Refused::Applying(format!("{why}: {path}: missing value"))
        }),
        _ => test(parent, &key, value.as_ref())
            .then_some(())
            .ok_or_else(|| Refused::Applying(format!("testing value {path} failed: test failed"))),
    }
}

fn refused<T>(why: String) -> Applied<T> {
    Err(Refused::Applying(why))
}

/// The container that a pointer ends in, and the key there.
fn parent<'d>(document: &'d mut Value, path: &str) -> Option<(&'d mut Value, String)> {
    let mut parts: Vec<String> = path.split('/').skip(1).map(unescape).collect();
    let key = parts.pop()?;
    let mut container = document;
    for part in parts {
        container = match container {
            Value::Object(members) => members.get_mut(&part)?,
            Value::Array(elements) => {
                let index = index(&part, elements.len()).ok()?;
                elements.get_mut(index)?
            }
            _ => return None,
        };
    }
    let holds = container.is_object() || container.is_array();
    holds.then_some((container, key))
}

fn unescape(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}

/// An index below `length`; negative ones count from the end.
fn index(key: &str, length: usize) -> Result<usize, String> {
    let index: isize = key.parse().map_err(|_| format!("not an index: {key}"))?;
    let from_end = isize::try_from(length).ok().map(|length| index + length);
    let index = if index < 0 { from_end } else { Some(index) };
    let found = index.and_then(|index| usize::try_from(index).ok());
    found
        .filter(|index| *index < length)
        .ok_or_else(|| format!("Unable to access invalid index: {key}"))
}

fn add(container: &mut Value, key: &str, value: Value) -> Result<(), String> {
    match container {
        Value::Object(members) => {
            members.insert(key.to_owned(), value);
        }
        Value::Array(elements) if key == "-" => elements.push(value),
        Value::Array(elements) => {
            let place = index(key, elements.len() + 1)?;
            elements.insert(place, value);
        }
        _ => unreachable!("a container"),
    }
    Ok(())
}

fn remove(container: &mut Value, key: &str) -> Result<(), String> {
    match container {
        Value::Object(members) => {
            let missing = || format!("Unable to remove nonexistent key: {key}: missing value");
            members.remove(key).map(drop).ok_or_else(missing)
        }
        Value::Array(elements) => {
            let place = index(key, elements.len())?;
            elements.remove(place);
            Ok(())
        }
        _ => unreachable!("a container"),
    }
}

/// An absent member of an object is no obstacle.
fn replace(container: &mut Value, key: &str, value: Value) -> Result<(), String> {
    match container {
        Value::Object(members) => {
            members.insert(key.to_owned(), value);
        }
        Value::Array(elements) => {
            let place = index(key, elements.len())?;
            elements[place] = value;
        }
        _ => unreachable!("a container"),
    }
    Ok(())
}

/// An absent value and null are the same.
fn test(container: &Value, key: &str, value: Option<&Value>) -> bool {
    let found = match container {
        Value::Object(members) => members.get(key),
        Value::Array(elements) => index(key, elements.len())
            .ok()
            .map(|place| &elements[place]),
        _ => None,
    };
    found.unwrap_or(&Value::Null) == value.unwrap_or(&Value::Null)
}
