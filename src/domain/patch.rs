//! RFC 6902 operations, built from slots and known members, never by comparing whole objects.

use serde::Serialize;

use super::object::{Metadata, Spec};

/// One operation; only those that the API server applies to what is known to be there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub enum Operation {
    /// Adds a member or an element, or replaces a member.
    Add {
        /// Where.
        path: String,
        /// What.
        value: Value,
    },
    /// Replaces what is there.
    Replace {
        /// Where.
        path: String,
        /// By what.
        value: Value,
    },
    /// Removes what is there.
    Remove {
        /// Where.
        path: String,
    },
}

/// The few shapes that are ever put into an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// A reference, an annotation's or a label's value.
    Text(String),
    /// An element of `imagePullSecrets`.
    Secret(SecretName),
    /// All of `imagePullSecrets`.
    Secrets(Vec<SecretName>),
    /// All annotations or labels.
    #[serde(serialize_with = "as_map")]
    Map(Vec<(String, String)>),
}

/// An element of `imagePullSecrets`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SecretName {
    /// The Secret's name.
    pub name: String,
}

/// A patch under construction.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Patch(Vec<Operation>);

impl Patch {
    /// Whether nothing is changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The operations, in order.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.0
    }

    /// Replaces the text at `path`.
    pub fn replace(&mut self, path: String, text: String) {
        let value = Value::Text(text);
        self.0.push(Operation::Replace { path, value });
    }

    /// Appends pull secrets by name. An absent or null list is created whole; on a present one `add` of the whole
    /// would lose what stands there.
    pub fn add_pull_secrets(&mut self, spec: &Spec<'_>, names: &[impl AsRef<str>]) {
        const LIST: &str = "/spec/imagePullSecrets";
        let element = |name: &dyn AsRef<str>| SecretName {
            name: name.as_ref().to_owned(),
        };
        if names.is_empty() {
            return;
        }
        if spec.image_pull_secrets.is_none() {
            let value = Value::Secrets(names.iter().map(|name| element(name)).collect());
            let path = LIST.to_owned();
            self.0.push(Operation::Add { path, value });
            return;
        }
        for name in names {
            let (path, value) = (format!("{LIST}/-"), Value::Secret(element(name)));
            self.0.push(Operation::Add { path, value });
        }
    }

    /// Sets annotations, or removes those whose value is `None`; names only those that change.
    pub fn annotate(&mut self, metadata: &Metadata<'_>, changes: &[(&str, Option<&str>)]) {
        let present = metadata.annotations.present;
        self.change_map(metadata, "/metadata/annotations", present, changes);
    }

    /// Sets labels, or removes those whose value is `None`.
    pub fn label(&mut self, metadata: &Metadata<'_>, changes: &[(&str, Option<&str>)]) {
        self.change_map(
            metadata,
            "/metadata/labels",
            metadata.labels.present,
            changes,
        );
    }

    fn change_map(
        &mut self,
        metadata: &Metadata<'_>,
        map: &str,
        present: bool,
        changes: &[(&str, Option<&str>)],
    ) {
        if !present {
            let set = |(key, value): &(&str, Option<&str>)| {
                Some(((*key).to_owned(), (*value)?.to_owned()))
            };
            let whole: Vec<_> = changes.iter().filter_map(set).collect();
            if !whole.is_empty() {
                self.need_metadata(metadata);
                let (path, value) = (map.to_owned(), Value::Map(whole));
                self.0.push(Operation::Add { path, value });
            }
            return;
        }
        for (key, value) in changes {
            let path = member(map, key);
            self.0.push(match value {
                Some(text) => Operation::Add {
                    path,
                    value: Value::Text((*text).to_owned()),
                },
                None => Operation::Remove { path },
            });
        }
    }

    /// Objects that no API server has seen may have no metadata to put anything into.
    fn need_metadata(&mut self, metadata: &Metadata<'_>) {
        let whole = Operation::Add {
            path: "/metadata".to_owned(),
            value: Value::Map(Vec::new()),
        };
        if !metadata.present && !self.0.contains(&whole) {
            self.0.push(whole);
        }
    }

    /// The patch as JSON.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        // An operation on an image of usual length.
        const EACH: usize = 256;
        let mut json = Vec::with_capacity(self.0.len() * EACH);
        // Writing into a Vec cannot fail.
        let _ = serde_json::to_writer(&mut json, self);
        json
    }
}

/// The pointer of a member. RFC 6901 §3: `~` and `/` of its name are escaped.
fn member(map: &str, name: &str) -> String {
    let mut path = String::with_capacity(map.len() + name.len() + 4);
    path.push_str(map);
    path.push('/');
    for c in name.chars() {
        match c {
            '~' => path.push_str("~0"),
            '/' => path.push_str("~1"),
            c => path.push(c),
        }
    }
    path
}

fn as_map<S: serde::Serializer>(
    members: &[(String, String)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(members.iter().map(|(key, value)| (key, value)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::object::{IMAGES, Object, SKIP};
    use rstest::rstest;
    use serde_json::{Value, json};

    fn applied(object: &str, build: impl Fn(&mut Patch, &Object<'_>)) -> Value {
        let mut document: Value = serde_json::from_str(object).unwrap();
        let mut patch = Patch::default();
        build(&mut patch, &crate::domain::json::read(object).unwrap());
        let operations: json_patch::Patch = serde_json::from_slice(&patch.to_json()).unwrap();
        json_patch::patch(&mut document, &operations).unwrap();
        document
    }

    #[rstest]
    #[case::absent(r#"{"spec":{}}"#, json!([{"name":"r"}]))]
    #[case::null(r#"{"spec":{"imagePullSecrets":null}}"#, json!([{"name":"r"}]))]
    #[case::empty(r#"{"spec":{"imagePullSecrets":[]}}"#, json!([{"name":"r"}]))]
    #[case::present(r#"{"spec":{"imagePullSecrets":[{"name":"x"}]}}"#, json!([{"name":"x"},{"name":"r"}]))]
    fn appends_pull_secrets(#[case] object: &str, #[case] expected: Value) {
        let result = applied(object, |patch, object| {
            patch.add_pull_secrets(&object.spec, &["r"]);
        });
        assert_eq!(result["spec"]["imagePullSecrets"], expected);
    }

    #[rstest]
    #[case::no_metadata("{}", json!({IMAGES:"v"}))]
    #[case::absent(r#"{"metadata":{}}"#, json!({IMAGES:"v"}))]
    #[case::null(r#"{"metadata":{"annotations":null}}"#, json!({IMAGES:"v"}))]
    #[case::present(r#"{"metadata":{"annotations":{"q":"w","cotter.dev/skip":"x"}}}"#, json!({"q":"w",IMAGES:"v"}))]
    fn annotates(#[case] object: &str, #[case] expected: Value) {
        let result = applied(object, |patch, object| {
            let mut changes = vec![(IMAGES, Some("v"))];
            if object.metadata.annotations.skip.is_some() {
                changes.push((SKIP, None));
            }
            patch.annotate(&object.metadata, &changes);
        });
        assert_eq!(result["metadata"]["annotations"], expected);
    }
}
