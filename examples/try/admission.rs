//! One admission as an API server makes it: the review, the answer, and the object that would be stored.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::{cotter::Cotter, manifests::text_of};

/// What came of it.
pub(crate) struct Admission {
    /// As it was sent.
    pub(crate) before: Value,
    /// As it would be stored.
    pub(crate) after: Value,
    pub(crate) warnings: Vec<String>,
    /// The message of a denial.
    pub(crate) denied: Option<String>,
    pub(crate) took: Duration,
}

/// Asks cotter about an object that is being created.
///
/// # Errors
/// What came back instead of an answer that an API server takes.
pub(crate) async fn admit(cotter: &Cotter, object: Value) -> Result<Admission, String> {
    let review = review(&object);
    let started = Instant::now();
    let response = cotter.review(&review).await?;
    let took = started.elapsed();
    let mut after = object.clone();
    if let Some(patch) = response.get("patch").and_then(Value::as_str) {
        apply(&mut after, patch).map_err(|error| format!("the patch does not apply: {error}"))?;
    }
    let is_allowed = response.get("allowed") == Some(&Value::Bool(true));
    let warnings = response
        .get("warnings")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    Ok(Admission {
        before: object,
        after,
        warnings: warnings
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        denied: (!is_allowed).then(|| text_of(&response, "/status/message").to_owned()),
        took,
    })
}

fn apply(object: &mut Value, patch: &str) -> Result<(), String> {
    let patch = BASE64_STANDARD
        .decode(patch)
        .map_err(|error| error.to_string())?;
    let patch: json_patch::Patch =
        serde_json::from_slice(&patch).map_err(|error| error.to_string())?;
    json_patch::patch(object, &patch).map_err(|error| error.to_string())
}

fn review(object: &Value) -> Value {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let (api_version, kind) = (text_of(object, "/apiVersion"), text_of(object, "/kind"));
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let kinds = json!({"group": group, "version": version, "kind": kind});
    let plural = format!("{}s", kind.to_lowercase());
    let resources = json!({"group": group, "version": version, "resource": plural});
    let mut request = json!({
        "uid": format!("00000000-0000-4000-8000-{number:012}"),
        "kind": kinds, "requestKind": kinds,
        "resource": resources, "requestResource": resources,
        "namespace": text_of(object, "/metadata/namespace"),
        "operation": "CREATE",
        "userInfo": {"username": "kubernetes-admin", "groups": ["kubeadm:cluster-admins", "system:authenticated"]},
        "object": object, "oldObject": null, "dryRun": false,
        "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1", "fieldManager": "kubectl-create"},
    });
    // An object with `generateName` has none yet.
    if let Some(name) = object.pointer("/metadata/name")
        && let Some(request) = request.as_object_mut()
    {
        request.insert("name".to_owned(), name.clone());
    }
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request})
}
