//! The review of a `Registry` as the API server sends it, and the answer as it wants it (`admission.k8s.io/v1`).

use std::collections::BTreeMap;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};
use thiserror::Error;

use crate::{api::registry, domain::warning::clean};

/// What is no review that could be answered; one line for a person, without the body's text.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{0}")]
pub struct NotAReview(pub String);

/// What a review asks.
#[derive(Debug)]
pub(super) enum Asked {
    /// Somebody makes a registry.
    Create { metadata: Metadata, user: String },
    /// Somebody deletes a registry.
    Delete { registry: Old, user: String },
    /// Nothing of this floor's.
    Foreign,
}

/// The answer: nothing is changed and nothing refused unless it says so.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// RFC 6902.
    pub(super) patch: Vec<Value>,
    pub(super) denial: Option<String>,
}

/// The metadata that matters here.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Metadata {
    pub(super) name: String,
    pub(super) annotations: Option<BTreeMap<String, String>>,
}

/// A registry that is there.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Old {
    pub(super) metadata: Metadata,
    pub(super) spec: OldSpec,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct OldSpec {
    pub(super) deletion: registry::Deletion,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Review<'a> {
    #[serde(default)]
    api_version: String,
    #[serde(default)]
    kind: String,
    #[serde(borrow, default)]
    request: Option<Request<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Request<'a> {
    uid: String,
    kind: GroupKind,
    sub_resource: String,
    operation: String,
    user_info: UserInfo,
    #[serde(borrow)]
    object: Option<&'a RawValue>,
    #[serde(borrow)]
    old_object: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct GroupKind {
    group: String,
    kind: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct UserInfo {
    username: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct New {
    metadata: Metadata,
}

/// Reads a review: its uid and what it asks.
pub(super) fn decode(body: &[u8]) -> Result<(String, Asked), NotAReview> {
    let review: Review<'_> = serde_json::from_slice(body)
        .map_err(|error| unread("this is no AdmissionReview", &error))?;
    if review.kind != "AdmissionReview" || review.api_version != "admission.k8s.io/v1" {
        let (version, kind) = (review.api_version, review.kind);
        let line =
            format!("expected admission.k8s.io/v1 AdmissionReview, got {version:?} {kind:?}");
        return Err(NotAReview(clean(&line)));
    }
    let missing = |what: &str| NotAReview(format!("this AdmissionReview has no {what}"));
    let request = review.request.ok_or_else(|| missing("request"))?;
    if request.uid.is_empty() {
        return Err(missing("uid"));
    }
    let is_registry = request.kind.group == "cotter.dev" && request.kind.kind == "Registry";
    let asked = match &*request.operation {
        "CREATE" | "DELETE" if !is_registry || !request.sub_resource.is_empty() => Asked::Foreign,
        "CREATE" => {
            let user = request.user_info.username;
            if user.is_empty() {
                return Err(missing("user"));
            }
            let New { metadata } = object(request.object.ok_or_else(|| missing("object"))?)?;
            Asked::Create { metadata, user }
        }
        "DELETE" => Asked::Delete {
            registry: object(request.old_object.ok_or_else(|| missing("oldObject"))?)?,
            user: request.user_info.username,
        },
        _ => Asked::Foreign,
    };
    Ok((request.uid, asked))
}

fn object<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Result<T, NotAReview> {
    let read = serde_json::from_str(raw.get());
    read.map_err(|error| unread("the Registry of this review cannot be read", &error))
}

/// The error of serde may hold the body's text.
fn unread(what: &str, error: &serde_json::Error) -> NotAReview {
    let (line, column) = (error.line(), error.column());
    NotAReview(format!("{what} (line {line}, column {column})"))
}

/// The answer to the review of this uid.
pub(super) fn encode(uid: &str, answer: Answer) -> Vec<u8> {
    let Answer { patch, denial } = answer;
    let mut response = json!({"uid": uid, "allowed": denial.is_none()});
    if !patch.is_empty() {
        let patch = BASE64_STANDARD.encode(Value::from(patch).to_string());
        set(&mut response, "patchType", "JSONPatch".into());
        set(&mut response, "patch", patch.into());
    }
    if let Some(message) = denial {
        let status = json!({"code": 403, "reason": "Forbidden", "message": message});
        set(&mut response, "status", status);
    }
    let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response});
    review.to_string().into_bytes()
}

fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
}
