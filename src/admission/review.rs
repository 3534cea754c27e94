//! The review as the API server sends it, borrowed, and the answer as it wants it (`admission.k8s.io/v1`).

use std::io::Write as _;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;

use crate::domain::{
    json::{self, Cursor, JsonError, Read, members},
    object::{Object, Text},
    plan::Plan,
    policy::Mode,
    scope::Operation,
    slots::Kind,
    warning::{clean, shorten},
};

use super::reviewer::BadReview;

/// Characters of an audit annotation's value: the API server sets no limit, its log's readers do.
const LONGEST_AUDIT: usize = 4_096;

/// The request of a review.
#[derive(Debug, Default)]
pub struct Request<'a> {
    /// What the answer has to repeat.
    pub uid: Text<'a>,
    /// The kind of `object`.
    kind: GroupKind<'a>,
    /// The subresource, absent for the object itself.
    sub_resource: Option<Text<'a>>,
    /// The namespace, absent for cluster-scoped objects.
    namespace: Option<Text<'a>>,
    operation: Text<'a>,
    /// Whether nothing will be stored.
    dry_run: bool,
    /// Absent on DELETE.
    pub object: Option<Object<'a>>,
    /// Present on UPDATE.
    pub old_object: Option<Object<'a>>,
}

#[derive(Debug, Default)]
struct GroupKind<'a> {
    group: Text<'a>,
    kind: Text<'a>,
}

#[derive(Default)]
struct Review<'a, R> {
    api_version: Text<'a>,
    kind: Text<'a>,
    request: Option<R>,
}

/// The members of a request that do not depend on the shape of its object.
#[derive(Default)]
struct Head<'a> {
    uid: Text<'a>,
    kind: GroupKind<'a>,
}

/// A review that is answered: cotter's business, or somebody else's object.
#[derive(Debug)]
pub enum Decoded<'a> {
    /// A request of a kind that holds images.
    Ours(Kind, Box<Request<'a>>),
    /// Any other object: allowed as it is; the uid.
    Foreign(Text<'a>),
}

/// What the audit log is told beside the changes.
#[derive(Debug)]
pub struct Told {
    /// What the namespace chose.
    pub mode: Mode,
    /// Slot to outcome, JSON; the words are those of the metrics.
    pub outcomes: String,
}

/// Reads a review.
///
/// # Errors
/// [`BadReview`] with status 400 for what is no v1 `AdmissionReview` with a uid.
pub fn decode(body: &[u8]) -> Result<Decoded<'_>, BadReview> {
    let body = std::str::from_utf8(body)
        .map_err(|error| bad(&format!("not an AdmissionReview: {error}")))?;
    match json::read::<Review<'_, Request<'_>>>(body) {
        Ok(review) => {
            let request = checked(&review.api_version, &review.kind, review.request)?;
            has_uid(&request.uid)?;
            Ok(match Kind::of(&request.kind.group, &request.kind.kind) {
                Some(kind) => Decoded::Ours(kind, Box::new(request)),
                None => Decoded::Foreign(request.uid),
            })
        }
        // An object of some other kind may use the names of a Pod's members for other shapes.
        Err(error) => match json::read::<Review<'_, Head<'_>>>(body) {
            Ok(review) => {
                let head = checked(&review.api_version, &review.kind, review.request)?;
                has_uid(&head.uid)?;
                match Kind::of(&head.kind.group, &head.kind.kind) {
                    Some(_) => Err(bad(&format!(
                        "the object of this review cannot be read: expected {error}"
                    ))),
                    None => Ok(Decoded::Foreign(head.uid)),
                }
            }
            Err(_) => Err(bad(&format!("not an AdmissionReview: expected {error}"))),
        },
    }
}

fn checked<R>(version: &str, kind: &str, request: Option<R>) -> Result<R, BadReview> {
    if kind != "AdmissionReview" || version != "admission.k8s.io/v1" {
        return Err(bad(&format!(
            "expected admission.k8s.io/v1 AdmissionReview, got {version:?} {kind:?}"
        )));
    }
    request.ok_or_else(|| bad("this AdmissionReview has no request"))
}

fn has_uid(uid: &str) -> Result<(), BadReview> {
    if uid.is_empty() {
        return Err(bad("the request of this AdmissionReview has no uid"));
    }
    Ok(())
}

fn bad(message: &str) -> BadReview {
    BadReview {
        status: http::StatusCode::BAD_REQUEST,
        message: clean(message).into(),
    }
}

// === impl Read ===

impl<'a, R: Read<'a>> Read<'a> for Review<'a, R> {
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, JsonError> {
        let mut found = Self {
            api_version: Text::default(),
            kind: Text::default(),
            request: None,
        };
        cursor.object(|cursor, key| {
            match key {
                "apiVersion" => found.api_version = cursor.value()?,
                "kind" => found.kind = cursor.value()?,
                "request" => found.request = cursor.value()?,
                _ => cursor.skip()?,
            }
            Ok(())
        })?;
        Ok(found)
    }
}

members!(Request {
    "uid" => uid,
    "kind" => kind,
    "subResource" => sub_resource,
    "namespace" => namespace,
    "operation" => operation,
    "dryRun" => dry_run,
    "object" => object,
    "oldObject" => old_object,
});
members!(Head { "uid" => uid, "kind" => kind });
members!(GroupKind { "group" => group, "kind" => kind });

// === impl Request ===

impl Request<'_> {
    /// What the API server is doing.
    #[must_use]
    pub fn operation(&self) -> Operation {
        match &*self.operation {
            "CREATE" => Operation::Create,
            "UPDATE" => Operation::Update,
            _ => Operation::Other,
        }
    }

    /// The subresource, empty for the object itself.
    #[must_use]
    pub fn subresource(&self) -> &str {
        self.sub_resource.as_deref().unwrap_or_default()
    }

    /// The object's kind as people call it.
    #[must_use]
    pub fn kind_name(&self) -> &str {
        &self.kind.kind
    }

    /// Whether nothing will be stored.
    #[must_use]
    pub fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    /// The namespace of the object, or of the request where the object has none.
    #[must_use]
    pub fn namespace(&self) -> &str {
        let own = self
            .object
            .as_ref()
            .and_then(|object| object.metadata.namespace.as_deref());
        own.filter(|own| !own.is_empty())
            .or(self.namespace.as_deref())
            .unwrap_or_default()
    }

    /// The object's name, or the prefix of the one that it will get; for logs only.
    #[must_use]
    pub fn object_name(&self) -> &str {
        let metadata = self.object.as_ref().map(|object| &object.metadata);
        let named = metadata.and_then(|m| m.name.as_deref().or(m.generate_name.as_deref()));
        named.unwrap_or_default()
    }
}

// === the answer ===

/// An answer that allows the object as it is.
#[must_use]
pub fn allow(uid: &str) -> Bytes {
    encode(uid, Plan::default(), None)
}

/// The answer that carries out a plan; `told` goes to the audit log.
#[must_use]
pub fn encode(uid: &str, plan: Plan, told: Option<Told>) -> Bytes {
    let patch = if plan.patch.is_empty() {
        Vec::new()
    } else {
        plan.patch.to_json()
    };
    let (mode, outcomes) = told.map_or((None, None), |told| {
        let outcomes = shorten(told.outcomes, LONGEST_AUDIT);
        (Some(told.mode.as_str().to_owned()), Some(outcomes))
    });
    let told_bytes = outcomes.as_ref().map_or(0, |text| 2 * text.len());
    // Base64 and the audit annotations, each a third longer or less, and the members around them.
    let mut json = Vec::with_capacity(512 + 3 * patch.len() + told_bytes);
    json.extend_from_slice(
        br#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"#,
    );
    push_text(&mut json, uid);
    json.extend_from_slice(br#","allowed":"#);
    json.extend_from_slice(if plan.denial.is_none() {
        b"true"
    } else {
        b"false"
    });
    if !patch.is_empty() {
        json.extend_from_slice(br#","patchType":"JSONPatch","patch":""#);
        push_base64(&mut json, &patch);
        json.push(b'"');
    }
    if let Some(message) = &plan.denial {
        json.extend_from_slice(br#","status":{"code":403,"reason":"Forbidden","message":"#);
        push_text(&mut json, message);
        json.push(b'}');
    }
    let (changes, unpinned) = (changes_text(&plan), unpinned_text(&plan));
    push_list(&mut json, "warnings", &plan.warnings.lines());
    // The API server puts the webhook's name and a slash in front of each key.
    push_object(
        &mut json,
        "auditAnnotations",
        &[
            ("mode", mode),
            ("outcomes", outcomes),
            ("images", changes),
            ("unpinned", unpinned),
        ],
    );
    json.extend_from_slice(b"}}");
    Bytes::from(json)
}

fn changes_text(plan: &Plan) -> Option<String> {
    let text = plan.changes_text.clone();
    let text = text.or_else(|| (!plan.changes.is_empty()).then(|| plan.changes.to_text()));
    text.map(|text| shorten(text, LONGEST_AUDIT))
}

fn unpinned_text(plan: &Plan) -> Option<String> {
    let text = (!plan.unpinned.is_empty()).then(|| plan.unpinned.to_text());
    text.map(|text| shorten(text, LONGEST_AUDIT))
}

// Writing into a Vec cannot fail, in all of these.

fn push_text(json: &mut Vec<u8>, text: &str) {
    let _ = serde_json::to_writer(json, text);
}

fn push_base64(json: &mut Vec<u8>, bytes: &[u8]) {
    let start = json.len();
    json.resize(start + bytes.len().div_ceil(3) * 4, 0);
    if let Some(rest) = json.get_mut(start..) {
        let _ = BASE64_STANDARD.encode_slice(bytes, rest);
    }
}

fn push_list(json: &mut Vec<u8>, name: &str, texts: &[String]) {
    if !texts.is_empty() {
        let _ = write!(json, r#","{name}":"#);
        let _ = serde_json::to_writer(json, texts);
    }
}

fn push_object(json: &mut Vec<u8>, name: &str, members: &[(&str, Option<String>)]) {
    let mut next = "{";
    for (key, text) in members {
        let Some(text) = text else { continue };
        if next == "{" {
            let _ = write!(json, r#","{name}":"#);
        }
        let _ = write!(json, r#"{next}"{key}":"#);
        push_text(json, text);
        next = ",";
    }
    if next == "," {
        json.push(b'}');
    }
}
