//! Manifests: from YAML or JSON to objects, and from objects to what an API server makes of them.

use std::{io, path::Path};

use serde_json::{Map, Value, json};
use serde_saphyr::Error as YamlError;

/// The objects of a file, in order; the members of a List one by one.
///
/// # Errors
/// One line that names the file, and the place where the text is wrong.
pub(crate) fn read(path: &Path) -> Result<Vec<Value>, String> {
    let name = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!("{name}: there is no such file"),
        io::ErrorKind::InvalidData => format!("{name}: not UTF-8"),
        _ => format!("{name}: cannot be read: {error}"),
    })?;
    let objects = if path.extension().is_some_and(|e| e == "json") {
        json_objects(&text)
    } else {
        yaml_objects(&text)
    };
    let objects = objects.map_err(|error| format!("{name}: {error}"))?;
    if objects.is_empty() {
        return Err(format!("{name}: there is no manifest in this file"));
    }
    if let Some(other) = objects
        .iter()
        .find(|object| text_of(object, "/kind").is_empty())
    {
        let what = shape(other);
        return Err(format!(
            "{name}: {what} without a `kind` is no Kubernetes manifest"
        ));
    }
    Ok(objects)
}

/// The objects of YAML documents.
///
/// # Errors
/// What is wrong, and where.
pub(crate) fn yaml_objects(text: &str) -> Result<Vec<Value>, String> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(text).map_err(|error| {
        let error = error.without_snippet();
        if let YamlError::DuplicateMappingKey { key: Some(key), .. } = error {
            let line = error.location().map_or(0, |at| at.line());
            return format!("the key {key:?} is given twice, again in line {line}");
        }
        let said = error.to_string();
        said.lines().next().unwrap_or("not YAML").to_owned()
    })?;
    Ok(flattened(documents))
}

fn json_objects(text: &str) -> Result<Vec<Value>, String> {
    let documents: Result<Vec<Value>, _> = serde_json::Deserializer::from_str(text)
        .into_iter()
        .collect();
    documents
        .map(flattened)
        .map_err(|error| format!("not JSON: {error}"))
}

fn flattened(documents: Vec<Value>) -> Vec<Value> {
    let mut objects = Vec::new();
    for mut document in documents.into_iter().filter(|document| !document.is_null()) {
        let is_list = text_of(&document, "/kind").ends_with("List");
        match document.get_mut("items").map(Value::take) {
            Some(Value::Array(items)) if is_list => objects.extend(flattened(items)),
            _ => objects.push(document),
        }
    }
    objects
}

fn shape(value: &Value) -> &'static str {
    match value {
        Value::Object(_) => "an object",
        Value::Array(_) => "a list",
        _ => "a text",
    }
}

/// The text at a pointer, empty where there is none.
pub(crate) fn text_of<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// `Pod shop/checkout`.
pub(crate) fn title(object: &Value) -> String {
    let kind = text_of(object, "/kind");
    let namespace = text_of(object, "/metadata/namespace");
    match (
        text_of(object, "/metadata/name"),
        text_of(object, "/metadata/generateName"),
    ) {
        ("", prefix) => format!("{kind} {namespace}/{prefix}…"),
        (name, _) => format!("{kind} {namespace}/{name}"),
    }
}

/// Where the Pod's spec stands in an object of this kind; `None` for kinds without one.
pub(crate) fn pod_spec(kind: &str) -> Option<&'static str> {
    match kind {
        "Pod" => Some("/spec"),
        "PodTemplate" => Some("/template/spec"),
        "CronJob" => Some("/spec/jobTemplate/spec/template/spec"),
        "Deployment"
        | "StatefulSet"
        | "DaemonSet"
        | "ReplicaSet"
        | "Job"
        | "ReplicationController" => Some("/spec/template/spec"),
        _ => None,
    }
}

/// The object with the fields that the API server has filled when it calls its webhooks.
pub(crate) fn defaulted(mut object: Value) -> Value {
    let kind = text_of(&object, "/kind").to_owned();
    fill(&mut object, json!({"metadata": {}}));
    if let Some(metadata) = object.get_mut("metadata") {
        fill(metadata, json!({"namespace": "default"}));
    }
    let spec = pod_spec(&kind).and_then(|pointer| object.pointer_mut(pointer));
    if let Some(spec) = spec {
        fill(
            spec,
            json!({
                "restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler",
                "securityContext": {}, "terminationGracePeriodSeconds": 30,
            }),
        );
        if kind == "Pod" {
            fill(
                spec,
                json!({
                    "serviceAccountName": "default", "serviceAccount": "default", "enableServiceLinks": true,
                    "preemptionPolicy": "PreemptLowerPriority", "priority": 0,
                }),
            );
        }
        for list in ["initContainers", "containers"] {
            let containers = spec.get_mut(list).and_then(Value::as_array_mut);
            containers.into_iter().flatten().for_each(container);
        }
        let volumes = spec.get_mut("volumes").and_then(Value::as_array_mut);
        for volume in volumes.into_iter().flatten() {
            if let Some(image) = volume.get_mut("image") {
                let policy = pull_policy(text_of(image, "/reference"));
                fill(image, json!({"pullPolicy": policy}));
            }
        }
    }
    object
}

fn container(container: &mut Value) {
    let policy = pull_policy(text_of(container, "/image"));
    fill(
        container,
        json!({
            "imagePullPolicy": policy, "resources": {},
            "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
        }),
    );
}

/// `Always` for `latest` and for no tag at all.
fn pull_policy(image: &str) -> &'static str {
    let name = image.rsplit_once('/').map_or(image, |(_, name)| name);
    let is_moving =
        !name.contains('@') && name.split_once(':').is_none_or(|(_, tag)| tag == "latest");
    if is_moving { "Always" } else { "IfNotPresent" }
}

/// Adds the members that are not there.
fn fill(object: &mut Value, defaults: Value) {
    if let (Value::Object(object), Value::Object(defaults)) = (object, defaults) {
        for (key, value) in defaults {
            object.entry(key).or_insert(value);
        }
    }
}

/// The object with `change` made to each of its texts.
pub(crate) fn map_texts(value: Value, change: &impl Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(change(&text)),
        Value::Array(items) => items
            .into_iter()
            .map(|item| map_texts(item, change))
            .collect(),
        Value::Object(members) => {
            let members = members.into_iter();
            let members: Map<_, _> = members
                .map(|(key, v)| (key, map_texts(v, change)))
                .collect();
            Value::Object(members)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_and_lists_are_taken_apart() {
        let text = "kind: Pod\n---\n---\nkind: List\nitems:\n- kind: Job\n- kind: Secret\n";
        let objects = yaml_objects(text).unwrap();
        let kinds: Vec<_> = objects
            .iter()
            .map(|object| text_of(object, "/kind"))
            .collect();
        assert_eq!(kinds, ["Pod", "Job", "Secret"]);
    }

    #[test]
    fn a_mistake_is_one_line_with_its_place() {
        let error = yaml_objects("kind: Pod\nspec: [\n").unwrap_err();
        assert!(!error.contains('\n') && error.contains("line"), "{error}");
    }

    #[test]
    fn what_the_api_server_fills() {
        let pod = json!({"kind": "Pod", "spec": {"containers": [{"image": "a.b/c"}, {"image": "a.b:1/c:v1"}]}});
        let pod = defaulted(pod);
        assert_eq!(text_of(&pod, "/metadata/namespace"), "default");
        assert_eq!(
            text_of(&pod, "/spec/containers/0/imagePullPolicy"),
            "Always"
        );
        assert_eq!(
            text_of(&pod, "/spec/containers/1/imagePullPolicy"),
            "IfNotPresent"
        );
    }
}
